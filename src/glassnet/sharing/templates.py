"""Templates: how pages are filled, and where an image lies on a sheet of them."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from glassnet.sharing.numbers import count, decimal, percent
from glassnet.sharing.sprites import COLUMNS, Sprite, Tile

HERE = Path(__file__).parent


def template(name: str) -> Template:
    """Return a template of this folder; what it is filled with is escaped, and nothing may be missing."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"count": count, "decimal": decimal, "percent": percent, "written": "{:f}".format}
    return environment.get_template(name)


def position(tile: Tile, sprite: Sprite) -> str:
    """Return where a tile lies in its sheet, as shares of what the sheet is larger than a tile."""
    across, down = 100 * tile.column / (COLUMNS - 1), 100 * tile.row / (sprite.rows - 1)
    return f"background-position:{across:.4f}% {down:.4f}%"
