"""Notebooks and sticky notes, photographed."""

import numpy as np
from scipy import ndimage

from glassnet.benchmark.handwriting import written
from glassnet.benchmark.scenes import INKS, ink_colour, inked, lit, paper_of, photographed
from glassnet.photos.pieces import count_pieces
from glassnet.types import Image

Pair = tuple[float, float]
DESKS = [(222, 214, 200), (205, 172, 128), (150, 108, 72), (92, 62, 44), (70, 72, 78), (190, 192, 195)]
NOTES = {"yellow": (250, 232, 120), "pink": (250, 160, 190), "green": (188, 226, 122), "blue": (140, 205, 238)}


def write_notebook(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A ballpoint, fineliner or gel pen on a dotted or ruled page, with a margin and holes or a spiral at one side."""
    size = 360, 480
    down, right = turned(rng, size, 2)
    if rng.random() < 0.3:
        right = size[1] - right
    scale = rng.uniform(4.5, 7)  # pixels in a millimetre
    spiral = rng.random() < 0.5
    edge = scale * (rng.uniform(4.5, 6.5) if spiral else rng.uniform(0, 3))
    margin = edge + scale * rng.uniform(10, 13)
    page = _printed_page(paper_of(rng, size, (215, 250)), rng, np.array([down, right - margin]), scale)
    page = _bound(page, rng, np.array([down, right - edge]) / scale, spiral=spiral)
    # The digit is between the margin and the other side, with room to the edges of the frame.
    room = size[0] - 64, round(size[1] - margin - 44)
    pen, cover = [((0.065, 0.08), 0.85), ((0.065, 0.085), 0.95), ((0.07, 0.1), 0.97)][rng.integers(3)]
    ink = whole(image, rng, pen, (0.25, 0.62), room)
    if right[0, 0] > right[0, -1]:
        ink = ink[:, ::-1]
    ink = np.asarray(ndimage.map_coordinates(ink, np.array([down - 32, right - margin - 12]), order=1))
    scene = inked(page, ink, ink_colour(rng), cover * rng.uniform(0.93, 1))
    return photographed(focused(lit(scene, rng, shadow=0.35), rng), rng, tilt=0.08)


def write_sticky(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A felt pen or marker on a coloured sticky note that lies on a desk."""
    size = 400, int(rng.integers(380, 440))
    side = np.sqrt(rng.uniform(0.47, 0.83) * size[0] * size[1])  # the camera crops some of the desk
    down, right = turned(rng, size, 5)
    down, right = down - size[0] / 2 + rng.normal(0, 4), right - size[1] / 2 + rng.normal(0, 4)
    curl = rng.uniform(0, 0.02) * side * (1 - (2 * right / side) ** 2)
    far = np.maximum(np.maximum(-down, down - curl), np.abs(right)) - side / 2
    note, angle, above = np.clip(0.5 - far, 0, 1), rng.uniform(0, 2 * np.pi), rng.uniform(2, 6)
    # The lower edge, without glue, is a little above the desk: its shadow is wider.
    cast = ndimage.shift(note, (above * (1.3 + np.sin(angle)), above * np.cos(angle)), order=1, mode="nearest")
    near, wide = ndimage.gaussian_filter(cast, above), ndimage.gaussian_filter(cast, 2.5 * above)
    lift = np.clip(0.5 + down / side, 0, 1)
    shade = rng.uniform(0.3, 0.6) * (near * (1 - lift) + wide * lift)
    desk = desk_of(rng, size) * (1 - shade[..., None])
    colour = np.array(list(NOTES.values())[rng.integers(len(NOTES))]) * rng.uniform(0.94, 1.02, 3)
    paper = paper_of(rng, size, (235, 250)) / 250 * colour * (1 + rng.uniform(-0.12, 0.08) * lift**3)[..., None]
    felt, inner = rng.random() < 0.5, round(0.9 * side)
    ink = whole(image, rng, (0.075, 0.12) if felt else (0.1, 0.18), (0.38, 0.66), (inner, inner))
    ink = np.asarray(ndimage.map_coordinates(ink, np.array([down + inner / 2, right + inner / 2]), order=1))
    ink = ndimage.gaussian_filter(ink, rng.uniform(0.4, 1))
    dyes = [INKS[name] for name in ("black", "black", "blue", "blue", "red", "green", "violet")]
    dye = np.array(dyes[rng.integers(len(dyes))]) + rng.normal(0, 8, 3)
    flow = np.clip(0.95 + 0.5 * ndimage.gaussian_filter(rng.normal(0, 1, size), 5), 0.8, 1)
    scene = inked(paper, ink * flow, np.clip(dye, 10, 255) * colour / 255, rng.uniform(0.88, 0.98))
    scene = desk * (1 - note[..., None]) + scene * note[..., None]
    return photographed(lit(scene, rng, shadow=0.3), rng, tilt=0.05)


def whole(image: Image, rng: np.random.Generator, width: Pair, share: Pair, size: tuple[int, int]) -> np.ndarray:
    """Write a digit with strokes that are wide enough for it not to fall to pieces."""
    ink = written(image, rng, width=width, share=share, size=size)
    while width[0] < 0.2 and count_pieces(ink > 0.4) > count_pieces(image > 60):
        width = width[0] + 0.02, width[1] + 0.02
        ink = written(image, rng, width=width, share=share, size=size)
    return ink


def turned(rng: np.random.Generator, size: tuple[int, int], degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where each pixel is on a sheet that is turned about the middle of the frame."""
    turn = np.deg2rad(np.clip(rng.normal(0, degrees), -2 * degrees, 2 * degrees))
    rows, columns = np.mgrid[-size[0] / 2 : size[0] / 2, -size[1] / 2 : size[1] / 2]
    down = rows * np.cos(turn) - columns * np.sin(turn) + size[0] / 2
    return down, rows * np.sin(turn) + columns * np.cos(turn) + size[1] / 2


def _printed_page(paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, scale: float) -> np.ndarray:
    """Print dots or lines, and the line of a margin, on a page; places count from the margin."""
    (down, right), dotted = place, rng.random() < 0.5
    period = scale * (5 if dotted else rng.uniform(7, 9))
    rows = np.abs((down + rng.uniform(0, period)) % period - period / 2)
    columns = np.abs(right % period - period / 2)
    width = scale * (rng.uniform(0.25, 0.4) if dotted else rng.uniform(0.1, 0.2))
    printed = np.clip(width + 0.5 - (np.hypot(rows, columns) if dotted else rows), 0, 1)
    grey = dotted or rng.random() < 0.4
    page = inked(paper, printed, (150, 150, 158) if grey else (140, 170, 215), rng.uniform(0.6, 0.85))
    red = (150, 160, 200) if rng.random() < 0.25 else (215, 120, 130)
    return inked(page, np.clip(0.13 * scale + 0.5 - np.abs(right), 0, 1), red, rng.uniform(0.6, 0.85))


def _bound(page: np.ndarray, rng: np.random.Generator, place: np.ndarray, *, spiral: bool) -> np.ndarray:
    """Lay a page on a desk, with holes along its edge and perhaps a spiral in them; places in millimetres."""
    down, right = place
    pitch = rng.uniform(8, 9.5) if spiral else [9.5, 80.0][rng.integers(2)]
    phase = rng.uniform(0, pitch) if pitch < 10 else rng.uniform(-10, 10) + 40 - down.mean()
    along = (down + phase) % pitch - pitch / 2
    radius, inset = (2, 4.5) if spiral or pitch < 10 else (2.9, 6)
    holes = np.clip((radius - np.hypot(along, right - inset)) * 5 + 0.5, 0, 1)
    desk = desk_of(rng, page.shape[:2])
    sheet = np.clip(right * 5 + 0.5, 0, 1) * (1 - holes)
    shade = 0.4 * ndimage.gaussian_filter(np.roll(sheet, 3, 0), 4)
    scene = desk * (1 - shade[..., None]) * (1 - sheet[..., None]) + page * sheet[..., None]
    if not spiral:
        return scene
    metal, slant = np.array([(205, 205, 210), (60, 60, 64), (235, 235, 232)][rng.integers(3)]), rng.uniform(-0.12, 0.12)
    for side in (-0.9, 0.9) if rng.random() < 0.5 else (0.0,):
        inside = np.clip(right, -3.5, inset)
        across = along - side - slant * (inside - inset)
        far = np.hypot(across, right - inside)
        scene = scene * (1 - 0.3 * ndimage.gaussian_filter(np.clip((0.6 - far) * 5, 0, 1), 3))[..., None]
        shine = np.clip(1.1 - 0.55 * np.abs(across + 0.15) / 0.5, 0.4, 1.1)
        wire = np.clip((0.5 - far) * 5 + 0.5, 0, 1)[..., None]
        scene = scene * (1 - wire) + wire * metal * shine[..., None]
    return scene


def desk_of(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    """Return a desk, plain or with the grain of wood."""
    kind = rng.integers(len(DESKS))
    desk = np.array(DESKS[kind]) * rng.uniform(0.9, 1.1) + rng.normal(0, 1.5, (size[0], size[1], 1))
    if kind < 4 and rng.random() < 0.8:  # the colours of wood
        grain = ndimage.gaussian_filter(rng.normal(0, 1, size[:2]), (1.2, 40))
        desk = desk * (1 + rng.uniform(0.03, 0.06) * grain / grain.std())[..., None]
    return desk


def focused(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur the scene a little, more and more towards one side."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-0.5 : 0.5 : scene.shape[0] * 1j, -0.5 : 0.5 : scene.shape[1] * 1j]
    share = np.clip(0.4 + np.cos(angle) * rows + np.sin(angle) * columns, 0, 1)[..., None]
    strength = rng.uniform(1, 2.5)
    return scene * (1 - share) + share * ndimage.gaussian_filter(scene, (strength, strength, 0))
