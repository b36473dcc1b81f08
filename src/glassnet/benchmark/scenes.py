"""Scenes: the paper, the light and the camera of a photograph that is made here."""

import io

import numpy as np
from PIL import Image as Picture
from PIL import ImageFilter
from scipy import ndimage

INKS = {
    "blue": (35, 50, 140),
    "black": (35, 33, 38),
    "red": (180, 35, 45),
    "green": (30, 110, 60),
    "violet": (90, 50, 140),
    "orange": (225, 110, 30),
}


def paper_of(rng: np.random.Generator, size: tuple[int, int], tone: tuple[float, float] = (205, 250)) -> np.ndarray:
    """Return paper with a little tint and fibre."""
    tint = np.array([1, rng.uniform(0.96, 1), rng.uniform(0.88, 1.02)])
    fibre = ndimage.gaussian_filter(rng.normal(0, 1, size), 1.2) * rng.uniform(1, 5)
    return rng.uniform(*tone) * tint + fibre[..., None]


def ruled(paper: np.ndarray, rng: np.random.Generator, *, squared: bool) -> np.ndarray:
    """Print lines on the paper, turned a little with it."""
    height, width = paper.shape[:2]
    period, thickness = rng.uniform(22, 60), rng.uniform(0.8, 2.2)
    turn = np.deg2rad(rng.normal(0, 4))
    rows, columns = np.mgrid[0:height, 0:width]
    down, right = rows * np.cos(turn) - columns * np.sin(turn), rows * np.sin(turn) + columns * np.cos(turn)
    lines = np.zeros((height, width))
    for along in (down, right) if squared else (down,):
        far = np.abs((along + rng.uniform(0, period)) % period - period / 2)
        lines = np.maximum(lines, np.clip(thickness / 2 + 0.5 - far, 0, 1))
    colour = np.array([[150, 170, 215], [165, 165, 175], [215, 160, 165], [120, 140, 190]][rng.integers(4)])
    return paper * (1 - 0.8 * lines[..., None]) + 0.8 * lines[..., None] * colour * paper.mean() / 235


def inked(paper: np.ndarray, ink: np.ndarray, colour: np.ndarray | tuple[int, ...], cover: float) -> np.ndarray:
    """Put ink of a colour on the paper; cover is how little of the paper shines through, 0 to 1."""
    return paper * (1 - cover * ink[..., None]) + cover * ink[..., None] * np.array(colour, np.float64)


def ink_colour(rng: np.random.Generator) -> np.ndarray:
    """Return the colour of a pen."""
    return np.array(list(INKS.values())[rng.integers(len(INKS))]) + rng.normal(0, 12, 3)


def lit(scene: np.ndarray, rng: np.random.Generator, *, shadow: float = 0.5) -> np.ndarray:
    """Let light fall unevenly on the scene, and at times a shadow with a soft edge."""
    height, width = scene.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.5) * (np.cos(angle) * (rows - 0.4) + np.sin(angle) * (columns - 0.5))
    if rng.random() < shadow:
        angle, place = rng.uniform(0, 2 * np.pi), rng.uniform(-0.25, 0.25)
        edge = np.cos(angle) * (rows - 0.4) + np.sin(angle) * (columns - 0.5) - place
        light = light * (1 - rng.uniform(0.15, 0.5) / (1 + np.exp(-edge / rng.uniform(0.005, 0.08))))
    warm = np.array([1, rng.uniform(0.94, 1.02), rng.uniform(0.78, 1.05)])
    return scene * light[..., None] * warm * rng.uniform(0.6, 1.05)


def photographed(scene: np.ndarray, rng: np.random.Generator, *, tilt: float = 0.06) -> np.ndarray:
    """Let a camera see the scene: perspective, blur, noise, JPEG."""
    picture = Picture.fromarray(np.rint(np.clip(scene, 0, 255)).astype(np.uint8))
    width, height = picture.size
    corners = np.array([(0, 0), (0, height), (width, height), (width, 0)], np.float64)
    quad = corners + rng.uniform(0, tilt, (4, 2)) * (width, height) * np.array([(1, 1), (1, -1), (-1, -1), (-1, 1)])
    picture = picture.transform(picture.size, Picture.Transform.QUAD, quad.ravel().tolist(), Picture.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.6)))
    noisy = np.asarray(picture) + rng.normal(0, rng.uniform(0.5, 5), (height, width, 3))
    file = io.BytesIO()
    quality = int(rng.integers(45, 95))
    Picture.fromarray(np.rint(np.clip(noisy, 0, 255)).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Picture.open(file).convert("RGB"))
