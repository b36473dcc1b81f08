"""From a photo to the network's input; what has to be done follows from the images that the network was trained on."""

from collections.abc import Collection, Iterator

import numpy as np
from PIL import Image as Picture

from glassnet.datasets.preparation import Fit, fitted
from glassnet.errors import UnknownNameError
from glassnet.photos.cutout import develop_item
from glassnet.photos.drawn import develop_drawing
from glassnet.photos.facts import DataFacts, assumed_facts, measure_subject
from glassnet.photos.light import SMALL
from glassnet.photos.opening import Photo, PhotoSource, open_photo
from glassnet.photos.steps import STEPS, Development, Step, is_colour
from glassnet.photos.ways import OTHERS, Way
from glassnet.types import Image

FITTED: dict[Fit, str] = {
    "letterbox": ", filled up with the brightness of its border",
    "crop": ", of which its middle fills all",
    "stretch": "",
}
"""How a whole picture becomes one of another shape, in words."""


def develop(
    photo: PhotoSource,
    image_shape: tuple[int, ...],
    facts: DataFacts,
    *,
    without: Collection[str] = (),
    watched: bool = True,
) -> Development:
    """Bring a photo into the form of the training images.

    Args:
        photo: a picture file, its bytes, a Pillow picture, or an array `uint8 (height, width[, 3])`.
        image_shape: (height, width) of the network's input, and 3 for colour.
        facts: of the images that the network was trained on (see `data_facts`).
        without: names of steps that are left out, to see what they are good for.
        watched: keep the steps with their pictures; False saves their time and memory where only the input is wanted.

    Returns:
        The network's input, and how it came about.

    Raises:
        PhotoError: no picture, or a damaged one.
        UnknownNameError: a step that does not exist.

    Example:
        >>> import glassnet
        >>> import numpy as np
        >>> from glassnet.photos import data_facts
        >>> facts = data_facts(glassnet.load("mnist").train.images)
        >>> page = np.full((300, 400), 220, np.uint8)
        >>> page[60:240, 190:210] = 40
        >>> development = develop(page, (28, 28), facts)
        >>> development.image.shape, development.warnings
        ((28, 28), ())
    """
    for name in without:
        if name not in STEPS:
            raise UnknownNameError("step", name, STEPS)
    if facts.kind == "scenes" or len(image_shape) == 3:
        return _fitted(photo, image_shape, facts.fit, watched=watched)
    opened = open_photo(photo)
    left = frozenset(without)
    fitting = None if left else _fitting(opened.pixels, image_shape, facts)
    if fitting is not None:
        return _unchanged(opened, fitting, watched=watched)
    if facts.kind == "items":
        return develop_item(opened, image_shape, facts, left, watched=watched)
    return develop_drawing(opened, image_shape, facts, Way(without=left), watched=watched)


def develop_otherwise(
    photo: PhotoSource,
    image_shape: tuple[int, ...],
    facts: DataFacts,
    *,
    watched: bool = True,
) -> Iterator[tuple[Way, Development]]:
    """Develop a photo in the ways that are not usual, for one whose usual development is no likely image.

    Args:
        photo: see `develop`.
        image_shape: see `develop`.
        facts: see `develop`; there are such ways for drawings only.
        watched: see `develop`.

    Yields:
        Each way with what it makes of the photo, where it finds something; none for small pictures, which were cut out
        and drawn by somebody.
    """
    if facts.kind != "drawings" or len(image_shape) == 3:
        return
    opened = open_photo(photo)
    if max(opened.pixels.shape[:2]) <= SMALL:
        return
    for way in OTHERS:
        found = develop_drawing(opened, image_shape, facts, way, watched=watched)
        if not found.blank:
            yield way, found


def read_photo(photo: PhotoSource, image_shape: tuple[int, ...], facts: DataFacts | int) -> Image:
    """Return the network's input for a photo: the short form of `develop`.

    Args:
        photo: see `develop`.
        image_shape: see `develop`.
        facts: see `develop`; the longest side of the subject alone, in pixels, where no more is known.
    """
    known = assumed_facts(image_shape, facts) if isinstance(facts, int) else facts
    return develop(photo, image_shape, known, watched=False).image


def _fitted(photo: PhotoSource, shape: tuple[int, ...], fit: Fit, *, watched: bool) -> Development:
    """Turn upright and resize as the training images were: they are whole pictures, and so is this."""
    opened = open_photo(photo, shape)
    picture = fitted(Picture.fromarray(opened.pixels), shape if is_colour(shape) else shape[:2], fit)
    image = picture.reshape(shape)
    if not watched:
        return Development(image, (), opened.warnings)
    shown = open_photo(photo)  # what a small network takes is too small to be looked at
    steps = (
        Step("upright", "the photo", opened.about, shown.pixels, shape, image),
        Step(
            "resize",
            "resized",
            f"to {shape[1]} × {shape[0]} pixels{FITTED[fit]}; the training images are whole pictures",
            picture,
            shape,
            image,
        ),
    )
    return Development(image, steps, opened.warnings)


def _unchanged(photo: Photo, image: Image, *, watched: bool) -> Development:
    same = np.array_equal(photo.pixels[..., 0], image)
    about = "its size, place and stroke are those of the training images: " + (
        "left as it is" if same else "turned only"
    )
    steps = (
        Step("upright", "the photo", photo.about, photo.pixels, image.shape),
        Step("fits", "fits already", about, image, image.shape, image),
    )
    return Development(image, steps if watched else (), photo.warnings)


def _fitting(pixels: np.ndarray, shape: tuple[int, ...], facts: DataFacts) -> Image | None:
    """Return the picture if it is in the training images' own form, light and dark exchanged if need be; else None."""
    if pixels.shape[:2] != tuple(shape[:2]) or np.ptp(pixels.astype(np.int16), axis=2).max() > 8:
        return None
    gray = np.ascontiguousarray(pixels[..., 0])
    for image in (gray, 255 - gray):
        away = np.abs(image.astype(np.int16) - facts.background).astype(np.uint8)
        frame = np.concatenate([away[0], away[-1], away[1:-1, 0], away[1:-1, -1]])
        if np.quantile(frame, 0.5) > 20 or (away[[0, 0, -1, -1], [0, -1, 0, -1]] > 40).sum() > 1:
            continue
        if facts.kind == "items":
            return image
        longest, centre = measure_subject(away, facts.centring)
        off = np.abs(np.array(centre) - facts.centre).max()
        if abs(longest - facts.subject_size) <= 2 and off <= 1.5:
            return image
    return None
