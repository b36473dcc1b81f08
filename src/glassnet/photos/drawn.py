"""A photographed drawing, such as a digit on paper, becomes strokes like those of the training images."""

from dataclasses import dataclass, field, replace

import numpy as np

from glassnet.photos import doubts, framing, light, lines, sheets, strokes
from glassnet.photos.boxes import box_of
from glassnet.photos.facts import DataFacts
from glassnet.photos.opening import Photo
from glassnet.photos.pieces import count_pieces
from glassnet.photos.steps import Box, Development, Step, to_bytes
from glassnet.photos.subjects import (
    Subject,
    as_one,
    darkest_piece,
    even_ink,
    find_subjects,
    local_threshold,
    own_ink,
    without_rims,
    without_shadows,
)
from glassnet.photos.ways import USUAL, Way
from glassnet.types import Image

GRAYS = 40
"""Subjects of at most so many pixels keep their grays: of strokes that are hardly wider than a pixel, they tell more
than the edge. Larger ones are drawn anew, as thick as those of the training images."""

DARKENED, NOTABLE = 1.3, 0.02
"""How much darker faded strokes are made at least, and from which share of a drawing on the step says so."""

PLAIN = 0.09
"""Ink that is no darker than this beside its paper (9 %) is taken for a stain."""

FULL, FULL_TIGHT = 0.6, 0.9
"""What strokes cannot cover of a photo, and of a small picture that is cropped tightly."""


@dataclass(frozen=True, eq=False)
class Ink:
    """What was drawn, apart from light and paper.

    Args:
        ink: `(height, width)`, 0 (paper) to 1 (darkest).
        mask: where strokes are.
        subjects: the things that were drawn, the most prominent first.
        steps: how it came about; none if nobody watches.
        warnings: what makes it doubtful.
        blank: whether nothing stands out from the ground.
    """

    ink: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    subjects: list[Subject]
    steps: list[Step]
    warnings: list[str]
    blank: bool


def develop_drawing(photo: Photo, shape: tuple[int, ...], facts: DataFacts, way: Way, *, watched: bool) -> Development:
    """Take a photo of one drawing all the way.

    Args:
        photo: as it was opened.
        shape: of the network's input.
        facts: of the training images.
        way: what is left out, or done otherwise than usual.
        watched: whether to keep the steps.
    """
    found = find_ink(photo, shape, facts, way, watched=watched)
    if not found.subjects:
        empty = np.full(shape, facts.background, np.uint8)
        return Development(empty, tuple(found.steps), (*photo.warnings, *found.warnings), blank=True)
    if len(found.subjects) > 1:
        several = f"{len(found.subjects)} subjects are in it; the most prominent one is read (--many reads all)"
        found = replace(found, warnings=[*found.warnings, several])
    return develop_subject(found, found.subjects[0], photo, shape, facts, way.without)


def develop_subject(
    found: Ink,
    subject: Subject,
    photo: Photo,
    shape: tuple[int, ...],
    facts: DataFacts,
    without: frozenset[str] = USUAL.without,
) -> Development:
    """Take one of the drawings in a photo the rest of the way."""
    image, steps, box = _frame(found, subject, shape, facts, without)
    size = doubts.of_size(subject.longest, photo.pixels.shape, photo.size, facts)
    warnings = (*photo.warnings, *found.warnings, *size)
    return Development(image, (*found.steps, *steps), warnings, box, found.blank)


@dataclass(frozen=True, eq=False)
class _Trail:
    """The steps so far, as pictures like the training images: light on dark, or dark on light."""

    shape: tuple[int, ...]
    dark_ground: bool
    watched: bool
    steps: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def show(self, name: str, title: str, about: str, picture: np.ndarray) -> None:
        if self.watched:
            self.steps.append(Step(name, title, about, to_bytes(picture), self.shape))

    def show_dark(self, name: str, title: str, about: str, dark: np.ndarray) -> None:
        """Show a picture that is dark on light."""
        self.show(name, title, about, 255 - dark if self.dark_ground else dark)

    def show_ink(self, name: str, title: str, about: str, ink: np.ndarray) -> None:
        if self.watched:
            self.show_dark(name, title, about, 255 - 255 * np.clip(ink / max(float(ink.max()), 1e-6), 0, 1))


def find_ink(photo: Photo, shape: tuple[int, ...], facts: DataFacts, way: Way, *, watched: bool) -> Ink:
    """Separate what was drawn from light, paper, lines and specks."""
    without = way.without
    trail = _Trail(shape, facts.background < 128, watched)
    trail.show("upright", "the photo", photo.about, photo.pixels)
    gray = _alone(photo, _to_gray(photo, trail, without), trail, without)
    dark, dark_on_light = _to_dark_on_light(gray, trail, way)
    ink = _without_light(dark, trail, way)
    if "lines" not in without:
        ink, count = lines.remove_lines(ink)
        trail.show_ink("lines", "no printed lines", f"{count} straight lines through the picture taken out", ink)

    noise = strokes.noise_of(ink)
    mask = ink > 0.5 * ink.max() if "separate" in without else strokes.find_strokes(ink, noise)
    tight = max(ink.shape) <= light.SMALL
    if "specks" in without:
        subjects = as_one(mask)
    elif tight:
        subjects = as_one(without_rims(ink, mask))
    elif "separate" in without:
        subjects = find_subjects(ink, mask, noise)
    else:
        ink, mask, subjects = without_shadows(ink, mask, noise)
    if way.darkest:
        subjects = [darkest_piece(ink, one, way.darkest) for one in subjects[:1]]
    peak = float(np.quantile(ink[mask], 0.8)) if mask.any() else 0.0
    if not dark_on_light:  # chalk reflects, so that its share of the black around it means little: count in brightness
        peak = peak * float(dark.max()) / 255
    full = bool(mask.mean() > (FULL_TIGHT if tight else FULL))
    blank = bool(not mask.any() or peak < max(PLAIN, 7 * noise) or full)
    if blank:
        trail.warnings.append(doubts.BLANK)
    if "separate" not in without:
        about = f"strokes are what is at least {100 * _least(ink, mask):.0f} % darker than the ground"
        trail.show_ink("separate", "strokes only", about, ink * mask)
    if full:
        subjects = []
    if watched and subjects and "specks" not in without:
        chosen = subjects[0].mask
        rest = count_pieces(mask & ~chosen)
        trail.show_ink("specks", "one subject", f"{rest} specks, edges and other things left out", ink * chosen)
    return Ink(ink, mask, subjects, trail.steps, trail.warnings, blank)


def _to_gray(photo: Photo, trail: _Trail, without: frozenset[str]) -> np.ndarray:
    colour = photo.pixels.astype(np.float32)
    weights = np.array(light.LUMINANCE) if "gray" in without else light.contrast_weights(colour)
    gray = colour @ weights.astype(np.float32)
    if "gray" not in without:
        red, green, blue = (f"{100 * share:.0f} %" for share in weights)
        about = f"{red} of red, {green} of green and {blue} of blue"
        trail.show("gray", "gray that carries the contrast", about, gray)
    trail.warnings.extend(doubts.of_light(gray))
    return gray


def _alone(photo: Photo, gray: np.ndarray, trail: _Trail, without: frozenset[str]) -> np.ndarray:
    """Return the picture without what lies beyond the edges of the sheet."""
    surface = sheets.find_sheet(photo.pixels, gray) if "sheet" not in without else None
    if surface is None:
        return gray
    gray = sheets.alone(gray, surface)
    trail.show("sheet", "the sheet alone", _covers(surface), gray)
    return gray


def _to_dark_on_light(gray: np.ndarray, trail: _Trail, way: Way) -> tuple[np.ndarray, bool]:
    """Return the picture dark on light, and whether it was taken so."""
    if "polarity" in way.without:  # as if it were drawn as the training images are
        return (255 - gray if trail.dark_ground else gray), not trail.dark_ground
    dark_on_light = light.is_dark_on_light(gray) != way.turned
    seeming, surface = gray if dark_on_light else 255 - gray, None
    if "sheet" not in way.without and not way.turned and max(gray.shape) > light.SMALL:
        surface = sheets.find_surface(seeming, light_drawing=not dark_on_light)
    dark = seeming
    if surface is not None:
        dark, dark_on_light = 255 - seeming, not dark_on_light
    kinds = ("dark on light", "light on dark")
    turned = "turned" if dark_on_light == trail.dark_ground else "left"
    about = f"drawn {kinds[not dark_on_light]}, and the training images are {kinds[trail.dark_ground]}: {turned}"
    trail.show_dark("polarity", "as the training data", about, dark)
    if surface is not None and surface.outline is not None:
        dark = 255 - sheets.alone(seeming, surface)
        trail.show_dark("sheet", "the sheet alone", _covers(surface), dark)
    return dark, dark_on_light


def _covers(surface: sheets.Surface) -> str:
    return f"a sheet covers {100 * surface.share:.0f} % of the picture; what lies around it is left out"


def _without_light(dark: np.ndarray, trail: _Trail, way: Way) -> np.ndarray:
    if "flatten" in way.without:
        return np.clip(1 - dark / max(float(np.quantile(dark, 0.9)), 1), 0, 1)
    ink = light.flatten(dark, nearby=way.nearby)
    low, high = np.quantile(dark[::4, ::4], (0.25, 0.9))
    about = f"each pixel beside the ground around it, whose brightness runs from {low:.0f} to {high:.0f}"
    trail.show_ink("flatten", "even light", about, ink)
    return ink


def _least(ink: np.ndarray, mask: np.ndarray) -> float:
    return float(ink[mask].min()) if mask.any() else 1.0


def _frame(
    found: Ink, subject: Subject, shape: tuple[int, ...], facts: DataFacts, without: frozenset[str]
) -> tuple[Image, list[Step], Box]:
    """Crop, bring to thickness and size, and centre."""
    height, width = found.ink.shape
    anew = subject.longest > GRAYS
    pale = own_ink(found.ink, subject)
    own = even_ink(pale, subject) if anew else pale
    threshold = local_threshold(own, subject)
    first, last, left, right = box_of(own >= threshold) if anew else subject.box  # without soft edges
    steps: list[Step] = []

    def placed(drawing: np.ndarray, *, centred: bool) -> Image:
        image = framing.place(drawing, shape, facts, centred=centred)
        return image if facts.background < 128 else 255 - image

    def show(name: str, title: str, about: str, image: Image) -> None:
        steps.append(Step(name, title, about, image, shape, image))

    size = float(facts.subject_size)
    if "crop" in without:
        side = max(height, width)
        part, size = np.zeros((side, side)), float(shape[0])
        part[(side - height) // 2 :, (side - width) // 2 :][:height, :width] = own
    else:
        part = own[first:last, left:right]
    low, middle, high = facts.thickness
    about = f"{last - first} × {right - left} pixels; the longest side becomes {size:.0f}, as in the training data"
    wanted = None if "thickness" in without else ((low + middle) / 2, (middle + high) / 2)
    thicker = ""
    if not anew:
        plain = drawing = framing.scale_grays(part, threshold, size, middle)
        about += "; so small a drawing keeps its grays"
    else:
        if found.steps and (own >= DARKENED * pale)[subject.mask & (own >= threshold)].mean() > NOTABLE:
            about += "; where the pen faded, its strokes are made as dark as elsewhere"
        redrawn = framing.draw_strokes(part, threshold, size, wanted)
        plain, drawing = redrawn.plain, redrawn.drawing
        if wanted:
            thicker = (
                f"strokes of {redrawn.before:.1f} pixels become {redrawn.after:.1f}; "
                f"in the training data most have {low:.1f} to {high:.1f}"
            )
    image = placed(drawing, centred="centre" not in without)
    if found.steps:  # somebody watches
        if "crop" not in without:
            show("crop", "cropped and scaled", about, placed(plain, centred=False))
        if thicker:
            show("thickness", "strokes as thick", thicker, placed(drawing, centred=False))
        if "centre" not in without or not steps:
            what = "centre of mass" if facts.centring == "mass" else "middle"
            about = f"{what} at row {facts.centre[0]:.1f}, column {facts.centre[1]:.1f}, as in the training data"
            show("centre", "centred", about, image)
    return image, steps, (first / height, last / height, left / width, right / width)
