"""A photo is opened: decoded, upright, small enough to work on, with what its file says about it."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

from glassnet.datasets.decoding import decode
from glassnet.errors import InputError
from glassnet.photos.steps import is_colour

PhotoSource = str | Path | bytes | Picture.Image | np.ndarray
"""A picture file, its bytes, a Pillow picture, or an array `uint8 (height, width[, 3])`."""

NEAR, WORKED = 360, 420
"""Pixels of the shortest side that decoding may reduce to, and of the longest side that photos are worked on."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo that has been opened.

    Args:
        pixels: `uint8 (height, width, 3)`, upright, small enough for what it was opened for.
        size: (width, height) of the file, upright.
        about: what was done to it, in words.
        warnings: what the file has that is not looked at.
    """

    pixels: np.ndarray = field(repr=False)
    size: tuple[int, int]
    about: str
    warnings: tuple[str, ...] = ()


def open_photo(photo: PhotoSource, shape: tuple[int, ...] | None = None) -> Photo:
    """Open a photo, upright, on white where it is transparent.

    Args:
        photo: a picture file, its bytes, a Pillow picture, or an array `uint8 (height, width[, 3])`.
        shape: of the images that it will be fitted into as a whole; then it is decoded as training images are. If None,
            it is no larger than it is worked on.

    Raises:
        PhotoError: no picture, or a damaged one.
        InputError: an array of another kind.
    """
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[2] != 3):
            raise InputError(
                f"the photo is {photo.dtype} {photo.shape}; pass uint8 (height, width) or (height, width, 3)"
            )
        if not photo.size:
            raise InputError(f"the photo has no pixels, its shape is {photo.shape}; pass one that has some")
        photo = Picture.fromarray(photo)
    if isinstance(photo, Picture.Image):
        upright = ImageOps.exif_transpose(photo)
        return _photo(_on_ground(upright), upright.size, (), worked=shape is None)
    source = Path(photo) if isinstance(photo, str) else photo
    height, width = (NEAR, NEAR) if shape is None else shape[:2]
    picture = decode(source, mode="RGB" if shape is None or is_colour(shape) else "L", near=(width, height))
    size, clear, frames = _header(source, picture.size)
    if clear and _is_plain(picture):  # white on transparent: nothing to be seen on white
        with Picture.open(io.BytesIO(source) if isinstance(source, bytes) else source) as again:
            picture = _on_ground(ImageOps.exif_transpose(again))
    warnings = (f"it is animated; of its {frames} frames only the first is read",) if frames > 1 else ()
    return _photo(picture, size, warnings, worked=shape is None)


def _photo(picture: Picture.Image, size: tuple[int, int], warnings: tuple[str, ...], *, worked: bool) -> Photo:
    if worked and max(picture.size) > WORKED:
        picture = picture.copy()
        picture.thumbnail((WORKED, WORKED), Picture.Resampling.BOX, reducing_gap=None)
    about = f"{size[0]} × {size[1]} pixels, turned upright"
    if picture.size != size:
        about += f", worked on at {picture.width} × {picture.height}"
    return Photo(np.asarray(picture.convert("RGB")), size, about, warnings)


def _header(source: Path | bytes, decoded: tuple[int, int]) -> tuple[tuple[int, int], bool, int]:
    """Return the size upright, whether parts are transparent, and the number of frames of an animation."""
    with Picture.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
        size = picture.size
        turned = (decoded[0] > decoded[1]) != (size[0] > size[1]) and size[0] != size[1]
        clear = picture.has_transparency_data
        try:
            frames = getattr(picture, "n_frames", 1) if picture.format in ("GIF", "PNG", "WEBP") else 1
        except Exception:  # the first frame is whole; what Pillow raises for a later one that is not is not documented
            frames = 1
        return ((size[1], size[0]) if turned else size), clear, frames


def _on_ground(picture: Picture.Image) -> Picture.Image:
    """Put transparent parts on white, or on black where nothing is to be seen on white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    results = [
        Picture.alpha_composite(Picture.new("RGBA", layer.size, c), layer).convert("RGB") for c in ("white", "black")
    ]
    return results[1] if _is_plain(results[0]) and not _is_plain(results[1]) else results[0]


def _is_plain(picture: Picture.Image) -> bool:
    return all(high - low < 24 for low, high in np.reshape(picture.convert("RGB").getextrema(), (3, 2)))
