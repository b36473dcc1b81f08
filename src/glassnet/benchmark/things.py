"""Things with a digit on them: the answer box of a worksheet, the lid of a tub."""

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from glassnet.benchmark.fresh import FELT_DYES, FRAMES, PEN_DYES, PENS, dye, laid, put, taken
from glassnet.benchmark.scenes import inked, paper_of
from glassnet.benchmark.stationery import Pair, desk_of, turned, whole
from glassnet.types import Image

QUESTIONS = [
    ("How many sides does the shape on the", "blackboard have?"),
    ("Anna has a bag of apples. She gives", "half of them to her brother. How", "many apples are left?"),
    ("Which number comes next in the row?", "Explain how you found it."),
    ("Count the birds that sit on the wire,", "then write the number in the box."),
    ("Read the text once more. How many", "days did the journey to the coast", "take them?"),
]
TASKS = ["Write your answer in the box.", "Answer:", "Your answer", "Answer (one digit):", "Use a pen. Write clearly."]
CLOSINGS = [
    "Show your working below.",
    "Points:  ____ / ____",
    "Go on to the next page.",
    "Do not write below this line.",
]
PRINTS = [(30, 30, 34), (30, 30, 34), (70, 70, 76), (40, 55, 110)]
TEXT = 15, 23  # pixels: the size of printed letters
BOX = 0.5, 0.66  # the height of the box, as a share of the frame's shorter side
BOX_LINE = 1.4, 3.2  # pixels: the line around the box
KEPT = 0.85  # how much of the length of a digit has to be seen
WIDEST = 0.25  # strokes, as a share of the height of a digit
RADII = 0.38, 0.5  # of a lid, as a share of the frame's shorter side
SQUASH = 0.84, 1.0  # how flat a lid looks from where the camera is
LIGHT_LIDS = [(238, 238, 234), (232, 226, 210), (240, 205, 70), (150, 200, 228), (170, 212, 150), (238, 170, 150)]
DARK_LIDS = [(38, 38, 42), (30, 48, 100), (120, 26, 34), (26, 78, 58)]
METALS = [(196, 198, 202), (212, 186, 122)]
PAINTS = [(244, 244, 240), (244, 244, 240), (245, 226, 110), (205, 208, 212)]  # paint pens, for dark lids


def write_worksheet(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen in the answer box of a printed question; the sheet can end beside it."""
    size = FRAMES[rng.integers(len(FRAMES))]
    place = _placed(rng, size, 2.5, 0.025)
    height = rng.uniform(*BOX) * min(size)
    box = np.array([height, min(height * rng.uniform(1, 1.4), 0.84 * size[1])])
    tint = PRINTS[rng.integers(len(PRINTS))]
    page = inked(paper_of(rng, size, (225, 250)), _printed(rng, place, box), tint, rng.uniform(0.8, 0.95))
    page = inked(page, _box(rng, place, box), tint, rng.uniform(0.7, 0.95))
    rows, columns = np.rint(1.1 * box).astype(int).tolist()
    ink = put(_kept(image, rng, PENS[rng.integers(len(PENS))], rng.uniform(0.54, 0.7), (rows, columns)), place)
    scene = inked(page, ink, dye(rng, PEN_DYES), rng.uniform(0.85, 0.97))
    half = np.array(size) * rng.uniform(0.6, 1.1, 2)
    shift = rng.choice([-1, 1], 2) * (half - np.array(size) / 2) * rng.uniform(0.4, 1.1, 2)
    return taken(laid(scene, rng, place + shift[:, None, None], half), rng)


def write_lid(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A marker on the round lid of a tub or jar, or a paint pen on a dark one."""
    size = FRAMES[rng.integers(len(FRAMES))]
    radius, squash = rng.uniform(*RADII) * min(size), rng.uniform(*SQUASH)
    place = _placed(rng, size, 4, 0.02)
    kind = rng.random()
    colours = LIGHT_LIDS if kind < 0.5 else METALS if kind < 0.7 else DARK_LIDS
    colour = np.clip(np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.94, 1.04), 0, 250)
    flat = place / np.array([squash, 1])[:, None, None]
    top = _moulded(rng, flat / radius, colour, metal=colours is METALS)
    side = round(1.8 * radius)
    ink = put(_kept(image, rng, PENS[rng.integers(2, 4)], rng.uniform(0.49, 0.62), (side, side)), flat)
    flow = np.clip(0.97 + 0.5 * ndimage.gaussian_filter(rng.normal(0, 1, size), 4), 0.85, 1)
    paint = np.array(PAINTS[rng.integers(len(PAINTS))]) if colours is DARK_LIDS else dye(rng, FELT_DYES) * 0.8
    top = _glossed(inked(top, ink * flow, paint, rng.uniform(0.9, 0.98)), rng, flat / radius)
    return taken(_stood(top, rng, place, colour, (radius, squash)), rng)


def _placed(rng: np.random.Generator, size: tuple[int, int], degrees: float, away: float) -> np.ndarray:
    """Return where each pixel is from the middle of a thing that is turned and not quite in the middle of the frame."""
    place = np.array(turned(rng, size, degrees)) - np.array(size)[:, None, None] / 2
    return place + rng.normal(0, away, (2, 1, 1)) * min(size)


def _kept(image: Image, rng: np.random.Generator, width: Pair, share: float, room: tuple[int, int]) -> np.ndarray:
    """Write a digit with strokes that are wide enough for its fine ends not to be lost."""
    ink = whole(image, rng, width, (share, share), room)
    while width[0] < WIDEST and _span(ink > 0.4) < KEPT * _span(image > 115) * share * room[0] / 20:
        width = width[0] + 0.03, width[1] + 0.03
        ink = whole(image, rng, width, (share, share), room)
    return ink


def _span(inside: np.ndarray) -> int:
    """Return the longer side of what is inside a mask."""
    return max(int(np.ptp(np.flatnonzero(inside.any(axis)))) + 1 for axis in (0, 1))


def _printed(rng: np.random.Generator, place: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Print a question above the box and a few words below it; the words can go on beyond the frame."""
    height, width = (np.array(place.shape[1:]) * 1.5).astype(int).tolist()
    sheet = Picture.new("L", (width, height))
    draw = ImageDraw.Draw(sheet)
    letters = rng.uniform(*TEXT)
    font, bold = ImageFont.load_default(letters), ImageFont.load_default(1.15 * letters)
    left = width / 2 - box[1] / 2 - rng.uniform(0, 0.6) * (place.shape[2] - box[1]) / 2
    number = f"Question {rng.integers(1, 30)}"
    question = QUESTIONS[rng.integers(len(QUESTIONS))]
    above = [number, *question, TASKS[rng.integers(len(TASKS))]]
    line = 1.45 * letters
    top = height / 2 - box[0] / 2 - line * (len(above) + 0.4)
    for row, words in enumerate(above):
        draw.text((left, top + row * line), words, 255, bold if row == 0 else font, stroke_width=0.4 * (row == 0))
    below = height / 2 + box[0] / 2 + rng.uniform(0.5, 1.2) * line
    for words in [CLOSINGS[rng.integers(len(CLOSINGS))], "", f"Question {rng.integers(30, 60)}"]:
        draw.text((left, below), words, 255, font)
        below += line
    return put(np.asarray(sheet) / 255, place)


def _box(rng: np.random.Generator, place: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Print the line around an answer, with sharp or round corners."""
    corner = rng.choice([0, 0, 8, 18])
    beyond = np.abs(place) - box[:, None, None] / 2 + corner
    far = np.hypot(*np.maximum(beyond, 0)) + np.minimum(beyond.max(0), 0) - corner
    return np.clip(rng.uniform(*BOX_LINE) / 2 + 0.5 - np.abs(far), 0, 1)


def _moulded(rng: np.random.Generator, place: np.ndarray, colour: np.ndarray, *, metal: bool) -> np.ndarray:
    """Return the top of a lid, with a raised rim and a step or two; places are in radii."""
    far, turn = np.hypot(*place), np.arctan2(*place)
    light = rng.uniform(0, 2 * np.pi)
    slope = np.zeros(far.shape)
    steps = [(0.985, -1.0), (0.93, 0.8), (rng.uniform(0.84, 0.88), rng.choice([-0.7, 0.7]))]
    for ring, steep in steps[: rng.integers(2, 4)]:
        slope += steep * np.exp(-(((far - ring) / rng.uniform(0.01, 0.022)) ** 2))
    tone = 1 + rng.uniform(0.25, 0.45) * slope * np.cos(turn - light) - 0.08 * np.abs(slope)
    tone = tone + 0.012 * ndimage.gaussian_filter(rng.normal(0, 1, far.shape), 1.2)
    if metal:  # spun: light lies on it in two wedges, over fine rings
        tone = tone * (1 + rng.uniform(0.08, 0.2) * np.cos(2 * (turn - light)) * np.clip(4 * far, 0, 1))
        tone = tone * (1 + 0.02 * np.sin(far * rng.uniform(150, 220)))
    return np.maximum(colour, 24) * tone[..., None]


def _glossed(top: np.ndarray, rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Let a window or lamp be reflected softly, in a lid and in the ink on it."""
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 0.8)
    across = place[0] * np.cos(angle) + place[1] * np.sin(angle) - away
    along = place[1] * np.cos(angle) - place[0] * np.sin(angle)
    far = np.maximum(np.abs(across) - rng.uniform(0.06, 0.16), np.abs(along) - rng.uniform(0.15, 0.4))
    shine = rng.uniform(0.06, 0.32) / (1 + np.exp(np.clip(far / rng.uniform(0.02, 0.06), -50, 50)))
    return top + (255 - top) * shine[..., None]


def _stood(
    top: np.ndarray, rng: np.random.Generator, place: np.ndarray, colour: np.ndarray, shape: tuple[float, float]
) -> np.ndarray:
    """Stand a lid with its ribbed side on a table, with a soft shadow."""
    (down, right), (radius, squash) = place, shape
    depth = radius * (0.06 + 0.9 * (1 - squash))
    swept = np.hypot((down - np.clip(down, 0, depth)) / squash, right) - radius
    lid, stood = (np.clip(0.5 - far, 0, 1)[..., None] for far in (np.hypot(down / squash, right) - radius, swept))
    across = np.clip(right / radius, -0.999, 0.999)
    ribs = 1 + rng.choice([0, 0.1]) * np.cos(rng.integers(60, 110) * np.arcsin(across))
    wall = np.maximum(colour, 24) * ((0.4 + 0.35 * np.sqrt(1 - across**2)) * ribs)[..., None]
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(4, 12)
    cast = ndimage.shift(stood[..., 0], (height * np.sin(angle), height * np.cos(angle)), order=1)
    shade = rng.uniform(0.35, 0.6) * ndimage.gaussian_filter(cast, height)
    desk = desk_of(rng, lid.shape[:2]) * (1 - shade[..., None])
    scene = desk * (1 - stood) + wall * stood
    return scene * (1 - lid) + top * lid
