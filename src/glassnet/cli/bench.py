"""glassnet bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import Json, console, percent, print_json, start_keras, table
from glassnet.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from glassnet.benchmark.records import Event


def bench(
    what: Annotated[
        str, typer.Argument(help="peers, or photos (how well a run reads photographs made here).")
    ] = "peers",
    run: Annotated[
        Path | None, typer.Argument(help="With photos: a folder that glassnet train wrote.", show_default=False)
    ] = None,
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
    count: Annotated[int, typer.Option(help="With photos: how many of each style.")] = 200,
    style: Annotated[
        list[str] | None, typer.Option(help="With photos: such as squared or sheet; repeat for more; all if none.")
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="With photos: measure what each step contributes, by leaving it out.")
    ] = False,
    json: Json = False,
) -> int:
    """Keras or PyTorch? Measure them and glassnet on this machine, the same network on the same data.

    With photos and a run: how many photographs of test images, made here, it reads, beside a mere resize.

    The first time, every peer is installed into a virtual environment of its own (gigabytes, from the package index).
    """
    if what not in ("peers", "photos"):
        raise UnknownNameError("benchmark", what, ("peers", "photos"))
    if what == "photos":
        if run is None:
            raise InputError(
                "no run to measure; name a folder that glassnet train wrote: glassnet bench photos runs/NAME"
            )
        return _bench_photos(run, count, tuple(style or ()), ablate=ablate, json=json)
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


def _bench_photos(run: Path, count: int, styles: tuple[str, ...], *, ablate: bool, json: bool) -> int:
    """Measure a run on photographs made here, and print the shares that it reads."""
    from rich.console import Console

    from glassnet.runs import open_run, read_passport

    read_passport(run)
    start_keras()
    from glassnet.benchmark.photo_scores import score_photos

    say = Console(stderr=True, highlight=False, soft_wrap=True).print
    scores = score_photos(
        open_run(run),
        count=count,
        styles=styles,
        ablate=ablate,
        on_style=None if json else lambda name: say(f"{name} …"),
    )
    if json:
        print_json(scores.record())
        return 0
    columns = ("photos", "right", "95 % interval", "only resized")
    view = table("style", *columns, "what it is", right=columns)
    for one in scores.styles:
        low, high = one.interval
        name = f"{one.style} (held out)" if one.held_out else one.style
        interval = f"{percent(low)} to {percent(high)}"
        view.add_row(name, f"{one.n:,}", percent(one.accuracy), interval, percent(one.resized), one.about)
    console.print(view)
    for held_out, what in ((False, "Mean of the styles"), (True, "Held out")):
        if any(one.held_out == held_out for one in scores.styles):
            resized, right = scores.mean(held_out=held_out)
            console.print(f"{what}: [bold]{percent(right)}[/bold], only resized {percent(resized)}")
    if ablate:
        steps = list(dict.fromkeys(step for one in scores.styles for step in one.without))
        view = table("without", *(one.style for one in scores.styles), right=tuple(one.style for one in scores.styles))
        for step in steps:
            view.add_row(step, *(percent(one.without[step]) if step in one.without else "–" for one in scores.styles))
        console.print("\n[bold]Right without one step[/bold]")
        console.print(view)
    return 0


def _say(event: "Event") -> None:
    """Tell on standard error how far the measurement is."""
    from rich.console import Console

    from glassnet.benchmark.tables import progress

    Console(stderr=True, highlight=False, soft_wrap=True).print(progress(event), markup=False)
