"""A photographed thing, such as a shirt on a bed, is cut out and becomes like the training images."""

import numpy as np
from scipy import ndimage

from glassnet.photos import doubts, items
from glassnet.photos.boxes import box_of, sides, slices_of
from glassnet.photos.facts import DataFacts
from glassnet.photos.light import LUMINANCE
from glassnet.photos.opening import Photo
from glassnet.photos.pieces import areas_of_pieces, label_pieces
from glassnet.photos.steps import Box, Development, Step, resize, to_bytes

SECOND = 0.3
"""A thing with a smaller share of the largest one's area is a part of it, or nothing."""

PLAIN = 12
"""A picture whose brightness, averaged over places, differs by less has nothing in it."""


def develop_item(
    photo: Photo, shape: tuple[int, ...], facts: DataFacts, without: frozenset[str], *, watched: bool
) -> Development:
    """Take a photo of one thing all the way.

    Args:
        photo: as it was opened.
        shape: of the network's input.
        facts: of the training images.
        without: names of steps that are left out.
        watched: whether to keep the steps.
    """
    steps: list[Step] = []
    warnings = list(photo.warnings)
    dark_ground = facts.background < 128

    def show(name: str, title: str, about: str, picture: np.ndarray, seen: np.ndarray | None = None) -> None:
        if watched:
            steps.append(Step(name, title, about, to_bytes(picture), shape, seen))

    colour = photo.pixels
    show("upright", "the photo", photo.about, colour)
    gray = colour.astype(np.float32) @ np.array(LUMINANCE, np.float32)
    warnings += doubts.of_light(gray)
    show("gray", "gray", "brightness as the eye weighs red, green and blue", gray)
    turned = "polarity" not in without and dark_ground and not _lies_on_black(gray)
    if "polarity" not in without and dark_ground:
        about = "things lie on black there, " + ("so light and dark change places" if turned else "and here: left")
        show("polarity", "as the training data", about, 255 - gray if turned else gray)

    mask = None if "separate" in without else items.find_item(colour)
    whole = np.ones(gray.shape, bool)
    if mask is None and _is_blank(gray):
        warnings.append(doubts.BLANK)
        return Development(np.full(shape, facts.background, np.uint8), tuple(steps), tuple(warnings), blank=True)
    blank = mask is None and "separate" not in without
    if blank:
        warnings.append("nothing stands out from its surroundings; all of it is read")
    cut = whole if mask is None else mask
    away = gray if dark_ground and not turned else 255 - gray  # from the ground, as far as the training images go
    shown = np.where(cut, away, 0)
    if mask is not None:
        warnings += _doubts(mask, photo, facts)
        about = f"{100 * mask.mean():.0f} % of the picture is unlike its frame, and not reached from it without an edge"
        show("separate", "cut out", about, shown if dark_ground else 255 - shown)
    if "brightness" not in without:
        shown = items.brighten(away, cut, facts)
        half, wanted = float(np.median(away[cut])), float(np.median(shown[cut]))
        about = (
            f"a middle brightness of {half:.0f} becomes {wanted:.0f}; in the training data it is {facts.brightness[2]}"
        )
        show("brightness", "as bright", about, shown if dark_ground else 255 - shown)
    image = resize(to_bytes(shown), shape) if "crop" in without else items.frame_item(shown, cut, shape, facts)
    image = image if dark_ground else 255 - image
    if "crop" not in without:
        show("crop", "filling the frame", f"the longest side becomes {facts.subject_size} pixels", image, image)
    return Development(image, tuple(steps), tuple(warnings), None if mask is None else _box(mask), blank)


def _doubts(mask: np.ndarray, photo: Photo, facts: DataFacts) -> list[str]:
    """Return warnings about what was cut out: too small, or more than one thing."""
    longest = max(sides(slices_of(box_of(mask))))
    warnings = doubts.of_size(longest, mask.shape, photo.size, facts)
    labels, count = label_pieces(mask[::2, ::2])
    areas = areas_of_pieces(labels, count)
    things = int((areas > SECOND * areas.max(initial=0)).sum())
    if things > 1:
        warnings.append(f"{things} things are in it, and are read as one; leave one alone unless they are a pair")
    return warnings


def _lies_on_black(gray: np.ndarray) -> bool:
    """Tell whether the frame is as black as no photo is, so that the picture was made as the training images were."""
    frame = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return bool(np.quantile(frame, 0.75) < 4 and np.quantile(gray, 0.98) > 60)


def _is_blank(gray: np.ndarray) -> bool:
    """Tell whether a picture shows one brightness everywhere, but for its noise."""
    low, high = np.quantile(ndimage.uniform_filter(gray[::2, ::2], 5), (0.01, 0.99))
    return bool(high - low < PLAIN)


def _box(mask: np.ndarray) -> Box:
    height, width = mask.shape
    top, bottom, left, right = box_of(mask)
    return top / height, bottom / height, left / width, right / width
