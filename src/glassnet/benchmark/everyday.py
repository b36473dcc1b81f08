"""Everyday photos, as people take them of a digit that they just wrote: a blind test.

They were made by somebody who had not read what reads photos, and judged by looking at them only; neither they nor a
reader may be changed because of what the other does.
"""

from textwrap import wrap

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import interpolate, ndimage

from glassnet.benchmark.fresh import FRAMES, GRIDS, laid, put, taken
from glassnet.benchmark.pens import cloud, penned
from glassnet.benchmark.scenes import inked, paper_of
from glassnet.benchmark.stationery import desk_of, turned
from glassnet.benchmark.things import QUESTIONS
from glassnet.types import Image

SHARES = 0.25, 0.85  # the size of a digit, as a share of the room for it
BOOKS = [(210, 148), (210, 148), (297, 210), (250, 176), (140, 90)]  # millimetres: a page of a notebook
PIECES = [(74, 105), (76, 127), (90, 110), (105, 148), (130, 150), (148, 210)]  # scraps, index cards, half a sheet
PASTELS = [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 0.96, 0.7), (0.98, 0.84, 0.86), (0.82, 0.92, 1), (0.85, 0.95, 0.82)]
CLOTHS = [(226, 222, 214), (120, 140, 172), (58, 72, 104), (150, 60, 62), (190, 168, 140), (70, 70, 74)]
SKINS = [(236, 188, 160), (220, 168, 138), (190, 136, 104), (140, 94, 68), (96, 64, 48)]
LAMPS = [(1, 0.84, 0.62), (1, 0.92, 0.8), (0.86, 0.94, 1)]


def write_spread(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen or marker on one page of an open notebook; both pages bend into the gutter between them."""
    size = FRAMES[rng.integers(len(FRAMES))]
    page = np.array(BOOKS[rng.integers(len(BOOKS))])
    scale = rng.uniform(0.95, 1.9) * min(size[0] / page[0], 0.6 * size[1] / page[1])  # pixels in a millimetre
    side, gutter = rng.choice([-1, 1]), rng.uniform(0.1, 0.75) * size[1] / 2
    down, across = viewed(rng, size) * np.array([1, side])[:, None, None] + np.array([0, gutter])[:, None, None]
    far = np.abs(across) / scale
    sunk = rng.uniform(0, 4) * np.exp(-far / 14), rng.uniform(0, 3) * np.sign(across) * (1 - np.exp(-far / 7))
    bent = np.array([down, across]) + scale * np.array(sunk)
    paper = _printed(paper_of(rng, size, (222, 248)), rng, bent, scale)
    slope = rng.uniform(0.15, 0.4) * np.exp(-far / rng.uniform(5, 12)) * np.where(across > 0, 1, rng.uniform(-0.4, 1))
    paper = paper * (1 - slope - rng.uniform(0.2, 0.4) * np.exp(-((far / 0.6) ** 2)))[..., None]
    room = np.array([size[0], min(size[1] / 2 + gutter, page[1] * scale) - 14 * scale])
    middle = (np.array([0, 0.5]) + rng.normal(0, 0.03, 2)) * room + (0, 9 * scale)
    digit = (bent - middle[:, None, None]) * np.array([1, side])[:, None, None]
    scene = penned(paper, image, rng, digit, (rng.uniform(*SHARES) * 0.95 * room.min(), scale))
    high = max(page[0] * scale - size[0], 0) / 2 * rng.uniform(-1, 1)
    return taken(_lamp(laid(scene, rng, np.array([down + high, across]), page * (0.5, 1) * scale), rng), rng)


def write_scrap(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen or marker on a torn, crumpled or folded piece of paper or a card, on cloth or a table or in a hand."""
    size = FRAMES[rng.integers(len(FRAMES))]
    short, long = PIECES[rng.integers(len(PIECES))]
    sides = np.array((short, long) if (size[0] < size[1]) == (rng.random() < 0.8) else (long, short))
    scale = rng.uniform(0.75, 1.05) * float((np.array(size) / sides).min())
    half, place = scale * sides / 2, viewed(rng, size)
    paper = paper_of(rng, size, (225, 248)) * PASTELS[rng.integers(len(PASTELS))]
    kind = rng.random()
    if kind < 0.45:
        paper = _printed(paper, rng, place, scale)
    elif kind < 0.7:
        paper = inked(paper, _back(rng, place, scale), (90, 90, 100), rng.uniform(0.1, 0.25))
    room = 1.7 * np.minimum(half, np.array(size) / 2).min()
    digit = place + rng.normal(0, 0.03, (2, 1, 1)) * room
    paper = penned(paper, image, rng, digit, (rng.uniform(*SHARES) * room, scale))
    scene = _dropped(paper * _creased(rng, place / half[:, None, None])[..., None], rng, place, half, scale)
    return taken(_lamp(_held(scene, rng, place, half, scale) if rng.random() < 0.4 else scene, rng), rng)


def viewed(
    rng: np.random.Generator, size: tuple[int, int], *, degrees: float = 2.5, aside: float = 0.2, away: float = 0.02
) -> np.ndarray:
    """Return where each pixel is from about the middle of paper that is turned and seen a little from aside."""
    place = np.array(turned(rng, size, degrees)) - np.array(size)[:, None, None] / 2
    lean = rng.uniform(-aside, aside, 2) / size
    place = place / (1 + lean[0] * place[0] + lean[1] * place[1])
    return place + rng.normal(0, away, (2, 1, 1)) * min(size)


def _printed(paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, scale: float) -> np.ndarray:
    """Print squares, dots or lines, or nothing."""
    kind = rng.choice(["squares", "squares", "dots", "lines", "lines", "nothing"])
    period = scale * (rng.uniform(6.5, 9) if kind == "lines" else 5)
    far = np.abs((place + rng.uniform(0, period, (2, 1, 1))) % period - period / 2)
    thick = max(rng.uniform(0.1, 0.25) * scale, 0.7)
    if kind == "dots":
        lines = np.clip(1.3 * thick + 0.5 - np.hypot(*far), 0, 1)
    else:
        lines = np.clip(thick / 2 + 0.5 - (far[0] if kind == "lines" else far.min(0)), 0, 1)
    return inked(paper, lines * (kind != "nothing"), GRIDS[rng.integers(len(GRIDS))], rng.uniform(0.4, 0.8))


def _back(rng: np.random.Generator, place: np.ndarray, scale: float) -> np.ndarray:
    """Let the print of the other side show through, the wrong way round and soft."""
    width, height = (np.array(place.shape[:0:-1]) * 1.3).astype(int).tolist()
    sheet, letters = Picture.new("L", (width, height)), rng.uniform(2.6, 3.8) * scale
    words = " ".join(" ".join(QUESTIONS[k]) for k in rng.integers(0, len(QUESTIONS), 90))
    text, font = "\n".join(wrap(words, round(2 * width / letters))), ImageFont.load_default(letters)
    ImageDraw.Draw(sheet).text((0, 0), text, 255, font, spacing=1.5 * scale)
    return np.asarray(ndimage.gaussian_filter(put(np.asarray(sheet)[:, ::-1] / 255, place), 0.15 * scale))


def _creased(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Return the light on paper that was crumpled into facets, folded, or neither; places are in halves of it."""
    kind, tone = rng.choice(["crumpled", "crumpled", "folded", "flat"]), np.ones(place.shape[1:])
    if kind == "crumpled":
        corners = [(-9, -9), (-9, 9), (9, -9), (9, 9)]
        knots = np.concatenate([rng.uniform(-1.5, 1.5, (int(rng.integers(25, 95)), 2)), corners])
        surface = interpolate.LinearNDInterpolator(knots, rng.normal(0, 1, len(knots)))
        down, right = np.gradient(ndimage.gaussian_filter(surface(*place), 1))
        angle = rng.uniform(0, 2 * np.pi)
        slope = np.cos(angle) * down + np.sin(angle) * right
        tone += rng.uniform(0.02, 0.06) * np.clip(slope / slope.std(), -3, 3)
    for axis in range(rng.integers(1, 3)) if kind == "folded" else ():
        far = 200 * (place[axis] - rng.normal(0, 0.05) - rng.normal(0, 0.02) * place[1 - axis])
        depth = rng.uniform(0.04, 0.12) * rng.choice([-1, 1])
        tone += depth * (0.5 * np.tanh(far / 2) * np.exp(-np.abs(far) / 90) - np.exp(-((far / 1.5) ** 2)))
    return tone


def _dropped(
    paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, half: np.ndarray, scale: float
) -> np.ndarray:
    """Put a piece of paper, with cut and torn sides, on cloth, a carpet or a table."""
    size, beyond = place.shape[1:], np.full(place.shape[1:], -np.inf)
    rim = np.zeros(size)
    for axis, sign in ((0, -1), (0, 1), (1, -1), (1, 1)):
        far, along = sign * place[axis] - half[axis], np.rint(place[1 - axis]).astype(int)
        if rng.random() < 0.4:
            far = far + scale * (1.6 * cloud(rng, (2000,), 25) + 0.5 * cloud(rng, (2000,), 3))[along]
            rim = np.maximum(rim, np.clip(far + scale * (1.2 + cloud(rng, (2000,), 8))[along], 0, 1))
        beyond = np.maximum(beyond, far)
    sheet = np.clip(0.5 - beyond, 0, 1)
    height, angle = rng.uniform(2, 7), rng.uniform(0, 2 * np.pi)
    cast = ndimage.shift(sheet, (height * np.sin(angle), height * np.cos(angle)), order=1, mode="nearest")
    shade = rng.uniform(0.3, 0.55) * ndimage.gaussian_filter(cast, height)
    ground = inked(desk_of(rng, size) if rng.random() < 0.25 else _cloth(rng, size), shade, (0, 0, 0), 1)
    torn = rim * np.clip(0.7 + 0.4 * cloud(rng, size, 0.8), 0, 1)
    return inked(ground, sheet, inked(paper, torn, (244, 244, 244), 1), 1)


def _cloth(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Return a woven sheet or blanket with soft folds, or the pile of a carpet."""
    colour = np.array(CLOTHS[rng.integers(len(CLOTHS))]) * rng.uniform(0.9, 1.1)
    if rng.random() < 0.4:
        tone = 1 + rng.uniform(0.1, 0.2) * cloud(rng, size, 1.4) + 0.1 * cloud(rng, size, 6)
    else:
        rows, columns = np.mgrid[: size[0], : size[1]] * 2 * np.pi / rng.uniform(3, 6)
        weave = np.sin(rows) * np.sin(columns) + cloud(rng, size, (0.6, 3))
        folds = cloud(rng, size, (25, 70) if rng.random() < 0.5 else (70, 25))
        tone = 1 + 0.04 * weave + rng.uniform(0.08, 0.2) * folds
    return colour * tone[..., None]


def _held(scene: np.ndarray, rng: np.random.Generator, place: np.ndarray, half: np.ndarray, scale: float) -> np.ndarray:
    """Let a thumb hold the paper at its lower edge or at a side, where that is near the side of the frame."""
    axis, sign = [(0, 1), (1, -1), (1, 1)][rng.integers(3)]
    near, slant = min(half[axis], place.shape[1 + axis] / 2), rng.uniform(-0.5, 0.5)
    if near < place.shape[1 + axis] / 2 - 16 * scale:
        return scene
    inward = near - sign * place[axis] - rng.uniform(2, 7) * scale
    along = place[1 - axis] - rng.uniform(-0.5, 0.5) * half[1 - axis] + slant * inward
    radius = rng.uniform(8.5, 10.5) * scale
    far = np.hypot(along, np.maximum(inward + radius * 0.7, 0)) / radius
    skin = np.array(SKINS[rng.integers(len(SKINS))]) * (1.04 - 0.3 * np.clip(far, 0, 1) ** 3)[..., None]
    nail = np.clip((1 - np.hypot(along / 0.62, (inward + 0.6 * radius) / 0.85) / radius) * 12, 0, 1)
    skin = inked(skin, nail, np.array([250, 214, 202]) * skin.mean() / 170, 0.5)
    thumb = np.clip((1 - far) * radius + 0.5, 0, 1)
    shade = ndimage.gaussian_filter(ndimage.shift(thumb, (4, 3), order=1, mode="nearest"), 5)
    return inked(inked(scene, shade, (0, 0, 0), 0.35), thumb, skin, 1)


def _lamp(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let a lamp stand at one side, at times."""
    if rng.random() < 0.5:
        return scene
    rows, columns = np.mgrid[-0.5 : 0.5 : scene.shape[0] * 1j, -0.5 : 0.5 : scene.shape[1] * 1j]
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.3)
    away = np.hypot(rows - 0.6 * np.cos(angle), columns - 0.6 * np.sin(angle)) / height
    return scene * (1 / (1 + away**2))[..., None] * np.array(LAMPS[rng.integers(len(LAMPS))])
