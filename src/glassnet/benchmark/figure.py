"""The picture: bars of seconds, one panel for each network and time, shorter is better."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassnet.benchmark.peers import PEERS, REFERENCE
from glassnet.benchmark.records import Result
from glassnet.benchmark.summaries import Spread, Summary, summarize
from glassnet.benchmark.tables import caption
from glassnet.figures import canvas

OWN, OTHER, INK, QUIET = "#0b6e99", "#b9c2c9", "#1f2933", "#5f6b76"


def draw(result: Result) -> Figure:
    """Draw the median times of every peer with their ranges and test accuracies.

    Returns:
        A figure with a row for each network: the cold time on the left, a warm epoch on the right.
    """
    summaries = summarize(result)
    models = list(dict.fromkeys(summary.model for summary in summaries))
    counts = [sum(summary.model == model for summary in summaries) for model in models]
    figure = Figure(figsize=(12, 1.0 + sum(0.34 * count + 1.1 for count in counts)), layout="constrained")
    if not models:
        figure.text(0.5, 0.5, "no run gave a result", ha="center", color=QUIET)
        return figure
    grid = figure.add_gridspec(len(models), 2, height_ratios=[0.34 * count + 1.1 for count in counts])
    for number, model in enumerate(models):
        chosen = [summary for summary in summaries if summary.model == model]
        left, right = figure.add_subplot(grid[number, 0]), figure.add_subplot(grid[number, 1])
        _panel(left, [(summary, summary.cold_seconds) for summary in chosen], "process start to test accuracy, s")
        _panel(right, [(summary, summary.epoch_seconds) for summary in chosen], "a warm epoch, s")
        right.set_yticklabels([])
        left.set_title(caption(result, model).replace("; Adam", "\nAdam"), loc="left", fontsize=9.5, color=INK)
        left.title.set_in_layout(False)  # it may run over both panels
    figure.suptitle(
        "Same network, same data, same epochs: seconds (shorter is better; line: range over the rounds; "
        "in brackets: test accuracy)",
        fontsize=11,
        color=INK,
        x=0.01,
        ha="left",
    )
    return figure


def save(result: Result, folder: Path) -> list[Path]:
    """Write the figure as figure.png and figure.svg and return their paths."""
    figure = draw(result)
    return [canvas.save(figure, folder / name, dpi=160) for name in ("figure.png", "figure.svg")]


def _panel(axes: Axes, entries: list[tuple[Summary, Spread | None]], label: str) -> None:
    """Draw one bar for each peer, with the number at its end."""
    longest = max((spread.high for _, spread in entries if spread), default=1.0)
    for place, (summary, spread) in enumerate(entries):
        if spread is None:
            axes.text(0, place, " not measured", va="center", fontsize=8, color=QUIET)
            continue
        axes.barh(place, spread.median, 0.68, color=OWN if summary.peer.startswith(REFERENCE) else OTHER)
        axes.hlines(place, spread.low, spread.high, color=INK, linewidth=1.2)
        text = f"{spread.median:.3g}  ({100 * summary.accuracy.median:.1f} %)"
        axes.text(max(spread.high, spread.median) + 0.012 * longest, place, text, va="center", fontsize=8, color=INK)
    axes.set_yticks(range(len(entries)), [PEERS[summary.peer].title for summary, _ in entries], fontsize=8.5)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.22 * longest)
    axes.set_xlabel(label, fontsize=8.5, color=QUIET)
    axes.tick_params(axis="x", labelsize=8, colors=QUIET)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(OTHER)
