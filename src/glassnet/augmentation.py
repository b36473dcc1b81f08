"""Augmentation: every image that a training step takes is changed a little, at random, on the device.

The changes are drawn anew for each image and each epoch, inside the compiled step, so they cost no copy of the data and
no process of their own. The model does not know of them: it stays a plain Keras model.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from glassnet.errors import InputError

if TYPE_CHECKING:
    import jax

COARSE = 4
"""An elastic change is drawn on a grid of so many points a side and smooth between them."""


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much an image may be changed; nothing by default.

    Args:
        shift: farthest move along each axis, in pixels.
        rotate: largest turn either way, in degrees.
        zoom: largest change of size, as a share, and half as much of each side alone (0.1: a size from 0.9 to 1.1, and
            then each side 0.95 to 1.05 times that).
        elastic: typical displacement of a smooth random field, in pixels (standard deviation at its grid points).
        erase: longest side of a rectangle that is filled with one random brightness, as a share of the image's side;
            half of the images have one.
        flip: mirror half of the images, left to right.

    Raises:
        InputError: a value out of its range.

    References:
        Simard, Steinkraus, Platt (2003), Best practices for convolutional neural networks (elastic).
        Zhong, Zheng, Kang, Li, Yang (2017), Random erasing data augmentation.

    Example:
        >>> Augmentation(shift=2).any, Augmentation().any
        (True, False)
    """

    shift: float = 0
    rotate: float = 0
    zoom: float = 0
    elastic: float = 0
    erase: float = 0
    flip: bool = False

    def __post_init__(self) -> None:
        for name, (most, unit) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                raise InputError(f"{name} is {value!r}; it must be a number from 0 to {most} ({unit})")
        if not isinstance(self.flip, bool):
            raise InputError(f"flip is {self.flip!r}; it must be True or False")

    @property
    def any(self) -> bool:
        """Tell whether anything is changed at all."""
        return any(getattr(self, field.name) for field in fields(self))

    @property
    def moves(self) -> bool:
        """Tell whether pixels are read from between other pixels."""
        return bool(self.rotate or self.zoom or self.elastic or self.shift != int(self.shift))


LIMITS = {
    "shift": (64, "pixels"),
    "rotate": (180, "degrees"),
    "zoom": (0.9, "share of the size"),
    "elastic": (16, "pixels"),
    "erase": (1, "share of the side"),
}
"""The largest value of each setting, and its unit."""


USUAL = {
    "drawings": Augmentation(shift=1.5, rotate=10, zoom=0.1),
    "items": Augmentation(flip=True),
    "scenes": Augmentation(shift=1.5, rotate=5, zoom=0.1, flip=True),
}
"""What suits images of a kind (see `glassnet.photos.DataFacts`), with 28 pixels a side. Strokes are never mirrored."""


def usual(kind: str, side: int) -> Augmentation:
    """Return the changes that suit images of that kind.

    Args:
        kind: "drawings" (strokes on an empty ground), "items" (filled things on one) or "scenes".
        side: the images' shorter side, in pixels.

    Example:
        >>> usual("drawings", 56).shift, usual("drawings", 56).flip, usual("items", 28).flip
        (3.0, False, True)
    """
    return replace(USUAL[kind], shift=USUAL[kind].shift * side / 28)


def augment(images: "jax.Array", key: "jax.Array", plan: Augmentation) -> "jax.Array":
    """Return the images, each changed at random.

    Args:
        images: `(n, height, width)` or `(n, height, width, channels)`, any number type.
        key: of JAX's random numbers; equal keys give equal changes.
        plan: how much.

    Returns:
        `float32`, same shape and range; what comes into view from outside is as bright as the median of the images'
        corners.
    """
    import jax
    import jax.numpy as jnp

    if not plan.any:
        return images
    gray = images.ndim == 3
    pixels = (images[..., None] if gray else images).astype(jnp.float32)
    height, width = pixels.shape[1:3]
    moving, flipping, erasing = jax.random.split(key, 3)
    if plan.moves or plan.shift:
        ground = jnp.median(pixels[:, :: max(1, height - 1), :: max(1, width - 1)], axis=(0, 1, 2))
        pixels = pixels - ground
        pixels = _moved(pixels, moving, plan) if plan.moves else _shifted(pixels, moving, int(plan.shift))
        pixels = pixels + ground
    if plan.flip:
        mirrored = jax.random.bernoulli(flipping, 0.5, (len(pixels), 1, 1, 1))
        pixels = jnp.where(mirrored, pixels[:, :, ::-1], pixels)
    if plan.erase:
        pixels = _erased(pixels, erasing, plan.erase)
    return pixels[..., 0] if gray else pixels


def _shifted(pixels: "jax.Array", key: "jax.Array", most: int) -> "jax.Array":
    """Move by whole pixels: one slice for each image out of a larger, empty frame."""
    import jax
    import jax.numpy as jnp

    n, height, width, channels = pixels.shape
    framed = jnp.pad(pixels, ((0, 0), (most, most), (most, most), (0, 0)))
    starts = jax.random.randint(key, (n, 2), 0, 2 * most + 1)
    return jax.vmap(
        lambda image, start: jax.lax.dynamic_slice(image, (start[0], start[1], 0), (height, width, channels))
    )(framed, starts)


def _moved(pixels: "jax.Array", key: "jax.Array", plan: Augmentation) -> "jax.Array":
    """Turn, scale, bend and move in one go: every pixel looks up where it comes from, between four others."""
    import jax
    import jax.numpy as jnp

    n, height, width, _ = pixels.shape
    keys = jax.random.split(key, 5)

    def uniform(number: int, most: float, count: int) -> jax.Array:
        return jax.random.uniform(keys[number], (n, count), minval=-most, maxval=most)

    angle = uniform(0, math.radians(plan.rotate), 1)[:, 0]
    size = 1 + uniform(1, plan.zoom, 1)
    sides = size * (1 + uniform(2, plan.zoom / 2, 2))
    shift = uniform(3, plan.shift, 2)
    cos, sin = jnp.cos(angle)[:, None, None], jnp.sin(angle)[:, None, None]
    down = jnp.arange(height, dtype=jnp.float32)[:, None] - (height - 1) / 2
    across = jnp.arange(width, dtype=jnp.float32)[None, :] - (width - 1) / 2
    rows = (cos * down - sin * across) / sides[:, 0, None, None] + (height - 1) / 2 + shift[:, 0, None, None]
    columns = (sin * down + cos * across) / sides[:, 1, None, None] + (width - 1) / 2 + shift[:, 1, None, None]
    if plan.elastic:
        coarse = plan.elastic * jax.random.normal(keys[4], (n, 2, COARSE, COARSE))
        field = jnp.einsum("hi,ncij,wj->nchw", _smooth(height), coarse, _smooth(width))
        rows, columns = rows + field[:, 0], columns + field[:, 1]
    return _looked_up(pixels, rows, columns)


def _looked_up(pixels: "jax.Array", rows: "jax.Array", columns: "jax.Array") -> "jax.Array":
    """Read the images at fractional places, linearly between the four pixels around; outside is 0."""
    import jax
    import jax.numpy as jnp

    n, height, width, channels = pixels.shape
    framed = jnp.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(n, -1, channels)
    rows, columns = jnp.clip(rows + 1, 0, height + 0.999), jnp.clip(columns + 1, 0, width + 0.999)
    top, left = jnp.floor(rows), jnp.floor(columns)
    lower, right = (rows - top)[..., None], (columns - left)[..., None]
    corner = (top * (width + 2) + left).astype(jnp.int32).reshape(n, -1)

    def at(offset: int) -> jax.Array:
        taken = jax.vmap(lambda image, places: jnp.take(image, places, axis=0, mode="clip"))(framed, corner + offset)
        return taken.reshape(pixels.shape)

    above = at(0) * (1 - right) + at(1) * right
    below = at(width + 2) * (1 - right) + at(width + 3) * right
    return above * (1 - lower) + below * lower


def _smooth(length: int) -> "jax.Array":
    """Return the weights `(length, COARSE)` that spread a coarse grid over an axis: cosines between its points."""
    import jax.numpy as jnp

    places = jnp.linspace(0, COARSE - 1, length)[:, None] - jnp.arange(COARSE)[None, :]
    return jnp.where(jnp.abs(places) < 1, 0.5 + 0.5 * jnp.cos(jnp.pi * places), 0.0)


def _erased(pixels: "jax.Array", key: "jax.Array", most: float) -> "jax.Array":
    """Fill a random rectangle of every second image with one brightness."""
    import jax
    import jax.numpy as jnp

    n, height, width, _ = pixels.shape
    share, place, fill, coin = jax.random.split(key, 4)
    sides = jax.random.uniform(share, (n, 2), minval=most / 4, maxval=most) * jnp.array([height, width])
    starts = jax.random.uniform(place, (n, 2)) * (jnp.array([height, width]) - sides)
    down, across = jnp.arange(height)[None, :], jnp.arange(width)[None, :]
    inside_rows = (down >= starts[:, :1]) & (down < starts[:, :1] + sides[:, :1])
    inside_columns = (across >= starts[:, 1:]) & (across < starts[:, 1:] + sides[:, 1:])
    erased = jax.random.bernoulli(coin, 0.5, (n, 1, 1)) & inside_rows[:, :, None] & inside_columns[:, None, :]
    brightness = jax.random.uniform(fill, (n, 1, 1, 1), maxval=255.0)
    return jnp.where(erased[..., None], brightness, pixels)
