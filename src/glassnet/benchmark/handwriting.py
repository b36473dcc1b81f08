"""Handwriting: digits as pens, pencils, chalk and scanners show them; one function for each style of photos."""

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from glassnet.benchmark.scenes import ink_colour, inked, lit, paper_of, photographed, ruled
from glassnet.types import Image


def write_pen(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A ballpoint on plain paper."""
    ink = written(image, rng, width=(0.025, 0.07), share=(0.25, 0.7))
    return photographed(lit(inked(paper_of(rng, ink.shape), ink, ink_colour(rng), rng.uniform(0.75, 1)), rng), rng)


def write_marker(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A thick marker on plain paper."""
    ink = written(image, rng, width=(0.09, 0.2), share=(0.3, 0.85))
    return photographed(lit(inked(paper_of(rng, ink.shape), ink, ink_colour(rng), rng.uniform(0.75, 1)), rng), rng)


def write_squared(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen on squared paper."""
    ink = written(image, rng, width=(0.03, 0.1), share=(0.25, 0.7))
    paper = ruled(paper_of(rng, ink.shape), rng, squared=True)
    return photographed(lit(inked(paper, ink, ink_colour(rng), rng.uniform(0.8, 1)), rng), rng)


def write_lined(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen on ruled paper."""
    ink = written(image, rng, width=(0.03, 0.1), share=(0.25, 0.7))
    paper = ruled(paper_of(rng, ink.shape), rng, squared=False)
    return photographed(lit(inked(paper, ink, ink_colour(rng), rng.uniform(0.8, 1)), rng), rng)


def write_pencil(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pencil on plain paper, faint and grainy."""
    ink = written(image, rng, width=(0.03, 0.07), share=(0.3, 0.7))
    grain = 0.55 + 0.45 * ndimage.gaussian_filter(rng.random(ink.shape), 1) / 0.5
    scene = inked(paper_of(rng, ink.shape), ink * np.clip(grain, 0, 1), (95, 95, 100), rng.uniform(0.55, 0.85))
    return photographed(lit(scene, rng, shadow=0.3), rng)


def write_board(image: Image, rng: np.random.Generator) -> np.ndarray:
    """Chalk on a board that was wiped."""
    ink = written(image, rng, width=(0.05, 0.13), share=(0.3, 0.75))
    green = np.array([[45, 80, 62], [40, 42, 46], [60, 66, 70]][rng.integers(3)], np.float64)
    smear = ndimage.gaussian_filter(rng.random(ink.shape), 18) * 60
    board = green + smear[..., None] - smear.mean() + rng.normal(0, 2, (*ink.shape, 1))
    chalk = ink * np.clip(0.6 + 0.8 * ndimage.gaussian_filter(rng.random(ink.shape), 0.8), 0, 1)
    return photographed(lit(inked(board, chalk, (235, 235, 225), 0.92), rng, shadow=0.2), rng)


def write_far(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A thick pen, from far away."""
    ink = written(image, rng, width=(0.07, 0.14), share=(0.1, 0.18))
    return photographed(lit(inked(paper_of(rng, ink.shape), ink, ink_colour(rng), rng.uniform(0.85, 1)), rng), rng)


def write_screen(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A finger on a screen, dark on white or light on black."""
    ink = written(image, rng, width=(0.06, 0.2), share=(0.4, 0.9), size=(300, 300))
    if rng.random() < 0.5:
        return np.rint(np.repeat((255 * (1 - ink))[..., None], 3, 2)).astype(np.uint8)
    return (
        np.rint(inked(np.full((*ink.shape, 3), 30.0), ink, rng.uniform(170, 255, 3), 1)).clip(0, 255).astype(np.uint8)
    )


def write_form(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A cell of a scanned form, with some of its sides."""
    ink = written(image, rng, width=(0.05, 0.14), share=(0.6, 0.85), size=(110, 100))
    cell = np.full((*ink.shape, 3), rng.uniform(235, 255))
    printed, thick = rng.uniform(40, 150), int(rng.integers(1, 4))
    for side in range(4):
        at = int(rng.integers(0, 5))
        if rng.random() < 0.7:
            turned = np.rot90(cell, side)
            turned[at : at + thick] = printed
    scanned = ndimage.gaussian_filter(inked(cell, ink, (30, 30, 40), 0.95), (0.6, 0.6, 0)) + rng.normal(
        0, 3, cell.shape
    )
    return np.rint(np.clip(scanned, 0, 255)).astype(np.uint8)


def write_postal(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A digit of 16 × 16 pixels, as sorting machines cut them out."""
    rows, columns = np.flatnonzero((image > 64).any(1)), np.flatnonzero((image > 64).any(0))
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = 16 / max(part.shape)
    size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
    small = np.asarray(Picture.fromarray(part).resize(size, Picture.Resampling.BOX))
    frame = np.zeros((16, 16), np.uint8)
    top, left = (16 - size[1]) // 2, (16 - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = small
    frame = frame if rng.random() < 0.5 else 255 - frame
    return np.repeat(frame[..., None], 3, 2)


def write_napkin(image: Image, rng: np.random.Generator) -> np.ndarray:
    """Felt pen on brown, embossed paper that lies on a table."""
    ink = written(image, rng, width=(0.06, 0.15), share=(0.3, 0.6))
    size = ink.shape
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    emboss = 5 * np.sin(rows / rng.uniform(3, 6)) * np.sin(columns / rng.uniform(3, 6))
    paper = np.array([196, 164, 122]) * rng.uniform(0.85, 1.15) + emboss[..., None] + rng.normal(0, 3, (*size, 1))
    scene = inked(paper, ndimage.gaussian_filter(ink, 1), ink_colour(rng) * 0.6, rng.uniform(0.75, 0.95))
    strip = int(rng.integers(0, 40))
    table = np.array([90, 60, 45]) + ndimage.gaussian_filter(rng.normal(0, 30, size), (1, 14))[..., None]
    scene = np.where((columns < strip)[..., None], table, scene)
    return photographed(lit(scene, rng, shadow=0.7), rng)


def write_crossword(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pencil in a cell of a printed crossword, beside black cells and small printed numbers."""
    size = 400, 440
    cell = rng.uniform(150, 220)
    ink = written(image, rng, width=(0.04, 0.09), share=(0.5 * cell / size[0], 0.75 * cell / size[0]), size=size)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float64)
    middle = (ink * rows).sum() / ink.sum(), (ink * columns).sum() / ink.sum()
    turn = np.deg2rad(rng.normal(0, 2.5))
    # Where each pixel is in the grid, in cells: the digit is in cell (0, 0).
    down = ((rows - middle[0]) * np.cos(turn) - (columns - middle[1]) * np.sin(turn)) / cell + rng.normal(0.5, 0.04)
    right = ((rows - middle[0]) * np.sin(turn) + (columns - middle[1]) * np.cos(turn)) / cell + rng.normal(0.5, 0.04)
    black = rng.random((9, 9)) < 0.35
    black[4, 4] = False
    rule = rng.uniform(1.5, 4) / cell
    far = np.minimum(np.abs(down - np.rint(down)), np.abs(right - np.rint(right)))
    printed = np.clip((rule / 2 - far) * cell + 0.5, 0, 1)
    printed[black[np.floor(down).astype(int) + 4, np.floor(right).astype(int) + 4]] = 1
    number = _printed(str(rng.integers(1, 60)), round(0.17 * cell))
    top, left = np.unravel_index(np.hypot(down - 0.06, right - 0.06).argmin(), size)
    room = printed[top : top + number.shape[0], left : left + number.shape[1]]
    room[:] = np.maximum(room, number[: room.shape[0], : room.shape[1]])
    paper = inked(paper_of(rng, size, (185, 235)), printed, np.full(3, rng.uniform(25, 70)), rng.uniform(0.85, 0.97))
    grain = np.clip(0.15 + 1.4 * ndimage.gaussian_filter(rng.random(size), 0.9), 0, 1)
    graphite = rng.uniform(55, 90) + rng.normal(0, 3, 3)
    scene = inked(paper, ink * grain, graphite, rng.uniform(0.75, 0.95))
    return photographed(lit(scene, rng, shadow=0.4), rng)


def write_whiteboard(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A marker with streaks on a whiteboard that was wiped badly, and the window reflected in it."""
    ink = written(image, rng, width=(0.05, 0.12), share=(0.3, 0.7))
    size = ink.shape
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]] / max(size)
    angle = rng.uniform(0, 180)
    wiped = ndimage.rotate(ndimage.gaussian_filter(rng.random((900, 900)), (2, 70)), angle, reshape=False, order=1)
    wiped = wiped[200 : 200 + size[0], 200 : 200 + size[1]]
    wiped = (wiped - wiped.mean()) / wiped.std()
    board = np.array([232, 236, 240]) * rng.uniform(0.85, 1) + 3 * wiped[..., None] + rng.normal(0, 1, (*size, 1))
    before = np.roll(ink[:, ::-1], (int(rng.integers(-90, 90)), int(rng.integers(-140, 140))), (0, 1))
    ghost = ndimage.gaussian_filter(before, rng.uniform(2, 5)) * np.clip(1 + 0.6 * wiped, 0, 2)
    board = inked(board, np.clip(ghost, 0, 1), ink_colour(rng), rng.uniform(0.04, 0.13))
    streaks = ndimage.rotate(ndimage.gaussian_filter(rng.random((900, 900)), (1, 14)), angle, reshape=False, order=1)
    streaks = streaks[200 : 200 + size[0], 200 : 200 + size[1]]
    streaks = np.clip(0.85 + 0.2 * (streaks - streaks.mean()) / streaks.std(), 0.3, 1)
    scene = lit(inked(board, ink * streaks, ink_colour(rng), rng.uniform(0.8, 0.97)), rng, shadow=0.2)
    place, width = rng.uniform((0.05, 0.1), (0.7, 0.9)), rng.uniform(0.06, 0.2, 2)
    across = np.maximum(
        np.abs(rows - place[0]) / width[0], np.abs(columns - place[1] - 0.3 * (rows - place[0])) / width[1]
    )
    glare = rng.uniform(0.1, 0.5) / (1 + np.exp(12 * (across - 1)))
    return photographed(scene * (1 - glare[..., None]) + 255 * glare[..., None], rng, tilt=0.1)


def _printed(text: str, height: int) -> np.ndarray:
    """Return where a printed text is, 0 to 1."""
    font = ImageFont.load_default(height)
    left, top, right, bottom = font.getbbox(text)
    picture = Picture.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, 255, font)
    return np.asarray(picture) / 255


def written(
    image: Image,
    rng: np.random.Generator,
    *,
    width: tuple[float, float],
    share: tuple[float, float],
    size: tuple[int, int] = (360, 480),
) -> np.ndarray:
    """Return where ink is, 0 to 1: the digit with strokes of another width, turned, sheared, somewhere in the frame."""
    height, across = size
    side = round(height * rng.uniform(*share))
    large = np.asarray(
        ndimage.zoom(image.astype(np.float64) / 255, side / 20, order=3, grid_mode=True, mode="grid-constant")
    )
    inside = large > 0.45
    depth = np.where(
        inside,
        np.asarray(ndimage.distance_transform_edt(inside)) - 0.5,
        0.5 - np.asarray(ndimage.distance_transform_edt(~inside)),
    )
    now = 4 * float(depth[depth > 0].mean()) if inside.any() else 1.0
    grow = (side * rng.uniform(*width) - now) / 2
    drawn = np.clip(depth + max(grow, -0.35 * now) + 0.5, 0, 1)
    turn, shear = np.deg2rad(rng.normal(0, 5)), rng.normal(0, 0.06)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn) + shear, np.cos(turn)]])
    middle = np.array(drawn.shape) / 2
    drawn = ndimage.affine_transform(drawn, matrix, tuple(middle - matrix @ middle), order=1)  # pyright: ignore[reportArgumentType]
    frame = np.zeros((height, across))
    room = np.maximum(np.array(frame.shape) - drawn.shape, 0)
    top, left = (int(room[k] * np.clip(rng.normal(0.5, 0.16), 0.05, 0.95)) for k in (0, 1))
    part = drawn[: height - top, : across - left]
    frame[top : top + part.shape[0], left : left + part.shape[1]] = part
    return np.clip(frame, 0, 1)
