"""The sheet that figures are drawn on: one look for all, and saving as PNG, SVG or PDF."""

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from glassnet.atomic import new_file
from glassnet.errors import OutputError

FORMATS = (".png", ".svg", ".pdf")

# Safe for colour-blind eyes (Okabe & Ito, "Color Universal Design", 2008).
BLUE, ORANGE, GREEN, GRAY, LIGHT = "#0072B2", "#D55E00", "#009E73", "#8A8A8A", "#D9D9D9"

OTHER_SCRIPTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans",
    "Apple SD Gothic Neo", "Arial Unicode MS", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Nirmala UI",
    "Noto Sans Devanagari", "Noto Sans Thai", "Unifont",
)  # fmt: skip
"""Fonts, one of which most systems have, for what Matplotlib's own font cannot write: Chinese, Japanese, Korean, …"""

PUSH = LinearSegmentedColormap.from_list("push", [ORANGE, "#FFFFFF", BLUE])
"""From "pushes against" over nothing to "pushes for"."""


def sheet(width: float, height: float, *, arranged: bool = True) -> Figure:
    """Return an empty figure of that size in inches, whose axes are arranged to fit, or stay where they are put.

    It does not go through pyplot: that would keep every figure, and takes a third of a second to import.
    """
    figure = _Sheet(figsize=(width, height), layout="constrained" if arranged else None)
    FigureCanvasAgg(figure)
    return figure


class _Sheet(Figure):
    """A figure that writes every text as it stands, in any script that there is a font for.

    Names are the user's: a dollar sign in them starts no formula, and a letter without a font is a box and no warning.
    """

    def draw(self, renderer: Any) -> None:
        for text in self.findobj(Text):
            text.set_parse_math(False)
            if others := _other_fonts():
                text.set_fontfamily(list(dict.fromkeys((*text.get_fontfamily(), *others))))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            super().draw(renderer)


@cache
def _other_fonts() -> tuple[str, ...]:
    installed = {font.name for font in fontManager.ttflist}
    return tuple(name for name in OTHER_SCRIPTS if name in installed)


def bare(axes: Any) -> None:
    """Take ticks and frame away: a picture has no axes."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def open_frame(axes: Any) -> None:
    """Leave only the left and the lower line of the frame."""
    axes.spines[["top", "right"]].set_visible(False)


def show_pixels(axes: Any, image: Any) -> Any:
    """Draw an image pixel by pixel, black 0 and white 255."""
    return axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")


def save(figure: Figure, path: str | Path, *, dpi: int = 120) -> Path:
    """Write a figure to a file; its ending chooses the format.

    Raises:
        OutputError: an ending that is no known format, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot draw {path}: its name must end in {', '.join(FORMATS)}")
    # Without the date, and with names in the SVG that do not change, equal values give equal files; text stays text.
    with new_file(path) as beside, mpl.rc_context({"svg.hashsalt": "glassnet", "svg.fonttype": "none"}):
        figure.savefig(beside, dpi=dpi, metadata={} if path.suffix.lower() == ".png" else _dateless(path))
    return path


def _dateless(path: Path) -> dict[str, None]:
    return {"Date": None} if path.suffix.lower() == ".svg" else {"CreationDate": None}
