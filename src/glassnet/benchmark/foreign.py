"""Foreign images: photographs of what no network for digits or clothes was trained on; one function for each kind.

Letters come in the fonts that Matplotlib brings along, slanted, turned and thickened. Those that are taken for digits
by people too are left out: D O o Q (0), I i l (1), Z z (2), y (an open 4), S s (5), G b (6), B (8), g q (9).
"""

import string
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from scipy import ndimage

from glassnet.benchmark.scenes import ink_colour, inked, lit, paper_of, photographed
from glassnet.errors import UnknownNameError

SIZE = 360, 480
"""Height and width of the photographs."""

DIGITLIKE = "DOoQIilZzySsGbBgq"
LETTERS = "".join(one for one in string.ascii_letters if one not in DIGITLIKE)
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10", "cmti10", "cmb10",
)  # fmt: skip


def write_letter(rng: np.random.Generator) -> np.ndarray:
    """A letter on plain paper; the generator's first number chooses which (see `letter_of`)."""
    return _on_paper(_letter(_choose(LETTERS, rng), _choose(FONTS, rng), rng), rng)


def draw_face(rng: np.random.Generator) -> np.ndarray:
    """A head with eyes, a mouth and perhaps a nose, ears or hair, in lines or filled, on plain paper."""
    picture = Picture.new("L", (SIZE[1], SIZE[0]), 0)
    pen = ImageDraw.Draw(picture)
    across, down = rng.uniform(70, 130, 2)
    x, y = rng.uniform(150, SIZE[1] - 150), SIZE[0] / 2 + rng.uniform(-30, 30)
    line, filled = int(rng.integers(4, 14)), rng.random() < 0.3
    ground, feature = (255, 0) if filled else (0, 255)

    def ellipse(dx: float, dy: float, rx: float, ry: float, inside: int, outline: int) -> None:
        left, right, top, bottom = (dx - rx) * across, (dx + rx) * across, (dy - ry) * down, (dy + ry) * down
        pen.ellipse((x + left, y + top, x + right, y + bottom), inside, outline, line)

    if rng.random() < 0.4:
        for side in (-1, 1):
            ellipse(side, 0, 0.18, 0.25, ground, 255)
    ellipse(0, 0, 1, 1, ground, 255)
    apart, eye, open_eyes = rng.uniform(0.3, 0.45), rng.uniform(0.08, 0.16), rng.random() < 0.6
    for side in (-1, 1):
        ellipse(side * apart, -0.25, eye, eye * across / down, feature if open_eyes else ground, feature)
    if rng.random() < 0.6:
        pen.line((x, y - 0.1 * down, x + rng.uniform(-0.1, 0.1) * across, y + 0.15 * down), feature, line)
    wide, turn = rng.uniform(0.3, 0.55), 0 if rng.random() < 0.7 else 180
    mouth = (x - wide * across, y + 0.1 * down, x + wide * across, y + 0.65 * down)
    pen.arc(mouth, 20 + turn, 160 + turn, feature, line)
    if rng.random() < 0.4:
        for angle in np.deg2rad(rng.uniform(-150, -30, 9)):
            root = x + across * np.cos(angle), y + down * np.sin(angle)
            pen.line((*root, root[0] + 30 * np.cos(angle), root[1] + 30 * np.sin(angle)), 255, line)
    return _on_paper(np.asarray(picture) / 255, rng)


def leave_blank(rng: np.random.Generator) -> np.ndarray:
    """Paper with nothing on it."""
    return _on_paper(np.zeros(SIZE), rng)


def make_noise(rng: np.random.Generator) -> np.ndarray:
    """Noise, from single pixels to clouds, gray or in colours, at any contrast that can be seen."""
    coarse = rng.choice([0, 0, 1, 3, 10, 30])
    channels = int(rng.choice([1, 3]))
    noise = rng.normal(0, 1, (*SIZE, channels))
    noise = ndimage.gaussian_filter(noise, (coarse, coarse, 0)) if coarse else noise
    bright = rng.uniform(80, 180) + rng.uniform(20, 80) * (noise - noise.mean()) / noise.std()
    return np.repeat(np.rint(bright.clip(0, 255)).astype(np.uint8), 3 // channels, 2)


KINDS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "letters": write_letter,
    "faces": draw_face,
    "noise": make_noise,
    "blank paper": leave_blank,
}
"""What foreign photographs show."""


def render(kind: str, seed: int) -> np.ndarray:
    """Make a photograph of something foreign.

    Args:
        kind: a name of `KINDS`.
        seed: equal seeds give equal photos.

    Returns:
        `uint8 (height, width, 3)`.

    Raises:
        UnknownNameError: no such kind.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of foreign images", kind, KINDS)
    return KINDS[kind](np.random.default_rng(seed))


def letter_of(seed: int) -> str:
    """Return which letter the photograph of that seed shows."""
    return _choose(LETTERS, np.random.default_rng(seed))


def _choose(names: Sequence[str], rng: np.random.Generator) -> str:
    return names[int(rng.integers(len(names)))]


def _letter(text: str, font: str, rng: np.random.Generator) -> np.ndarray:
    """Return where the ink of a letter is, 0 to 1: slanted, turned, with strokes of another width, in the frame."""
    import matplotlib

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    height = int(rng.uniform(90, 230))
    drawn = ImageFont.truetype(str(file), height)
    picture = Picture.new("L", (SIZE[1], SIZE[0]), 0)
    place = SIZE[1] / 2 + rng.uniform(-60, 60), SIZE[0] / 2 + rng.uniform(-30, 30)
    ImageDraw.Draw(picture).text(place, text, 255, drawn, anchor="mm")
    ink = np.asarray(picture) / 255
    turn, shear = np.deg2rad(rng.normal(0, 7)), rng.normal(0, 0.12)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn) + shear, np.cos(turn)]])
    middle = np.array(place[::-1])
    ink = ndimage.affine_transform(ink, matrix, tuple(middle - matrix @ middle), order=1)  # pyright: ignore[reportArgumentType]
    away = np.asarray(ndimage.distance_transform_edt(ink < 0.5))
    return np.clip(rng.uniform(0, 0.04) * height + 0.5 - away, 0, 1)


def _on_paper(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put ink on paper and photograph it."""
    return photographed(lit(inked(paper_of(rng, ink.shape), ink, ink_colour(rng), rng.uniform(0.75, 1)), rng), rng)
