"""Subjects: what strokes make up, without specks and edges, one or several, and their ink."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glassnet.photos.boxes import Slices, around, box_of, extended, gap, is_within, overlap, reached, sides, slices_of
from glassnet.photos.light import otsu, stroke_width
from glassnet.photos.pieces import areas_of_pieces, ink_of_pieces, label_pieces, largest_piece, of_pieces
from glassnet.photos.strokes import FADED, find_strokes

SOFT = 2
"""Pixels that the soft edge of a stroke reaches beyond its mask."""

FAINT = 0.4
"""Ink of a shadow at most, beside its ground; a drawing that was made larger, and so has soft edges, is darker."""

INNER, INNER_INK, INNER_MARGIN = 0.4, 0.2, 2
"""Size of what is drawn within a small picture at least, beside the picture's, its share of all ink, and the pixels
between it and the sides."""

REACH = 0.012
"""How far the edge of a stroke is looked at from, as a share of the picture's shorter side."""

SHARP = 0.85
"""Share of a drawn subject's ink that comes within that reach at a quarter of its outline or more (pens: 0.93)."""

PALEST = 0.25
"""The palest strokes are drawn as if they had four times their ink."""

FADING = 0.25
"""How far the pen may fade, as a share of the subject's size."""

ABOVE = 0.4
"""How far a part of a drawing may lie above or below one that is wider than high, as a share of the width."""

STRAIGHT = 0.12
"""Spread of a straight piece across its length at most, beside that along it."""

FRAMES = 6
"""Of so many pieces, those with the most ink, one may be a frame."""

AROUND = 0.25
"""What a frame is drawn around has at least this share of the frame's size."""

MARGIN = 0.03
"""Share of a frame's size that lies, on every side, between it and what it is drawn around."""

MANY = 4
"""Pieces of which none is larger than the others are no drawing but a pattern, such as the rings of a notebook."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One thing that was drawn.

    Args:
        box: first row, row after the last, first column, column after the last.
        mask: where it is, `(height, width)` of the whole picture.
        strength: how much of the picture's ink it has, 0 to 1.
    """

    box: tuple[int, int, int, int]
    mask: np.ndarray
    strength: float

    @property
    def height(self) -> int:
        """Its rows."""
        return self.box[1] - self.box[0]

    @property
    def width(self) -> int:
        """Its columns."""
        return self.box[3] - self.box[2]

    @property
    def sides(self) -> int:
        """How many sides of the picture it reaches."""
        return reached(slices_of(self.box), self.mask.shape)

    @property
    def longest(self) -> int:
        """Its longest side."""
        return max(self.height, self.width)


def without_shadows(ink: np.ndarray, strokes: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray, list[Subject]]:
    """Return ink and strokes without shadows that uneven light has left in them, and the subjects in what is left.

    What has no sharp edge was not drawn.

    Args:
        ink: `(height, width)`, 0 to 1.
        strokes: where strokes are.
        noise: of the ink (see `noise_of`).
    """
    subjects = find_subjects(ink, strokes, noise)
    for _ in range(3):
        shadow = _shadow(ink, subjects[0]) if subjects else None
        if shadow is None:
            break
        ink = np.where(shadow, 0, ink)
        strokes = find_strokes(ink, noise)
        subjects = find_subjects(ink, strokes, noise)
    return ink, strokes, subjects


def _shadow(ink: np.ndarray, subject: Subject) -> np.ndarray | None:
    """Return where a subject is with its soft edges, if these are those of a shadow; None if it was drawn."""
    peak = float(np.quantile(ink[subject.mask], 0.8))
    if peak > FAINT:
        return None
    reach = max(2, round(REACH * min(ink.shape)))
    here = extended(slices_of(subject.box), reach)
    near, inside = ink[here], subject.mask[here]
    outline = inside & np.logical_not(ndimage.binary_erosion(inside, border_value=1))
    rise = ndimage.maximum_filter(near, 2 * reach + 1) - ndimage.minimum_filter(near, 2 * reach + 1)
    if not outline.any() or float(np.quantile(rise[outline], 0.75)) > SHARP * peak:
        return None
    labels, count = label_pieces(ink > 0.25 * peak)
    return of_pieces(labels, count, np.unique(labels[subject.mask]))


def without_rims(ink: np.ndarray, strokes: np.ndarray) -> np.ndarray:
    """Return the strokes of a small picture without those that enter from its edge, if enough of others is within.

    A picture that was cut out tightly has strokes near every side.

    Args:
        ink: `(height, width)`, 0 to 1.
        strokes: where strokes are.
    """
    labels, count = label_pieces(strokes)
    within = [k for k, box in enumerate(ndimage.find_objects(labels), 1) if not reached(box, ink.shape)]
    if not within:
        return strokes
    inner = of_pieces(labels, count, np.array(within))
    first, last, left, right = box_of(inner)
    roomy = min(first, left, ink.shape[0] - last, ink.shape[1] - right) >= INNER_MARGIN
    large = max(last - first, right - left) > INNER * max(ink.shape)
    return inner if roomy and large and ink[inner].sum() > INNER_INK * ink[strokes].sum() else strokes


def as_one(strokes: np.ndarray) -> list[Subject]:
    """Return all strokes as one subject, or none where there are none."""
    return [_subject(strokes, 1.0)] if strokes.any() else []


def darkest_piece(ink: np.ndarray, subject: Subject, share: float) -> Subject:
    """Return the largest piece of what has at least that share of a subject's darkest ink."""
    dark = subject.mask & (ink > share * float(np.quantile(ink[subject.mask], 0.9)))
    return _subject(largest_piece(dark), subject.strength)


def find_subjects(ink: np.ndarray, strokes: np.ndarray, noise: float) -> list[Subject]:
    """Return the subjects, the most prominent first.

    Strokes that nearly touch belong together, those that faded ink joins, and small ones to the large one beside them
    (the bar of a five). Specks, what enters from the edge of the picture although there is something else, and
    patterns do not count; neither does a frame, nor what lies outside of it.

    Args:
        ink: `(height, width)`, 0 to 1.
        strokes: where strokes are.
        noise: of the ink (see `noise_of`).
    """
    labels, count = label_pieces(strokes)
    if not count:
        return []
    boxes = ndimage.find_objects(labels)
    mass = ink_of_pieces(ink, labels, count)
    order = [int(k) for k in np.argsort(-mass)[:80]]
    area = areas_of_pieces(labels, count)
    framed = _framed(labels, boxes, order)
    order = [k for k in order if k in framed] or order
    rank = np.array([mass[k] * _place(boxes[k], ink.shape, int(area[k])) for k in order])
    main = order[int(rank.argmax())]
    size = max(sides(boxes[main]))
    enough = [k for k in order if mass[k] > 0.004 * mass[main] and max(sides(boxes[k])) > 0.04 * size]
    apart = [k for k in enough if k != main and _is_apart(labels, k, boxes, main, size)]
    near = [k for k in enough if k not in apart]
    bridges = _bridged(ink, strokes, labels, count, noise) if len(near) > 1 else np.zeros(count, int)
    groups = _completed(_joined(near, boxes, size, bridges), boxes, main) + [[k] for k in apart]
    found = []
    for group in groups:
        mask = of_pieces(labels, count, np.array(group) + 1)
        subject = _subject(mask, float(mass[group].sum() / mass[enough].sum()))
        score = float(mass[group].sum()) * _place(slices_of(subject.box), ink.shape, int(area[group].sum()))
        alike = len(group) >= MANY and mass[group].max() < 0.4 * mass[group].sum()
        found.append((score * (0.1 if alike else 1), subject))
    found.sort(key=lambda pair: -pair[0])
    best, first = found[0][0], found[0][1]
    return [one for score, one in found if one.longest >= 0.3 * first.longest and score > 0.04 * best]


def _place(box: Slices, shape: tuple[int, ...], area: int) -> float:
    """Return how likely a subject is there and so formed: near the middle, not at the edge, no hairline, no block."""
    rows, columns = box
    middle = ((rows.start + rows.stop) / 2 / shape[0] - 0.5, (columns.start + columns.stop) / 2 / shape[1] - 0.5)
    score = float(np.exp(-(middle[0] ** 2 + middle[1] ** 2) / 0.15))
    height, width = sides(box)
    hairline = max(height, width) > 14 * min(height, width)
    touched = reached(box, shape)
    block = touched and area > 0.75 * height * width and max(height, width) < 4 * min(height, width)
    return score * (1, 0.2, 0.05, 0.01, 0.01)[touched] * (0.1 if hairline else 1) * (0.02 if block else 1)


def _framed(labels: np.ndarray, boxes: list[Slices], numbers: list[int]) -> set[int]:
    """Return the pieces that a frame is drawn around, which does not touch them; most pictures have none."""
    found: set[int] = set()
    frames: set[int] = set()
    for number in numbers[:FRAMES]:
        frame, size = boxes[number], max(sides(boxes[number]))
        within = [one for one in numbers if one != number and is_within(boxes[one], frame, MARGIN * size)]
        if any(
            max(sides(boxes[one])) > AROUND * size and not (labels[boxes[one]] == number + 1).any() for one in within
        ):
            found |= set(within)
            frames.add(number)  # perhaps within another one
    return found - frames


def _is_apart(labels: np.ndarray, number: int, boxes: list[Slices], main: int, size: int) -> bool:
    """Tell whether a piece is of a table or an edge of the paper: it enters the picture, or is straight and longer."""
    box = boxes[number]
    if reached(box, labels.shape):
        return not reached(boxes[main], labels.shape)
    if max(sides(box)) < size:
        return False
    places = np.argwhere(labels[box] == number + 1)
    if len(places) < 3:
        return False
    across, along = np.linalg.eigvalsh(np.cov(places.T))
    return bool(across < STRAIGHT**2 * along)


def _bridged(ink: np.ndarray, strokes: np.ndarray, labels: np.ndarray, count: int, noise: float) -> np.ndarray:
    """Return a number for every piece, the same for those that ink which is too faint for a stroke joins."""
    peak = float(np.quantile(ink[strokes], 0.8))
    joined, _ = label_pieces(strokes | (ink > max(FADED * peak, 3.5 * noise)))
    drawn = np.flatnonzero(labels)
    numbers = np.zeros(count + 1, int)
    numbers[labels.ravel()[drawn]] = joined.ravel()[drawn]
    return numbers[1:]


def _joined(numbers: list[int], boxes: list[Slices], size: int, bridges: np.ndarray) -> list[list[int]]:
    """Group strokes by the gaps between their boxes; those with the same number in `bridges` may be farther apart."""

    def together(one: int, other: int) -> bool:
        if _belongs(boxes[one], boxes[other], size):
            return True
        return bool(bridges[one] == bridges[other]) and gap(boxes[one], boxes[other]) < FADING * size

    groups: list[list[int]] = []
    for number in numbers:  # by mass: large ones first
        near = [group for group in groups if any(together(number, other) for other in group)]
        merged = [number] + [one for group in near for one in group]
        groups = [group for group in groups if group not in near] + [merged]
    return groups


def _completed(groups: list[list[int]], boxes: list[Slices], main: int) -> list[list[int]]:
    """Join the main stroke's group, as long as it is flat like a part of a three, with what is close above or below."""
    (whole,), others = [one for one in groups if main in one], [one for one in groups if main not in one]
    while True:
        box = around([boxes[k] for k in whole])
        height, width = sides(box)
        if width <= height:
            break
        gaps = []
        for number, other in enumerate(others):
            beyond = around([boxes[k] for k in other])
            if overlap(box[1], beyond[1]) >= 0.5 * min(width, sides(beyond)[1]):
                gaps.append((gap(box, beyond), number))
        if not gaps or min(gaps)[0] > ABOVE * width:
            break
        whole = whole + others.pop(min(gaps)[1])
    return [whole, *others]


def _belongs(one: Slices, other: Slices, size: int) -> bool:
    between = gap(one, other)
    small = min(max(sides(one)), max(sides(other)))
    # Side by side and both tall: two digits, unless one reaches over the other (the halves of a four, a broken zero).
    beside = overlap(one[1], other[1]) < 0.15 * min(sides(one)[1], sides(other)[1])
    tall = min(sides(one)[0], sides(other)[0]) > 0.5 * size
    if tall and beside:
        return between < 0.02 * size
    # One above the other, such as the halves of an eight whose middle is faint.
    return between < (0.15 if small < 0.5 * size or not beside else 0.1) * size


def _subject(mask: np.ndarray, strength: float) -> Subject:
    return Subject(box_of(mask), mask, strength)


def own_ink(ink: np.ndarray, subject: Subject) -> np.ndarray:
    """Return the ink of one subject, with the soft edges of its strokes, without anybody else's."""
    here = extended(slices_of(subject.box), SOFT)
    own = np.zeros_like(ink)
    own[here] = np.where(ndimage.binary_dilation(subject.mask[here], iterations=SOFT), ink[here], 0)
    return own


def even_ink(own: np.ndarray, subject: Subject) -> np.ndarray:
    """Return the ink of one subject as if the pen had not faded: beside the darkest of the stroke at each place.

    Args:
        own: its ink (see `own_ink`).
        subject: where it is.
    """
    peak = float(np.quantile(own[subject.mask], 0.8))
    here = extended(slices_of(subject.box), SOFT)
    part, mask = own[here], subject.mask[here]
    reach = max(SOFT, round(stroke_width(mask) / 2))
    darkest = ndimage.maximum_filter(np.where(mask, part, 0), 2 * reach + 1)
    even = np.zeros_like(own)
    even[here] = part * np.clip(peak / np.maximum(ndimage.gaussian_filter(darkest, 1), 1e-6), 1, 1 / PALEST)
    return even


def local_threshold(ink: np.ndarray, subject: Subject) -> float:
    """Return the darkness that separates this subject's strokes from the paper around them."""
    part = ink[slices_of(subject.box)]
    return max(otsu(part), 0.25 * float(np.quantile(part, 0.98)))
