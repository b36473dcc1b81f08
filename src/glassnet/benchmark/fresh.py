"""Fresh styles, written after the reader was done: nothing has been chosen by them, and it was not changed since."""

import numpy as np
from scipy import ndimage

from glassnet.benchmark.scenes import ink_colour, inked, lit, paper_of, photographed, ruled
from glassnet.benchmark.stationery import desk_of, focused, turned, whole
from glassnet.types import Image

SIZE = 400, 480
KRAFT = (190, 148, 104)


def write_page(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen or marker on a plain or squared sheet, all or most of which is seen on a table."""
    page = paper_of(rng, SIZE, (215, 250))
    if rng.random() < 0.5:
        page = ruled(page, rng, squared=True)
    marker = rng.random() < 0.4
    ink = whole(image, rng, (0.1, 0.16) if marker else (0.07, 0.09), (0.35, 0.6), (320, 380))
    return _photo(_laid(page, ink, rng, ink_colour(rng)), rng)


def write_envelope(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A felt pen on an envelope of brown paper with a seam, at times with a label or tape in a corner."""
    fibre = ndimage.gaussian_filter(rng.normal(0, 1, SIZE), (0.6, 2.5))
    paper = np.array(KRAFT) * rng.uniform(0.85, 1.15) * (1 + 0.05 * fibre / fibre.std())[..., None]
    down, right = turned(rng, SIZE, 4)
    seam = np.abs(down - rng.choice([28, SIZE[0] - 28]))
    paper = paper * (1 - 0.3 * np.exp(-seam / 1.5))[..., None]
    if rng.random() < 0.5:
        corner = (down > SIZE[0] - rng.uniform(40, 70)) & (right > SIZE[1] - rng.uniform(60, 110))
        paper = np.where(corner[..., None], rng.uniform(225, 250), paper)
    ink = whole(image, rng, (0.08, 0.16), (0.35, 0.6), (270, 340))
    frame = np.zeros(SIZE)
    frame[60:330, 60:400] = ink
    dark = np.array([30, 28, 34]) if rng.random() < 0.6 else ink_colour(rng) * 0.7
    return _photo(inked(paper, frame, dark, rng.uniform(0.88, 0.97)), rng)


def _laid(page: np.ndarray, ink: np.ndarray, rng: np.random.Generator, dye: np.ndarray) -> np.ndarray:
    """Lay a sheet with a digit on a table; the camera sees the table at some of its sides."""
    frame = np.zeros(SIZE)
    frame[40 : 40 + ink.shape[0], 50 : 50 + ink.shape[1]] = ink
    page = inked(page, frame, dye, rng.uniform(0.85, 0.97))
    down, right = turned(rng, SIZE, 4)
    borders = rng.uniform(-25, 28, 4)
    far = np.maximum(
        np.maximum(borders[0] - down, down - SIZE[0] + borders[1]),
        np.maximum(borders[2] - right, right - SIZE[1] + borders[3]),
    )
    sheet = np.clip(0.5 - far, 0, 1)
    shade = 0.4 * ndimage.gaussian_filter(np.roll(sheet, 3, 0), 4)
    return desk_of(rng, SIZE) * (1 - shade[..., None]) * (1 - sheet[..., None]) + page * sheet[..., None]


def _photo(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return photographed(focused(lit(scene, rng), rng), rng, tilt=0.08)
