"""A picture file becomes pixels: its first frame, upright, on white, 8 bits deep, as grayscale or RGB.

The one decoder for photos and for whole data sets. It takes every format that Pillow reads except those that would run
another program (EPS), and HEIF, in which iPhones write. It looks at the size before it decodes, and answers everything
that is wrong with one line.
"""

import io
import threading
import warnings
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps, UnidentifiedImageError

from glassnet.errors import PhotoError
from glassnet.paths import exists, is_folder
from glassnet.types import Image

MOST_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded (JPEGs after the reduction that their format offers)."""

COMMON_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "WEBP", "TIFF")
REFUSED_FORMATS = {"EPS", "WMF", "MPEG", "HDF5", "GRIB", "BUFR"}
"""EPS runs Ghostscript, WMF what Windows has; of the others Pillow knows the names only."""

_LARGE = 16_000_000
_one_at_a_time = threading.Lock()  # several threads with a large picture each would need gigabytes

# What Pillow would warn of is refused or reduced here. Appended: filters that a program sets itself come first.
warnings.filterwarnings("ignore", category=Picture.DecompressionBombWarning, append=True)


def decode(data: bytes | Path, *, mode: Literal["L", "RGB"], near: tuple[int, int] | None = None) -> Picture.Image:
    """Decode a picture.

    16-bit pixels are divided by 257 (by 16 where none is above 4,095, as cameras with 12 bits write them; those of at
    most 255 stay); floats between 0 and 1 are multiplied by 255, others stretched. Transparent parts become white.

    Args:
        data: the bytes of a picture file, or its path.
        mode: "L" for grayscale, "RGB" for colour.
        near: (width, height) that the picture will be shrunk to: it may come out smaller than it is, but not smaller
            than this, which takes far less time and memory. None keeps its size.

    Returns:
        The picture, in the mode asked for; its `info["original_size"]` is the (width, height) that it has in full.

    Raises:
        PhotoError: no such file, or nothing that can be decoded.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("RGBA", (4, 2), "black").save(file, "PNG")
        >>> decode(file.getvalue(), mode="L").size
        (4, 2)
    """
    if isinstance(data, bytes):
        return _decoded(data, mode, near)
    if is_folder(data):
        raise PhotoError(f"{data} is a folder; name a picture file")
    if not exists(data):
        raise PhotoError(f"there is no picture {data}; check the name")
    try:
        return _decoded(data, mode, near)
    except PhotoError as error:
        raise PhotoError(f"cannot read the picture {data}: {error}; pass a PNG, JPEG, WebP, GIF, …") from error


def measure(data: bytes) -> tuple[tuple[int, int], bool]:
    """Return the (width, height) of a picture as it is meant to be seen, and whether it is in colour.

    A picture counts as colour where its pixels do, not where its file only has room for colour.

    Raises:
        PhotoError: nothing that can be decoded.
    """
    try:
        with _opened(io.BytesIO(data)) as picture:
            size = _upright_size(picture, picture.size)
            gray = picture.mode in ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L")
    except Exception as error:  # as in _decoded
        raise PhotoError(_reason(error)) from error
    if gray:
        return size, False
    pixels = np.asarray(_decoded(data, "RGB", (64, 64)).resize((64, 64), Picture.Resampling.BOX))
    return size, is_coloured(pixels)


def is_coloured(pixels: Image) -> bool:
    """Tell whether an image shows colours, beyond the little that JPEG leaves in what was gray."""
    return pixels.ndim == 3 and bool(np.mean(np.ptp(pixels, axis=2) > 12) > 0.005)


def _decoded(data: bytes | Path, mode: Literal["L", "RGB"], near: tuple[int, int] | None) -> Picture.Image:
    try:
        with _opened(io.BytesIO(data) if isinstance(data, bytes) else data) as picture:
            full = picture.size
            if near:
                longest = max(near)  # of both sides, because the picture may lie on its side
                picture.draft(mode, (longest, longest))
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise PhotoError(f"it has {width} × {height} pixels, more than {MOST_PIXELS:,}; make it smaller")
            with _one_at_a_time if width * height > _LARGE else nullcontext():
                decoded = _upright(picture, mode, near)
            decoded.info["original_size"] = _upright_size(picture, full)
            return decoded
    except PhotoError:
        raise
    except Exception as error:  # Pillow's plugins raise a dozen kinds for files that are not what they seem
        raise PhotoError(_reason(error)) from error


def _opened(source: io.BytesIO | Path) -> Picture.Image:
    try:
        return Picture.open(source, formats=COMMON_FORMATS)
    except UnidentifiedImageError:
        Picture.init()
        _add_heif()
        others = tuple(name for name in Picture.ID if name not in REFUSED_FORMATS.union(COMMON_FORMATS))
        if isinstance(source, io.BytesIO):
            source.seek(0)
        return Picture.open(source, formats=others)


@cache
def _add_heif() -> None:
    """Add to the formats that Pillow reads the one in which iPhones write photos."""
    import pi_heif

    pi_heif.register_heif_opener()


def _upright_size(picture: Picture.Image, size: tuple[int, int]) -> tuple[int, int]:
    """Return a (width, height) of the file as it is meant to be seen; Pillow itself has turned those of TIFF."""
    turned = picture.format != "TIFF" and picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (size[1], size[0]) if turned else size


def _upright(picture: Picture.Image, mode: Literal["L", "RGB"], near: tuple[int, int] | None) -> Picture.Image:
    picture.load()
    orientation = picture.format != "JPEG" or "exif" in picture.info or "xmp" in picture.info
    if picture.mode[0] in "IF":
        plain = _eight_bits(picture)
        if orientation:
            plain.info, plain._exif = picture.info, picture.getexif()  # Pillow turns what its Exif says
    elif picture.mode == "P":
        plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    else:
        plain = picture
    if near and (factor := min(plain.width, plain.height) // max(near)) > 1 and plain.mode != "1":
        exif = plain.getexif() if orientation else None
        plain = plain.reduce(factor)
        if exif is not None:
            plain._exif = exif
    if orientation:
        plain = ImageOps.exif_transpose(plain)
    if plain.has_transparency_data:
        layer = plain.convert("RGBA")
        plain = Picture.alpha_composite(Picture.new("RGBA", layer.size, "white"), layer)
    if plain.mode in ("CMYK", "YCbCr", "HSV", "LAB"):
        plain = plain.convert("RGB")  # Pillow has no way from some of these to grayscale
    return plain if plain.mode == mode else plain.convert(mode)


def _eight_bits(picture: Picture.Image) -> Picture.Image:
    """Scale 16-bit, 32-bit and float pixels; Pillow's own conversion would clip them at 255."""
    values = np.asarray(picture)
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        scaled = values * 255
    elif low < 0 or high > 65535:
        scaled = (values.astype(np.float32) - low) * (255 / ((high - low) or 1))
    else:
        step = 1 if high <= 255 else 16 if high <= 4095 else 257
        scaled = values / np.float32(step)
    return Picture.fromarray(np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8))


def _reason(error: Exception) -> str:
    """Say in words what is wrong with a picture that Pillow could not read."""
    if isinstance(error, PermissionError):
        return "permission denied"
    if isinstance(error, Picture.DecompressionBombError | Picture.DecompressionBombWarning):
        return f"it has more than {MOST_PIXELS:,} pixels; make it smaller"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is; make it smaller"
    if "truncated" in str(error) or isinstance(error, EOFError):
        return "it is truncated"
    return "it is no picture, or is damaged"
