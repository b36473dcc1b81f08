"""A photo becomes a network input: grayscale, light on dark, cropped to its subject, centred, at the data's size."""

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

from glassnet.errors import PhotoError
from glassnet.types import Image, Images

MOST_PIXELS = 200_000_000
"""Larger pictures are refused before they are decoded."""


def read_photo(path: str | Path, image_shape: tuple[int, ...], subject_size: int) -> Image:
    """Read a picture file and bring it into the form of the training images.

    Args:
        path: any format that Pillow reads.
        image_shape: (height, width) of the network's input, and 3 for colour.
        subject_size: the longest side of the subject in the training images, in pixels (see `subject_size`).

    Returns:
        `uint8` of the given shape.

    Raises:
        PhotoError: the file is missing, empty, a folder, no picture, damaged or absurdly large.
    """
    path = Path(path)
    picture = _decoded(path, gray=len(image_shape) == 2)
    if len(image_shape) == 3:
        return np.asarray(picture.resize((image_shape[1], image_shape[0]), Picture.Resampling.LANCZOS))
    pixels = np.asarray(picture)
    if pixels.shape == tuple(image_shape) and _border(pixels) < 64:
        return pixels  # already as the training images are: their size, light on dark
    return _framed(_light_on_dark(pixels), image_shape, subject_size)


def subject_size(images: Images) -> int:
    """Return the median longest side of what is not background in the images, in pixels.

    Measured on at most 1,000 of them, spread over the set.
    """
    sample = images[:: max(1, len(images) // 1000)]
    flat = sample if sample.ndim == 3 else sample.max(-1)
    inked: np.ndarray = flat > 64
    rows, columns = np.max(inked, axis=2), np.max(inked, axis=1)
    return int(np.median(np.maximum(_extents(rows), _extents(columns))))


def _extents(inked: np.ndarray) -> np.ndarray:
    """Return, for each row of `(n, length)`, the distance from the first to the last that is inked; length if none."""
    length = inked.shape[1]
    return np.where(inked.any(axis=1), length - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1), length)


def _decoded(path: Path, *, gray: bool) -> Picture.Image:
    """Read the first frame of a picture, upright, on white, as grayscale or RGB."""
    if path.is_dir():
        raise PhotoError(f"{path} is a folder; name a picture file")
    if not path.exists():
        raise PhotoError(f"there is no picture {path}; check the name")
    try:
        if not path.stat().st_size:
            raise PhotoError(f"the picture {path} is empty (0 bytes); save it again")
        with Picture.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PhotoError(
                    f"the picture {path} has {picture.width} × {picture.height} pixels, more than "
                    f"{MOST_PIXELS:,}; make it smaller"
                )
            picture.draft("L" if gray else "RGB", (512, 512))
            upright = ImageOps.exif_transpose(picture)
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError) as error:
        if isinstance(error, PhotoError):
            raise
        reason = "permission denied" if isinstance(error, PermissionError) else "it is no picture, or is damaged"
        raise PhotoError(f"cannot read the picture {path}: {reason}; pass a PNG, JPEG, WebP, GIF, …") from error
    upright.thumbnail((512, 512))
    if upright.mode.startswith(("I", "F")):  # 16-bit and float pixels: Pillow's own conversion would clip them
        values = np.asarray(upright, np.float64)
        values = (values - values.min()) / (np.ptp(values) or 1) * 255
        upright = Picture.fromarray(values.astype(np.uint8))
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        upright = Picture.alpha_composite(Picture.new("RGBA", layer.size, "white"), layer)
    return upright.convert("L" if gray else "RGB")


def _border(pixels: np.ndarray) -> float:
    """Return the median brightness of the outermost pixels: the background."""
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _light_on_dark(pixels: np.ndarray) -> np.ndarray:
    """Return |brightness - background|, stretched to 0-255: the subject is light whichever way the photo was."""
    away = np.abs(pixels.astype(np.float32) - _border(pixels))
    return away * (255 / max(float(away.max()), 1.0))


def _framed(light: np.ndarray, image_shape: tuple[int, ...], subject_size: int) -> Image:
    """Crop to the subject, scale its longest side to `subject_size`, put its centre of mass in the middle."""
    height, width = image_shape[:2]
    inked = light > 96
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    if not len(rows):
        return np.zeros((height, width), np.uint8)
    crop = Picture.fromarray(light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.uint8))
    factor = subject_size / max(crop.size)
    size = max(1, round(crop.width * factor)), max(1, round(crop.height * factor))
    small = np.asarray(crop.resize(size, Picture.Resampling.LANCZOS), np.float32)
    mass = small.sum() or 1.0
    centre = (small.sum(1) @ np.arange(size[1])) / mass, (small.sum(0) @ np.arange(size[0])) / mass
    top = int(np.clip(round((height - 1) / 2 - centre[0]), 0, max(0, height - size[1])))
    left = int(np.clip(round((width - 1) / 2 - centre[1]), 0, max(0, width - size[0])))
    image = np.zeros((height, width), np.uint8)
    image[top : top + size[1], left : left + size[0]] = small[:height, :width].clip(0, 255)
    return image
