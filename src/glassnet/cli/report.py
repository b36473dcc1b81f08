"""glassnet report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import Json, print_json, say, start_keras
from glassnet.cli.training import RunFolder

if TYPE_CHECKING:
    from glassnet.runs import Run


def report(
    run: RunFolder,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write it here; default RUN/report.html.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Write a run's report: one HTML file that needs nothing else, to be mailed, read in any browser, printed."""
    from glassnet.runs import read_passport

    read_passport(run)
    start_keras()
    from glassnet.runs import open_run

    path = write(open_run(run), out)
    if json:
        return print_json({"run": str(run), "report": str(path), "bytes": path.stat().st_size})
    return say(told(path))


def write(run: "Run", out: Path | None = None) -> Path:
    """Write the report of a run; `glassnet train --report` does it with the run that is still in memory."""
    from glassnet.sharing.report import write_report

    return write_report(run, out)


def told(path: Path) -> str:
    """Return the line that says where a report is."""
    return f"report: {path} ({path.stat().st_size / 1e6:.1f} MB); open it in a browser"
