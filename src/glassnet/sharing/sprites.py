"""Many small images in one, as a data URI: a page shows each by its place."""

import base64
import io
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image as Pillow

COLUMNS = 40
"""Tiles side by side."""

LARGEST = 64
"""Longest side of a tile, in pixels; larger images are shown smaller."""

AGAINST, FOR = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)
"""The ends of the scale "pushes against … pushes for", as in the figures."""


@dataclass(frozen=True)
class Tile:
    """The place of an image in its sprite, in tiles from the top left."""

    column: int
    row: int


@dataclass
class Sprite:
    """A sheet of tiles of one size that grows as images are put on it; the same key is put there once.

    Args:
        size: (height, width) of the images.

    Example:
        >>> import numpy as np
        >>> from glassnet.sharing.sprites import Sprite
        >>> sprite = Sprite((28, 28))
        >>> sprite.put(("test", 0), np.zeros((28, 28), np.uint8))
        Tile(column=0, row=0)
    """

    size: tuple[int, int]
    _tiles: list[np.ndarray] = field(default_factory=list)
    _places: dict[Any, Tile] = field(default_factory=dict)

    @property
    def tile(self) -> tuple[int, int]:
        """Height and width of a tile."""
        scale = min(1.0, LARGEST / max(self.size))
        return max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale))

    @property
    def rows(self) -> int:
        """Rows of the sheet; at least 2, so that places can be given as shares of it."""
        return max(2, math.ceil(len(self._tiles) / COLUMNS))

    def put(self, key: Any, image: np.ndarray) -> Tile:
        """Put `uint8 (height, width[, channels])` on the sheet, unless the key is there; return its place."""
        if key not in self._places:
            number = len(self._tiles)
            self._places[key] = Tile(number % COLUMNS, number // COLUMNS)
            self._tiles.append(_fitted(image, self.tile))
        return self._places[key]

    def uri(self) -> str:
        """Return the sheet as the data URI of a PNG."""
        height, width = self.tile
        colour = any(tile.ndim == 3 for tile in self._tiles)
        sheet = np.zeros((self.rows * height, COLUMNS * width, *([3] if colour else [])), np.uint8)
        for number, tile in enumerate(self._tiles):
            top, left = number // COLUMNS * height, number % COLUMNS * width
            sheet[top : top + height, left : left + width] = tile if tile.ndim == sheet.ndim else tile[..., None]
        return png_uri(sheet)


def png_uri(pixels: np.ndarray) -> str:
    """Return an image `uint8 (height, width[, 3])` as the data URI of a PNG."""
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def coloured(values: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Colour weights: orange against, white at 0, blue for, on one scale for all.

    Args:
        values: `(n, height, width)`, any numbers.
        largest: the absolute value from which on colours are full; the largest of all values if None.

    Returns:
        `uint8 (n, height, width, 3)`.
    """
    largest = largest or float(np.abs(values).max(initial=0)) or 1.0
    share = np.clip(values / largest, -1, 1)[..., None]
    ends = np.where(share < 0, AGAINST, FOR)
    return np.rint(255 + (ends - 255) * np.abs(share)).astype(np.uint8)


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring an image to the size of a tile, and to grey or three colours."""
    if image.ndim == 3:
        image = image[..., 0] if image.shape[-1] < 3 else image[..., :3]
    if image.shape[:2] != size:
        image = np.asarray(Pillow.fromarray(image).resize((size[1], size[0]), Pillow.Resampling.BOX))
    return image
