"""glassnet bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import Json, console, print_json, table

if TYPE_CHECKING:
    from glassnet.benchmark.records import Event


def bench(
    *,
    peer: Annotated[
        list[str] | None, typer.Option(help="Whom to measure, such as glassnet or torch; repeat for more; all if none.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="dense-10, dense-32, dense-128 or cnn; repeat for more; all if none.")
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often every peer runs.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images; default 5, cnn 3.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results, the table and the figure.", show_default=False)
    ] = None,
    environments: Annotated[
        Path | None,
        typer.Option(help="Folder for the peers' virtual environments; default in the cache.", show_default=False),
    ] = None,
    json: Json = False,
) -> int:
    """Keras or PyTorch? Measure them and glassnet on this machine, the same network on the same data.

    The first time, every peer is installed into a virtual environment of its own (gigabytes, from the package index).
    """
    from glassnet.benchmark import Plan, measure, reports, tables
    from glassnet.benchmark.summaries import summarize

    plan = Plan(
        peers=tuple(peer or ()), models=tuple(model or ()), rounds=rounds, epochs=epochs, environments=environments
    )
    if out:
        reports.check_writable(out)
    result = measure(plan, on_event=None if json else _say)
    written = reports.save(result, out) if out else []
    code = 0 if result.runs else 1
    if json:
        print_json(reports.document(result))
        return code
    summaries = summarize(result)
    for name in dict.fromkeys(summary.model for summary in summaries):
        console.print(f"\n[bold]{tables.caption(result, name)}[/bold]")
        headings = tables.headings(name)
        view = table(*headings, right=headings[1:])
        for row in tables.rows(summaries, name):
            view.add_row(*row)
        console.print(view)
    if summaries:
        console.print(f"\n{tables.COLUMNS}\n", markup=False)
    for line in tables.remarks(result):
        console.print(line, markup=False)
    for path in written:
        console.print(f"written: {path}", markup=False)
    return code


def _say(event: "Event") -> None:
    """Tell on standard error how far the measurement is."""
    from rich.console import Console

    from glassnet.benchmark.tables import progress

    Console(stderr=True, highlight=False, soft_wrap=True).print(progress(event), markup=False)
