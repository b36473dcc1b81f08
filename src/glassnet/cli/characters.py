"""Pictures made of characters, for a terminal."""

import sys
from collections.abc import Sequence

from glassnet.types import Image

SHADES = " ·░▒▓█"
ASCII_SHADES = " .:+#@"


def draw(image: Image) -> str:
    """Draw an image, two characters a pixel, in six shades."""
    shades = SHADES if "utf" in (sys.stdout.encoding or "").lower() else ASCII_SHADES
    flat = image if image.ndim == 2 else image.mean(-1)
    levels = (flat.astype(int) * len(shades)) // 256
    return "\n".join("".join(2 * shades[level] for level in row).rstrip() for row in levels)


def pixel_values(image: Image) -> str:
    """Write the brightness of every pixel as a table of numbers; a colour image gives its mean over the channels."""
    flat = image if image.ndim == 2 else image.mean(-1).round().astype(int)
    return "\n".join("".join(f"{value:4d}" for value in row) for row in flat)


def curves(history: dict[str, list[float]]) -> str:
    """Draw each metric of a history over the epochs, the validation in the same panel."""
    import plotext

    panels = []
    for metric in (name for name in history if not name.startswith("val_")):
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.plot_size(60, 14)
        plotext.title(metric)
        for name, label in ((metric, "training"), (f"val_{metric}", "validation")):
            if values := history.get(name):
                plotext.plot(range(1, len(values) + 1), values, label=label, marker="braille")
                plotext.xticks(_few(range(1, len(values) + 1)))
        panels.append(plotext.uncolorize(plotext.build()))
    return "\n".join(panels)


def _few(epochs: range, most: int = 10) -> Sequence[int]:
    return epochs[:: -(-len(epochs) // most)]
