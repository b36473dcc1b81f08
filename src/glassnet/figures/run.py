"""The pictures in a run folder: curves, the first predictions, the network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from glassnet.errors import OutputError
from glassnet.figures.canvas import save
from glassnet.figures.curves import draw_curves
from glassnet.figures.diagram import draw_network
from glassnet.figures.images import draw_grid
from glassnet.network import summarize

if TYPE_CHECKING:
    from glassnet.runs import Run

FIRST = 15
"""Test images in the picture of predictions."""


def draw_run(run: "Run", folder: Path) -> None:
    """Draw what a run folder shows: `curves.png`, `predictions.png`, `network.png`.

    Without a complete epoch there are no curves, and without the data set no predictions.

    Raises:
        OutputError: a place that cannot be written.
    """
    for name, draw in {"curves": _curves, "predictions": _predictions, "network": _network}.items():
        _draw(draw, run, folder / f"{name}.png")


def _draw(draw: "Callable[[Run], Figure | None]", run: "Run", path: Path) -> None:
    """Draw a picture, or leave it out where it cannot be drawn: no training is lost for a picture."""
    try:
        figure = draw(run)
        if figure is not None:
            save(figure, path)
    except OutputError:
        raise
    except Exception:  # anything, of networks and names that nobody thought of
        return


def _curves(run: "Run") -> Figure | None:
    history = run.passport.history
    return draw_curves(history, run.passport.recipe) if any(history.values()) else None


def _predictions(run: "Run") -> Figure | None:
    from glassnet.prediction import predict

    if run.data is None:
        return None
    test = run.data.test
    predictions = predict(run, test.images[:FIRST], labels=test.labels[:FIRST].tolist())
    titles = [f"{one.label} {one.probability:.0%}\n({one.true_label})" for one in predictions]
    right = [one.label == one.true_label for one in predictions]
    return draw_grid(test.images[:FIRST], titles, right=right)


def _network(run: "Run") -> Figure:
    return draw_network(summarize(run.model))
