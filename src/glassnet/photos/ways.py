"""Ways to develop a drawing: the usual one, and others for photos that it makes no likely drawing of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How a photo of a drawing becomes a network's input.

    Args:
        about: what is unusual in it, to be said after "it was read".
        without: names of steps that are left out.
        turned: exchange light and dark once more than the photo asks for; then no sheet explains what seems light.
        nearby: compare each pixel with the ground close to it, so that the light may change within a hand's breadth.
        darkest: the drawing is the largest piece of what has at least this share of its darkest ink; 0 keeps all of it.
    """

    about: str = ""
    without: frozenset[str] = frozenset()
    turned: bool = False
    nearby: bool = False
    darkest: float = 0.0


USUAL = Way()

OTHERS = (
    Way("with light and dark exchanged", turned=True),
    Way(
        "with light and dark exchanged, without looking for a sheet or printed lines",
        without=frozenset({"sheet", "lines"}),
        turned=True,
    ),
    Way(
        "by its darkest strokes alone, without looking for a sheet or printed lines",
        without=frozenset({"sheet", "lines"}),
        darkest=0.7,
    ),
    Way(
        "by its darkest strokes alone, in light that was evened out close by",
        without=frozenset({"sheet"}),
        nearby=True,
        darkest=0.5,
    ),
)
"""What is tried where the usual way ends in something unlike the training images: light was taken for dark, the
drawing for a sheet, a shadow, a printed number or the edge of a reflection for a part of the drawing."""
