"""More everyday photos, a sheet in the evening and a card in a hand: a blind test that was made as `everyday` was."""

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from glassnet.benchmark.everyday import CLOTHS, LAMPS, PASTELS, SKINS, viewed
from glassnet.benchmark.fresh import FRAMES, GRIDS, put
from glassnet.benchmark.pens import SMALLEST, cloud, penned
from glassnet.benchmark.scenes import inked, paper_of, photographed
from glassnet.benchmark.stationery import DESKS, Pair, focused
from glassnet.types import Image

TALL, VIEW = (16, 75), (215, 60)  # millimetres: a digit on a sheet, what the shorter side of the frame shows of it
CARDS = {"index": (76, 127), "plain": (74, 105), "squares": (74, 105), "note": (80, 90), "receipt": (80, 150)}
HEADS = [("Hotel Seeblick", "Garden rooms, restaurant, boats"), ("BRIGHT & SONS", "Joiners and cabinet makers")]
HEADS += [("Notes", "Date: ______________"), ("Greenfield Pharmacy", "Market Square, next to the church")]
GOODS = ["Milk, whole", "Bread", "Apples, loose", "Butter", "Coffee beans", "Total", "Cash", "Thank you for coming"]
PRINTS = [(190, 60, 60), (50, 80, 150), (60, 120, 80), (200, 160, 60), (90, 90, 100)]  # heads and cloths
# Flash, a desk lamp, dusk: how far from the middle the light is, the exposure, the most noise and the most shake.
LIGHTS = [((0, 0.12), (190, 235), 3, 0), ((0.4, 0.7), (150, 225), 5, 0), ((1, 1.3), (110, 180), 10, 1.7)]


def write_evening(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen on printer paper or a letter pad that fills most of the frame, by a desk lamp, with flash or at dusk."""
    size, kind = FRAMES[rng.integers(len(FRAMES))], rng.choice(["plain", "plain", "squares", "lines", "head", "head"])
    place, middle, paper = (
        viewed(rng, size, degrees=2.3, aside=0.22, away=0.015),
        np.array(size) / 2,
        paper_of(rng, size, (228, 250)),
    )
    long = rng.uniform(SMALLEST, 0.5 if kind == "head" else 0.73) * min(size)
    scale = np.clip(long / np.exp(rng.uniform(*np.log(TALL))), *(min(size) / np.array(VIEW)))  # pixels in a millimetre
    spot = (middle - 0.6 * long) * rng.uniform((0.35 if kind == "head" else -0.6, -0.6), 0.6)
    if kind in ("squares", "lines") or rng.random() < 0.2:
        paper = _ruled(paper, rng, place if kind == "squares" else place[:1], scale * (5 if kind == "squares" else 8))
    if kind == "head":
        letters, (name, trade) = rng.uniform(5, 8) * scale, HEADS[rng.integers(len(HEADS))]
        low = min(rng.uniform(3, 4.5) * letters - middle[0], spot[0] - long / 2 - 4 * scale)
        words = _words([(name, letters, low - 1.9 * letters), (trade, 0.5 * letters, low - 0.9 * letters)], place)
        line = np.clip(0.2 * scale + 0.5 - np.abs(place[0] - low), 0, 1) * rng.choice([0, 1])
        paper = inked(paper, np.maximum(words, line), PRINTS[rng.integers(len(PRINTS))], rng.uniform(0.7, 0.95))
    paper = penned(paper, _opened(image), rng, place - spot[:, None, None], (long, scale))
    sheet = np.ones(size)
    for axis, sign in [(0, 1), (1, 1), (1, -1), (0, -1)][: 1 if kind == "head" else 4]:
        if rng.random() < 0.25:  # the sheet ends on this side
            edge = max(rng.uniform(0.72, 1) * middle[axis], sign * spot[axis] + 0.55 * long + 0.05 * min(size))
            sheet = np.minimum(sheet, np.clip(0.5 + edge - sign * place[axis], 0, 1))
    shade = rng.uniform(0.3, 0.6) * ndimage.gaussian_filter(sheet, rng.uniform(2, 7))
    return _evening(inked(inked(_cloth(rng, place, scale), shade, (0, 0, 0), 1), sheet, paper, 1), rng)


def write_card(image: Image, rng: np.random.Generator) -> np.ndarray:
    """A pen on an index card, a note or the back of a receipt that a hand holds up in a room."""
    size, kind = FRAMES[rng.integers(len(FRAMES))], str(rng.choice(list(CARDS)))
    wide = kind != "receipt" and (size[0] < size[1]) == (rng.random() < 0.8)
    sides = np.array(CARDS[kind] if wide else CARDS[kind][::-1])
    scale = rng.uniform(0.72, 0.98) * float((np.array(size) / sides).min())
    half, place = scale * sides / 2, viewed(rng, size, degrees=2.3, aside=0.22, away=0.015)
    curl = rng.uniform(-1, 1, (2, 1, 1)) * (0.05 if kind == "receipt" else 0.02)
    bent = place + half.min() * curl * (place / half[:, None, None])[::-1] ** 2
    paper = paper_of(rng, size, (226, 250)) * PASTELS[rng.integers(len(PASTELS)) if kind in ("plain", "note") else 0]
    if kind == "receipt":  # its print shows through
        rows = [(GOODS[rng.integers(len(GOODS))], 3.4 * scale, (k - 14) * 5 * scale) for k in range(28)]
        words = ndimage.gaussian_filter(_words(rows, bent * np.array([1, -1])[:, None, None]), 0.25 * scale)
        paper = inked(paper, words, (110, 110, 122), rng.uniform(0.1, 0.25))
    elif kind in ("index", "squares"):
        paper = _ruled(paper, rng, *((bent[:1], 6.4 * scale) if kind == "index" else (bent, 5 * scale)))
        line = np.clip(0.25 * scale + 0.5 - np.abs(bent[0] + half[0] - 12 * scale), 0, 1)
        paper = inked(paper, line * (kind == "index"), (214, 110, 120), 0.7)
    out = np.array([(1, 0), (1, 0), (0, -1), (0, 1)][rng.integers(4)])  # towards the hand
    free = half - scale * (3 + 6.5 * np.abs(out))
    long = max(rng.uniform(0.4, 0.95) * 2 * min(free), SMALLEST * min(size))
    spot = np.maximum(free - 0.55 * long, 0) * rng.uniform(-0.6, 0.6, 2) - 6.5 * scale * out
    paper = penned(paper, _opened(image), rng, bent - spot[:, None, None], (long, scale))
    slope = np.tensordot(rng.uniform(-0.1, 0.1, 2), bent / half[:, None, None], 1) + 2 * curl[0] * bent[1] / half[1]
    card = np.clip(0.5 - (np.abs(bent) - half[:, None, None]).max(0), 0, 1)
    grip, lean = half * (out + rng.uniform(-0.4, 0.4) * out[::-1]), out + rng.uniform(-0.5, 0.5) * out[::-1]
    skin = np.array(SKINS[rng.integers(len(SKINS))]) * rng.uniform(0.85, 1.05)
    hand = place - (grip + scale * (rng.uniform(-8, 8) * out[::-1] - 24 * lean))[:, None, None]
    scene = _limb(_room(rng, size), rng, hand, 170 * scale * lean, 26 * scale, skin * 0.9)
    scene = inked(scene, card, paper * (rng.uniform(0.8, 1.1) * (1 + slope))[..., None], 1)
    scene = _limb(scene, rng, place - grip[:, None, None], 70 * scale * lean, 9 * scale, skin)
    return _shot(scene, rng, (150, 220), rng.uniform(0, 5), 0)


def _opened(image: Image) -> Image:
    """Make the narrow loops and gaps of a digit clearer, for a pen not to close them."""
    return np.clip(image + 1.6 * (image - ndimage.gaussian_filter(image * 1.0, 1.2)), 0, 255).astype(np.uint8)


def _ruled(paper: np.ndarray, rng: np.random.Generator, place: np.ndarray, period: float) -> np.ndarray:
    """Print lines, or squares where places have two axes."""
    far = np.abs((place + rng.uniform(0, period, (len(place), 1, 1))) % period - period / 2).min(0)
    lines = np.clip(max(0.035 * period, 0.8) / 2 + 0.5 - far, 0, 1)
    return inked(paper, lines, GRIDS[rng.integers(len(GRIDS))], rng.uniform(0.4, 0.8))


def _words(rows: list[tuple[str, float, float]], place: np.ndarray) -> np.ndarray:
    """Print rows of words, each with the size of its letters and how far below the middle of places it is."""
    width, height = (np.array(place.shape[:0:-1]) * 2).tolist()
    sheet = Picture.new("L", (width, height))
    for words, letters, down in rows:
        ImageDraw.Draw(sheet).text(
            (width / 2, height / 2 + down), words, 255, ImageFont.load_default(letters), anchor="mm"
        )
    return put(np.asarray(sheet) / 255, place)


def _cloth(rng: np.random.Generator, place: np.ndarray, scale: float) -> np.ndarray:
    """Return the printed cloth of a kitchen table, checked or dotted, with its weave and soft folds."""
    period = rng.uniform(12, 30) * scale
    wave = np.cos(2 * np.pi * place / period)
    checks, dots = np.clip(wave * period / 6 + 0.5, 0, 1).mean(0), np.clip((wave.sum(0) - 1.2) * period / 8, 0, 1)
    cloth = paper_of(rng, dots.shape, (215, 240))
    cloth = inked(cloth, checks if rng.random() < 0.6 else dots, PRINTS[rng.integers(len(PRINTS))], 0.8)
    return cloth * (1 + 0.03 * cloud(rng, dots.shape, 0.7) + 0.07 * cloud(rng, dots.shape, 40))[..., None]


def _room(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a room out of focus: a wall, a floor, furniture, books, at times a bright window."""
    rows, columns = np.mgrid[-0.5 : 0.5 : size[0] * 1j, -0.5 : 0.5 : size[1] * 1j]
    colours, room = np.array(CLOTHS), np.ones((*size, 1)) * DESKS[rng.integers(len(DESKS))]
    room = inked(room, 1.0 * (rows > rng.uniform(0.1, 0.5)), colours[rng.integers(len(colours))], 0.9)
    for k in range(rng.integers(3, 9)):
        down, right, high, wide = *rng.uniform(-0.5, 0.5, 2), *rng.uniform(0.05, 0.3, 2)
        thing = 1.0 * ((np.abs(rows - down) < high) & (np.abs(columns - right) < wide))
        books = colours[rng.integers(len(colours), size=60)][((columns + 0.5) * rng.uniform(20, 50)).astype(int)]
        plain = (330, 320, 300) if k == 2 and rng.random() < 0.4 else colours[rng.integers(len(colours))]
        room = inked(room, thing, books if rng.random() < 0.3 else plain, 1)
    room = ndimage.uniform_filter(room, int(rng.integers(9, 30)), axes=(0, 1))
    return ndimage.gaussian_filter(room, (rng.uniform(3, 6),) * 2 + (0,)) * rng.uniform(0.6, 1.15)


def _limb(
    scene: np.ndarray, rng: np.random.Generator, place: np.ndarray, root: np.ndarray, width: float, skin: np.ndarray
) -> np.ndarray:
    """Draw a thumb, or the hand behind a card, from its tip, where places are 0, to its root, with its shadow."""
    length = float(np.hypot(*root))
    along, across = np.tensordot([root, root[::-1] * (1, -1)], place, 1) / length
    radius = width * (1 + 0.3 * np.clip(along / length, 0, 1))
    far = np.hypot(across, along - np.clip(along, 0, length)) / radius
    inside, across, along = np.clip((1 - far) * radius + 0.5, 0, 1), across / radius, along / radius
    fold = np.exp(-(((along - 1.9 + 0.2 * across**2) / 0.08) ** 2))
    tone = 0.78 + rng.uniform(-0.25, 0.25) * across + 0.35 * np.sqrt(np.clip(1 - far**2, 0, 1)) - 0.1 * fold
    tone += 0.02 * cloud(rng, far.shape, 1.5) + 0.03 * cloud(rng, far.shape, 12)
    nail = np.clip((1 - np.hypot(across / 0.6, (along + 0.1) / 0.75)) * 12, 0, 1)
    thumb = inked(skin * tone[..., None], nail, skin * 0.6 + np.array([105, 85, 80]), 0.6)
    cast = ndimage.gaussian_filter(ndimage.shift(inside, (5, 3), order=1, mode="nearest"), 0.4 * width)
    return inked(inked(scene, cast, (0, 0, 0), 0.3), inside, thumb, 1)


def _evening(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take a picture with flash, or by a desk lamp or in little light with, at times, the soft shadow of the phone."""
    rows, columns = np.mgrid[-0.5 : 0.5 : scene.shape[0] * 1j, -0.5 : 0.5 : scene.shape[1] * 1j]
    kind, angle = rng.integers(len(LIGHTS)), rng.uniform(0, 2 * np.pi)
    near, exposure, grain, shake = LIGHTS[kind]
    far = np.array([rows, columns]) - rng.uniform(*near) * np.array([np.cos(angle), np.sin(angle)])[:, None, None]
    colour = np.array(LAMPS[rng.integers(len(LAMPS))] if kind else (0.95, 0.98, 1.04)) ** rng.uniform(0.2, 1)
    scene = scene * (1 / (1 + (far**2).sum(0) / rng.uniform(0.65, 1.1) ** 2))[..., None] * colour
    turn, down, right = rng.normal(0, 0.35), rows - rng.uniform(0.15, 0.6), columns - rng.uniform(-0.25, 0.25)
    box = np.abs([down * np.cos(turn) - right * np.sin(turn), down * np.sin(turn) + right * np.cos(turn)])
    edge = (box - rng.uniform((0.3, 0.16), (0.4, 0.24))[:, None, None]).max(0) / rng.uniform(0.01, 0.04)
    dark = rng.uniform(0.1, 0.45) / (1 + np.exp(np.clip(edge, -50, 50)))
    scene = scene * (1 - dark * (kind > 0 and rng.random() < 0.7))[..., None]
    return _shot(scene, rng, exposure, rng.uniform(0.3, 1) * grain, shake)


def _shot(scene: np.ndarray, rng: np.random.Generator, exposure: Pair, grain: float, shake: float) -> np.ndarray:
    """Take a picture with the noise of a small sensor, in grains and blotches of colour, and a hand that shakes."""
    scene = focused(scene * rng.uniform(*exposure) / np.percentile(scene.mean(2), 90), rng)
    way = np.array([*rng.normal(0, shake, 2), 0])
    scene = np.mean([ndimage.shift(scene, k * way, order=1, mode="nearest") for k in (-0.5, -0.2, 0.2, 0.5)], 0)
    blotch = np.stack([cloud(rng, scene.shape[:2], 2.5) for _ in range(3)], 2)
    return photographed(scene + grain * (cloud(rng, scene.shape[:2], 0.6)[..., None] + 0.6 * blotch), rng, tilt=0.02)
