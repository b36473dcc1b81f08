"""The drawing of a network as SVG inside a page, in the page's own colours."""

import io
import re
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from glassnet.network import Summary


def network_svg(summary: "Summary") -> Markup:
    """Return the drawing of a network as an `svg` element whose ink follows the page, light or dark."""
    import matplotlib as mpl

    from glassnet.figures.canvas import BLUE, GRAY, LIGHT, ORANGE
    from glassnet.figures.diagram import draw_network

    stream = io.StringIO()
    # Real text, and names that do not change: equal networks give equal bytes.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "glassnet"}):
        draw_network(summary).savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    drawing = stream.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    inks = {
        BLUE: "--for",
        ORANGE: "--against",
        GRAY: "--quiet",
        LIGHT: "--rule",
        "#FFFFFF": "--paper",
        "#000000": "--ink",
    }
    for colour, name in inks.items():
        drawing = re.sub(rf"{colour}\b", f"var({name})", drawing, flags=re.IGNORECASE)
    about = f"Drawing of {summary.name}: {len(summary.layers)} layers, {summary.parameters:,} parameters"
    start, rest = drawing.split(">", 1)
    label = Markup.escape(about)
    return Markup(f'{start} role="img" aria-label="{label}">{rest.strip()}')  # noqa: S704  (Matplotlib's, escaped)
