"""Loss and metrics over the epochs, training and validation in one picture."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glassnet.errors import InputError
from glassnet.figures.canvas import BLUE, ORANGE, open_frame, sheet


def draw_curves(history: dict[str, list[float]], title: str = "") -> Figure:
    """Draw one panel for each metric; the validation's values, where there are any, as a second line.

    Args:
        history: a list for each metric, one value per epoch, as Keras's History has it.
        title: above the picture.

    Raises:
        InputError: a history without an epoch.
    """
    metrics = [name for name in history if not name.startswith("val_")]
    if not metrics or not history[metrics[0]]:
        raise InputError(
            "the history has no complete epoch, so there is no curve to draw; train for at least one epoch"
        )
    figure = sheet(4.5 * len(metrics), 3.4)
    if title:
        figure.suptitle(title)
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False).flat, metrics, strict=True):
        for name, label, colour in ((metric, "training", BLUE), (f"val_{metric}", "validation", ORANGE)):
            if values := history.get(name):
                axes.plot(range(1, len(values) + 1), values, "o-", color=colour, label=label, markersize=4)
        axes.set_xlabel("epoch")
        axes.set_ylabel(metric)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        open_frame(axes)
    return figure
