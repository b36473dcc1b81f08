"""Photographs made here: test images as pens, papers, boards, light and cameras would show them, for measuring.

No photo that a camera took can be part of the package, so the ways in which photos differ from training images are
rendered, each with a seed. Digits are written with pens, markers, pencils and chalk; clothes lie on sheets, wood and
floors or hang on walls. Some styles of each kind are held out: they are there for the number at the end, and nothing is
chosen by them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.benchmark import everyday, fresh, garments, handwriting, stationery, things, unseen
from glassnet.errors import UnknownNameError
from glassnet.types import Image


@dataclass(frozen=True)
class Style:
    """A way in which photos are taken.

    Args:
        name: what it is called.
        about: what can be seen.
        render: makes a photo of one image, with a generator of random numbers.
        held_out: nothing is chosen by it.
    """

    name: str
    about: str
    render: Callable[[Image, np.random.Generator], np.ndarray]
    held_out: bool = False


def render(kind: str, style: str, image: Image, seed: int) -> np.ndarray:
    """Make a photo of a training or test image.

    Args:
        kind: "drawings" or "items".
        style: the name of one of `STYLES[kind]`.
        image: light on dark.
        seed: equal seeds give equal photos.

    Returns:
        `uint8 (height, width, 3)`.

    Raises:
        UnknownNameError: no such kind or style.
    """
    if kind not in STYLES:
        raise UnknownNameError("kind of photos", kind, STYLES)
    if style not in STYLES[kind]:
        raise UnknownNameError("style", style, STYLES[kind])
    return STYLES[kind][style].render(image, np.random.default_rng(seed))


def _named(*styles: Style) -> dict[str, Style]:
    return {style.name: style for style in styles}


STYLES: dict[str, dict[str, Style]] = {
    "drawings": _named(
        Style("pen", "ballpoint of many colours on plain paper", handwriting.write_pen),
        Style("marker", "thick marker on plain paper", handwriting.write_marker),
        Style("squared", "pen on squared paper", handwriting.write_squared),
        Style("lined", "pen on ruled paper", handwriting.write_lined),
        Style("pencil", "pencil, faint and grainy", handwriting.write_pencil),
        Style("board", "chalk on a board", handwriting.write_board),
        Style("far", "small in a large frame", handwriting.write_far),
        Style("screen", "drawn on a screen, either way round", handwriting.write_screen),
        Style("form", "cells of scanned forms, with their boxes", handwriting.write_form),
        Style("postal", "16 × 16 pixels, cropped tightly", handwriting.write_postal),
        Style("napkin", "felt pen on brown, embossed paper, at the edge of a table", handwriting.write_napkin),
        Style("crossword", "pencil in a cell of a printed crossword", handwriting.write_crossword),
        Style("whiteboard", "marker on a whiteboard with a reflection", handwriting.write_whiteboard),
        Style("notebook", "pen in a notebook with holes or a spiral", stationery.write_notebook),
        Style("sticky", "felt pen on a sticky note on a desk", stationery.write_sticky),
        Style("page", "pen or marker on a sheet that lies on a table", fresh.write_page),
        Style("envelope", "felt pen or marker on an envelope of kraft paper", fresh.write_envelope),
        Style("worksheet", "pen in the box of a printed question", things.write_worksheet),
        Style("lid", "marker or paint pen on a lid, seen at an angle", things.write_lid),
        Style("spread", "pen or marker in an open notebook with its gutter", everyday.write_spread, held_out=True),
        Style("scrap", "pen or marker on a torn or crumpled piece of paper", everyday.write_scrap),
        Style("evening", "pen on a sheet or letter pad by lamp, flash or dusk", unseen.write_evening, held_out=True),
        Style("card", "pen on a card or receipt that a hand holds up", unseen.write_card, held_out=True),
    ),
    "items": _named(
        Style("sheet", "lying on a creased sheet", garments.lay_sheet),
        Style("wood", "lying on boards", garments.lay_wood),
        Style("wall", "hanging on a wall", garments.hang_wall),
        Style("checked", "lying on a checked blanket", garments.lay_checked),
        Style("striped", "lying on a striped sheet with folds", garments.lay_striped, held_out=True),
        Style("door", "on a hanger before a door with panels", garments.hang_door, held_out=True),
    ),
}
"""The styles of photos, by what is photographed."""
