"""Garments: clothes as they lie and hang in photos; one function for each style of photos."""

import numpy as np
from PIL import Image as Picture
from scipy import ndimage

from glassnet.benchmark.scenes import lit, photographed
from glassnet.types import Image


def lay_sheet(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On a creased sheet."""
    cloth, place = _garment(image, rng, share=(0.6, 0.95))
    creases = ndimage.gaussian_filter(rng.normal(0, 1, place.shape), (rng.uniform(6, 30), rng.uniform(6, 30)))
    ground = rng.uniform(150, 245) * rng.uniform(0.85, 1, 3) * (1 + 0.06 * creases / creases.std())[..., None]
    return _laid(cloth, place, ground, rng)


def lay_wood(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On boards."""
    cloth, place = _garment(image, rng, share=(0.6, 0.95))
    grain = ndimage.gaussian_filter(rng.normal(0, 1, place.shape), (1.5, 60))
    boards = np.where(np.mgrid[0:480, 0:360][0] % int(rng.integers(70, 130)) < 3, 0.6, 1)
    ground = np.array([165, 115, 75]) * rng.uniform(0.6, 1.2) * (1 + 0.1 * grain / grain.std())[..., None]
    return _laid(cloth, place, ground * boards[..., None], rng)


def hang_wall(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On a wall, by a hook."""
    cloth, place = _garment(image, rng, share=(0.55, 0.85))
    ground = rng.uniform(140, 240) * rng.uniform(0.88, 1, 3) + rng.normal(0, 2, (*place.shape, 1))
    rows = np.flatnonzero((place > 0.5).any(1))
    if len(rows):
        top, middle = int(rows[0]), int(np.median(np.flatnonzero(place[rows[0]] > 0.5)))
        ground[max(0, top - 28) : top + 4, middle - 1 : middle + 2] = 70  # the hook of a hanger
    return _laid(cloth, place, ground, rng)


def lay_checked(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On a checked blanket, in the evening."""
    cloth, place = _garment(image, rng, share=(0.65, 0.9))
    rows, columns = np.mgrid[0:480, 0:360]
    period = rng.uniform(30, 60)
    weave = (np.sin(rows * 2 * np.pi / period) > 0.4).astype(float) + (np.sin(columns * 2 * np.pi / period) > 0.4)
    first, second = rng.uniform(90, 230, 3), rng.uniform(-45, 45, 3)
    ground = first + ndimage.gaussian_filter(weave, 1.5)[..., None] * second + rng.normal(0, 4, (*place.shape, 1))
    return _laid(cloth, place, ground, rng)


def lay_striped(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On a striped bedsheet whose folds bend the stripes."""
    cloth, place = _garment(image, rng, share=(0.6, 0.92))
    rows, columns = np.mgrid[0 : place.shape[0], 0 : place.shape[1]].astype(np.float64)
    height = sum(_fold(rows, columns, rng) for _ in range(int(rng.integers(3, 7))))
    slope_down, slope_right = np.gradient(height)
    angle, period = rng.uniform(0, np.pi), rng.uniform(14, 50)
    along = rows * np.cos(angle) + columns * np.sin(angle) + rng.uniform(4, 12) * (slope_down + slope_right)
    share = rng.uniform(0.25, 0.6)
    stripe = ndimage.gaussian_filter(((along / period) % 1 < share).astype(np.float64), 0.8)
    first = rng.uniform(190, 250) * rng.uniform(0.92, 1, 3)
    second = first * rng.uniform(0.35, 0.85, 3)
    ground = first * (1 - stripe[..., None]) + second * stripe[..., None] + rng.normal(0, 2, (*place.shape, 1))
    lamp = rng.uniform(0, 2 * np.pi)
    shade = 1 + 0.5 * np.clip(np.cos(lamp) * slope_down + np.sin(lamp) * slope_right, -0.7, 0.5)
    return _laid(cloth, place, ground * shade[..., None], rng)


def hang_door(image: Image, rng: np.random.Generator) -> np.ndarray:
    """On a hanger, before a door with panels and a handle."""
    cloth, place = _garment(image, rng, share=(0.6, 0.88))
    height, width = place.shape
    paints = np.array([[236, 234, 226], [205, 192, 165], [150, 108, 74], [122, 140, 150], [96, 70, 52]])
    grain = ndimage.gaussian_filter(rng.normal(0, 1, place.shape), (40, 0.9))
    ground = paints[rng.integers(5)] * rng.uniform(0.9, 1.05) * (1 + 0.03 * grain / grain.std())[..., None]
    bevel, lamp = int(rng.integers(4, 10)), rng.uniform(0.12, 0.3)
    for top, bottom in ((0.04, 0.3), (0.36, 0.66), (0.72, 1.1)):
        for left, right in ((-0.1, 0.44), (0.54, 0.97)):
            place_of = [round(height * top), round(height * bottom), max(0, round(width * left)), round(width * right)]
            _sink(ground, place_of, bevel, lamp)
    row, column = rng.uniform(0.4, 0.6) * height, width * 0.985
    rows, columns = np.mgrid[0:height, 0:width]
    handle = (np.abs(rows - row) < 7) & (columns > column - 38) | (np.hypot(rows - row, columns - column) < 17)
    ground[handle] = rng.uniform(90, 190) + 40 * np.sin((rows[handle] - row) / 5)[..., None]
    inside = np.argwhere(place > 0.5)
    if len(inside):
        top, middle = int(inside[:, 0].min()), int(np.median(inside[inside[:, 0] < inside[:, 0].min() + 6, 1]))
        _hang(ground, top, middle, 0.3 * float(np.ptp(inside[:, 1])), rng)
    return _laid(cloth, place, ground, rng)


def _fold(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the height of one fold of cloth: a ridge across the picture, steeper on one side, in pixels."""
    angle, wide = rng.uniform(0, np.pi), rng.uniform(8, 30)
    far = (rows - rows.max() / 2) * np.cos(angle) + (columns - columns.max() / 2) * np.sin(angle)
    far = far - rng.uniform(-0.4, 0.4) * rows.max() + 14 * np.sin(columns / rng.uniform(60, 140))
    return rng.uniform(0.3, 0.8) * wide * np.exp(-np.where(far > 0, far / wide, -3 * far / wide))


def _sink(ground: np.ndarray, box: list[int], bevel: int, lamp: float) -> None:
    """Sink a panel into the door: its upper and left edges lie in shadow, the others catch light."""
    top, bottom, left, right = box
    ground[top : top + bevel, left:right] *= 1 - lamp
    ground[top:bottom, left : left + bevel] *= 1 - 0.7 * lamp
    ground[bottom - bevel : bottom, left:right] *= 1 + 0.6 * lamp
    ground[top:bottom, max(0, right - bevel) : right] *= 1 + 0.4 * lamp


def _hang(ground: np.ndarray, top: int, middle: int, reach: float, rng: np.random.Generator) -> None:
    """Draw a hanger whose arms go down from the hook, as wide as the garment's shoulders."""
    height, width = ground.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    away = np.abs(columns - middle)
    arms = (np.abs(rows - (top - 6 + 0.32 * away)) < rng.uniform(1.5, 4)) & (away < 1.25 * reach)
    neck = (away < 1.6) & (rows < top - 4) & (rows > top - 24)
    hook = (np.abs(np.hypot(rows - (top - 32), columns - middle) - 9) < 1.6) & ((rows < top - 32) | (columns > middle))
    ground[arms | neck | hook] = np.array([[60, 55, 52], [120, 85, 50], [170, 170, 175]])[rng.integers(3)]


def _garment(image: Image, rng: np.random.Generator, *, share: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the colours and the place of a garment in a frame of 480 × 360: a photo's light is the data's dark."""
    height, width = 480, 360
    side = round(width * rng.uniform(*share))
    pixels = np.asarray(Picture.fromarray(image).resize((side, side), Picture.Resampling.BICUBIC), np.float64)
    solid = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(image > 20, 3), iterations=2))
    solid = np.asarray(solid)[3:-3, 3:-3]
    edge = ndimage.zoom(solid.astype(np.float64), side / 28, order=1, grid_mode=True, mode="grid-constant")
    mask = np.clip((ndimage.gaussian_filter(edge, side / 70) - 0.5) * 8 + 0.5, 0, 1)
    hue = rng.uniform(0.55, 1, 3)
    hue = hue / hue.max()
    cloth = (255 - 0.85 * pixels)[..., None] * hue + rng.normal(0, 4, (*pixels.shape, 1))
    folds = ndimage.gaussian_filter(rng.normal(0, 1, pixels.shape), side / 25)
    cloth = cloth * (1 + 0.12 * folds / folds.std())[..., None]
    turn = rng.normal(0, 5)
    cloth = ndimage.rotate(cloth, turn, reshape=False, order=1, mode="nearest")
    mask = np.clip(ndimage.rotate(mask, turn, reshape=False, order=1), 0, 1)
    scene, place = np.zeros((height, width, 3)), np.zeros((height, width))
    room = np.maximum(np.array(place.shape) - mask.shape, 0)
    top, left = (int(room[k] * np.clip(rng.normal(0.5, 0.15), 0, 1)) for k in (0, 1))
    here = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
    scene[here], place[here] = cloth[: height - top, : width - left], mask[: height - top, : width - left]
    return scene, place


def _laid(cloth: np.ndarray, place: np.ndarray, ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay the garment on the ground, with the shadow that it casts, and photograph it."""
    away = rng.uniform(2, 8)
    shadow = ndimage.gaussian_filter(ndimage.shift(place, (away, away * rng.uniform(-1, 1)), order=1), away)
    ground = ground * (1 - rng.uniform(0.15, 0.45) * shadow)[..., None]
    return photographed(
        lit(ground * (1 - place[..., None]) + cloth * place[..., None], rng, shadow=0.25), rng, tilt=0.03
    )
