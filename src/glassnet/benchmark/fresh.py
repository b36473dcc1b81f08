"""Sheets and envelopes on tables, written by somebody who had not seen what reads photos: its first blind test."""

import numpy as np
from scipy import ndimage

from glassnet.benchmark.scenes import INKS, inked, lit, paper_of, photographed
from glassnet.benchmark.stationery import desk_of, focused, turned, whole
from glassnet.types import Image

FRAMES = [(480, 640), (640, 480)]
SHEETS = [(105, 148), (148, 210), (148, 210), (210, 297)]  # millimetres: A6, A5, A4
ENVELOPES = [(114, 162), (162, 229), (162, 229), (220, 300)]  # C6, C5 and a parcel
SQUARE = 5  # millimetres
LEAN = 0.28  # how much larger the near side of a sheet can be than the far side
EXPOSURE = 150, 220  # how light a camera makes the light parts of a scene
PENS = [(0.03, 0.045), (0.04, 0.06), (0.07, 0.1), (0.1, 0.15)]  # strokes of a ballpoint, gel pen, felt pen and marker
PEN_DYES = ["blue", "blue", "blue", "black", "black", "black", "red", "green", "violet"]
FELT_DYES = ["black", "black", "black", "blue", "blue", "red", "green"]
GRIDS = [(150, 175, 220), (170, 170, 178), (140, 185, 195)]
KRAFTS = [(198, 160, 116), (182, 140, 96), (210, 176, 134)]
TAPES = [(176, 132, 78), (222, 206, 172), (236, 232, 222)]


def write_page(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen or marker on a plain or squared sheet on a table; most or all of the sheet can be seen."""
    place, half, scale = _seen(rng, SHEETS)
    page = paper_of(rng, place.shape[1:], (222, 248))
    if rng.random() < 0.5:
        page = _squared(page, rng, place, SQUARE * scale)
    if rng.random() < 0.3:
        page = _folded(page, place[rng.integers(2)] - rng.normal(0, 3), rng.uniform(0.04, 0.1))
    ink = _ink(image, rng, place, half, PENS[rng.integers(len(PENS))], (0.38, 0.68))
    scene = inked(page, ink, dye(rng, PEN_DYES), rng.uniform(0.85, 0.97))
    return taken(laid(scene, rng, place, half), rng)


def write_envelope(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A felt pen or marker on kraft paper with a fold or seam, and perhaps a label or tape at the edge."""
    place, half, _ = _seen(rng, ENVELOPES)
    near = np.minimum(half, np.array(place.shape[1:]) / 2)  # what can be seen of it
    paper = _kraft(rng, place.shape[1:])
    axis, side = rng.integers(2), rng.choice([-1, 1])
    paper = _folded(paper, place[axis] * side - rng.uniform(0.74, 0.84) * near[axis], rng.uniform(0.12, 0.28))
    extra = rng.random()
    if extra < 0.35:
        paper = _labelled(paper, rng, place, near)
    elif extra < 0.6:
        paper = _taped(paper, rng, place, near)
    ink = _ink(image, rng, place, 0.78 * half, PENS[rng.integers(2, 4)], (0.5, 0.8))
    soaked = ink * np.clip(0.96 + 0.6 * ndimage.gaussian_filter(rng.normal(0, 1, ink.shape), 3), 0.8, 1)
    scene = inked(paper, soaked, dye(rng, FELT_DYES) * 0.75, rng.uniform(0.88, 0.96))
    return taken(laid(scene, rng, place, half), rng)


def _seen(rng: np.random.Generator, sheets: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return where each pixel is from the middle of a sheet, half the sheet's sides, and the pixels in a millimetre."""
    size = FRAMES[rng.integers(len(FRAMES))]
    short, long = sheets[rng.integers(len(sheets))]
    sides = np.array((short, long) if size[0] < size[1] else (long, short), np.float64)
    scale = rng.uniform(0.86, 1.12) * float((np.array(size) / sides).min())
    place = np.array(turned(rng, size, 3)) - np.array(size)[:, None, None] / 2
    lean = rng.uniform(-LEAN, LEAN, 2) / size
    place = place / (1 + lean[0] * place[0] + lean[1] * place[1])
    return place + rng.normal(0, 0.02, (2, 1, 1)) * min(size), scale * sides / 2, scale


def _ink(
    image: Image,
    rng: np.random.Generator,
    place: np.ndarray,
    half: np.ndarray,
    width: tuple[float, float],
    share: tuple[float, float],
) -> np.ndarray:
    """Write a digit on a sheet, with room to the edges of the sheet and of the frame."""
    rows, columns = np.rint(1.66 * np.minimum(half, np.array(place.shape[1:]) / 2)).astype(int).tolist()
    fit = min(rows, columns) / rows
    ink = whole(image, rng, width, (share[0] * fit, share[1] * fit), (rows, columns))
    return put(ink, place)


def put(ink: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Put what is drawn upright where its middle is the middle of places."""
    middle = np.array(ink.shape)[:, None, None] / 2
    return np.clip(np.asarray(ndimage.map_coordinates(ink, place + middle, order=1)), 0, 1)


def dye(rng: np.random.Generator, names: list[str]) -> np.ndarray:
    """Return the colour of an ordinary pen."""
    return np.clip(np.array(INKS[names[rng.integers(len(names))]]) + rng.normal(0, 10, 3), 10, 255)


def _squared(page: np.ndarray, rng: np.random.Generator, place: np.ndarray, period: float) -> np.ndarray:
    """Print squares on a page."""
    thick = max(0.07 * period, 0.8)
    far = np.abs((place + rng.uniform(0, period, (2, 1, 1))) % period - period / 2).min(0)
    lines = np.clip(thick / 2 + 0.5 - far, 0, 1)
    return inked(page, lines, GRIDS[rng.integers(len(GRIDS))], rng.uniform(0.45, 0.8))


def _folded(paper: np.ndarray, far: np.ndarray, depth: float) -> np.ndarray:
    """Fold paper where `far` is 0: a dark line with a light one beside it, and one side a little darker."""
    line = depth * np.exp(-((far / 1.3) ** 2)) - 0.5 * depth * np.exp(-(((far - 3) / 1.6) ** 2))
    slope = 0.35 * depth * np.exp(-np.abs(far) / 25) * (far > 0)
    return paper * (1 - line - slope)[..., None]


def _kraft(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Return brown paper with clouds, fibres along it and a few dark flecks."""
    cloud, fibre, fleck = (ndimage.gaussian_filter(rng.normal(0, 1, size), s) for s in ((9, 14), (0.7, 4), (0.7, 1.6)))
    tone = 1 + 0.02 * cloud / cloud.std() + rng.uniform(0.02, 0.045) * fibre / fibre.std()
    tone = tone - 0.16 * np.clip(fleck / fleck.std() - 2.6, 0, 1)
    return np.array(KRAFTS[rng.integers(len(KRAFTS))]) * rng.uniform(0.92, 1.06) * tone[..., None]


def _labelled(paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Stick the corner of a printed label, with a few lines of small print, on a corner of what can be seen."""
    corner = rng.choice([-1, 1], 2)[:, None, None]
    down, right = place * corner - (near * rng.uniform((0.72, 0.6), (0.8, 0.72)))[:, None, None]
    label = np.clip(np.minimum(down, right) + 0.5, 0, 1)
    shade = np.clip(ndimage.gaussian_filter(label, 2.5) - label, 0, 1)
    row = np.floor(down / 11).astype(int)
    words = rng.random((64, 512)) < 0.68
    text = words[row % 64, np.floor(right / 4).astype(int) % 512] & (down % 11 < 5) & (down > 11) & (right > 12)
    small = np.asarray(ndimage.gaussian_filter(text * 1.0, 0.6))
    white = inked(np.full(paper.shape, rng.uniform(228, 248)), small, (50, 50, 55), 0.8)
    return inked(paper, shade, (60, 45, 30), 0.5) * (1 - label[..., None]) + white * label[..., None]


def _taped(paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Stick a strip of shiny tape along one side of what can be seen."""
    axis, side = rng.integers(2), rng.choice([-1, 1])
    slant = rng.normal(0, 0.02) * place[1 - axis]
    far = place[axis] * side + slant - rng.uniform(0.76, 0.84) * near[axis]
    strip = np.clip(far + 0.5, 0, 1)
    gloss = 1 + 0.12 * np.sin(far / rng.uniform(7, 12)) + 0.25 * np.exp(-(((far - 14) / 5) ** 2))
    tape = np.array(TAPES[rng.integers(len(TAPES))]) * gloss[..., None]
    return paper * (1 - 0.65 * strip[..., None]) + 0.65 * strip[..., None] * tape


def laid(scene: np.ndarray, rng: np.random.Generator, place: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Lay a sheet on a table, with the soft shadow of its edges."""
    bend = rng.uniform(-0.008, 0.008, 2) * half.min()
    sway = np.array([bend[0] * (place[1] / half[1]) ** 2, bend[1] * (place[0] / half[0]) ** 2])
    far = (np.abs(place + sway) - half[:, None, None]).max(0)
    sheet, height = np.clip(0.5 - far, 0, 1), rng.uniform(1, 4)
    angle = rng.uniform(0, 2 * np.pi)
    cast = ndimage.shift(sheet, (height * np.sin(angle), height * np.cos(angle)), order=1, mode="nearest")
    shade = rng.uniform(0.3, 0.55) * ndimage.gaussian_filter(cast, 1.2 * height)
    desk = desk_of(rng, sheet.shape) * (1 - shade[..., None])
    return desk * (1 - sheet[..., None]) + scene * sheet[..., None]


def taken(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take a picture in a room, at times with the shadow of the hand or the phone on the sheet."""
    if rng.random() < 0.55:
        scene = _overshadowed(scene, rng)
    scene = lit(scene, rng, shadow=0.15)
    exposed = scene * rng.uniform(*EXPOSURE) / np.percentile(scene.mean(2), 90)
    return photographed(focused(exposed, rng), rng, tilt=0.02)


def _overshadowed(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let a phone, or a hand with its arm, cast a soft shadow from one side of the frame."""
    size = np.array(scene.shape[:2])
    rows, columns = np.mgrid[-0.5 : 0.5 : size[0] * 1j, -0.5 : 0.5 : size[1] * 1j]
    turn = rng.uniform(0, 2 * np.pi)
    inward, along = rows * np.cos(turn) + columns * np.sin(turn), columns * np.cos(turn) - rows * np.sin(turn)
    along, reach = along - rng.uniform(-0.25, 0.25), rng.uniform(-0.3, 0.15)
    if rng.random() < 0.5:  # a phone
        far = np.maximum(np.abs(along) - rng.uniform(0.14, 0.26), inward - reach)
    else:  # an arm that ends in a hand
        arm = np.maximum(np.abs(along) - 0.12, inward - reach)
        far = np.minimum(arm, np.hypot(along / 1.1, (inward - reach) / 1.5) - 0.16)
    dark = rng.uniform(0.15, 0.38) / (1 + np.exp(np.clip(far / rng.uniform(0.012, 0.04), -50, 50)))
    return scene * (1 - dark[..., None])
