"""The tables: what was measured, in words and figures, as cells and as Markdown."""

from glassnet.benchmark.networks import NETWORKS
from glassnet.benchmark.peers import PEERS
from glassnet.benchmark.records import Event, Failure, Result, Run, Skipped
from glassnet.benchmark.summaries import Spread, Summary, summarize, warm_epoch

HEADINGS = ("peer", "cold, s", "× glassnet", "epoch, s", "× glassnet", "test accuracy, %", "peak memory, MB")
ARITHMETIC = ("GFLOP/s", "of peak, %")
"""Further columns where the arithmetic decides: for networks with convolutions."""

COLUMNS = (
    "Every cell is the median over the rounds, with the range in brackets. Cold: from the start of the process to the "
    "test accuracy. Epoch: a warm one, the median of those after the first. × glassnet: the peer's median divided by "
    "glassnet's, so 2.0 means twice as long. GFLOP/s: the arithmetic of the matrix products in a warm epoch; of peak: "
    "its share of the fastest large matrix product of the same type of number on this machine."
)


def caption(result: Result, model: str) -> str:
    """Say what the table of a network shows, in one line."""
    network, settings = NETWORKS[model], result.settings
    images = f"{result.images['train']:,} training and {result.images['test']:,} test images"
    many = f"{settings['rounds']} rounds" if settings["rounds"] > 1 else "1 round"
    length = settings["epochs"][model]
    epochs = f"{length} epochs" if length > 1 else "1 epoch"
    return f"{model}: {network.layers}; Adam, batch {network.batch_size}, {epochs}, {images}, {many}"


def headings(model: str) -> tuple[str, ...]:
    """Return the names of the columns of the table of a network."""
    return HEADINGS + ARITHMETIC if NETWORKS[model].filters else HEADINGS


def rows(summaries: list[Summary], model: str) -> list[tuple[str, ...]]:
    """Return the cells of the table of a network, one row for each peer."""
    return [_row(summary)[: len(headings(model))] for summary in summaries if summary.model == model]


def remarks(result: Result) -> list[str]:
    """Say who is missing and why, and what the machine is, one line each."""
    machine = result.machine
    lines = [_missing(entry) for entry in (*result.skipped, *result.failures)]
    lines.append(f"Machine: {machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}.")
    if machine.load is not None:
        lines.append(f"Load in the minute before: {machine.load:.2f}; a quiet machine has less than about 0.5.")
    for framework, speeds in machine.peaks.items():
        values = ", ".join(f"{speed / 1e9:,.0f} GFLOP/s in {precision}" for precision, speed in speeds.items())
        lines.append(f"Large matrix product in {framework}: {values}.")
    return lines


def progress(event: Event) -> str:
    """Say in one line what happened."""
    if isinstance(event, Run):
        epoch = f", {_number(warm)} s a warm epoch" if (warm := warm_epoch(event)) else ""
        return f"  {_number(event.cold_seconds)} s cold{epoch}, test accuracy {100 * event.accuracy:.2f} %"
    return event if isinstance(event, str) else f"  {_missing(event)}"


def to_markdown(result: Result) -> str:
    """Return the tables of all networks, with what is needed to read them."""
    summaries = summarize(result)
    parts = ["# Keras or PyTorch? Measured on one machine", COLUMNS]
    for model in dict.fromkeys(summary.model for summary in summaries):
        names = headings(model)
        table = [names, ("---",) + ("--:",) * (len(names) - 1), *rows(summaries, model)]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
        parts += [f"## {caption(result, model)}", "\n".join(lines)]
    parts.append("\n".join(f"- {line}" for line in remarks(result)))
    for environment, versions in result.versions.items():
        listing = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        parts.append(f"Packages of `{environment}`: {listing}.")
    return "\n\n".join(parts) + "\n"


def _row(summary: Summary) -> tuple[str, ...]:
    return (
        PEERS[summary.peer].title,
        _cell(summary.cold_seconds),
        _number(summary.cold_ratio),
        _cell(summary.epoch_seconds),
        _number(summary.epoch_ratio),
        _cell(summary.accuracy, scale=100, digits=2),
        _cell(summary.peak_bytes, scale=1e-6, digits=0),
        _number(summary.flops and summary.flops / 1e9),
        _number(summary.share_of_peak and 100 * summary.share_of_peak),
    )


def _missing(entry: Skipped | Failure) -> str:
    title = PEERS[entry.peer].title
    if isinstance(entry, Skipped):
        return f"{title} is left out: {entry.reason}"
    when = f"in round {entry.round}" if entry.round else "before the first round"
    return f"{title} failed on {entry.model} {when}: {entry.reason}"


def _cell(spread: Spread | None, *, scale: float = 1.0, digits: int | None = None) -> str:
    """Write "median (low–high)"; a single value has no range."""
    if spread is None:
        return "–"
    median, low, high = (_number(value * scale, digits) for value in (spread.median, spread.low, spread.high))
    return median if spread.n == 1 else f"{median} ({low}–{high})"


def _number(value: float | None, digits: int | None = None) -> str:
    """Write a number with about three figures."""
    if value is None:
        return "–"
    if digits is None:
        digits = next((digits for limit, digits in ((1, 3), (10, 2), (100, 1)) if value < limit), 0)
    return f"{value:,.{digits}f}"
