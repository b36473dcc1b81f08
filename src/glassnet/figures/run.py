"""The pictures in a run folder: curves, the first predictions, the network."""

from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import InputError
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

    Without a complete epoch there are no curves, without the data set no predictions, and a network that is no plain
    stack of layers is not drawn.
    """
    if any(run.passport.history.values()):
        save(draw_curves(run.passport.history, run.passport.recipe), folder / "curves.png")
    if run.data is not None:
        from glassnet.prediction import predict

        test = run.data.test
        predictions = predict(run, test.images[:FIRST], labels=test.labels[:FIRST].tolist())
        titles = [f"{one.label} {one.probability:.0%}\n({one.true_label})" for one in predictions]
        right = [one.label == one.true_label for one in predictions]
        save(draw_grid(test.images[:FIRST], titles, right=right), folder / "predictions.png")
    try:
        summary = summarize(run.model)
    except InputError:
        return
    save(draw_network(summary), folder / "network.png")
