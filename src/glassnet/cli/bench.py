"""glassnet bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.output import Json, bold, percent, print_json, refuse, say, start_keras, table, terminal
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
    rounds: Annotated[
        int | None, typer.Option(help="How often every peer runs; default 5.", show_default=False)
    ] = None,
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
    count: Annotated[
        int | None, typer.Option(help="With photos: how many of each style; default 200.", show_default=False)
    ] = None,
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
        peers = {"peer": peer, "model": model, "rounds": rounds, "epochs": epochs}
        refuse("is for peers", **peers, out=out, environments=environments)
        if run is None:
            raise InputError(
                "no run to measure; name a folder that glassnet train wrote: glassnet bench photos runs/NAME"
            )
        return _bench_photos(run, 200 if count is None else count, tuple(style or ()), ablate=ablate, json=json)
    refuse("is for photos: glassnet bench photos RUN", count=count, style=style, ablate=ablate)
    from glassnet.benchmark import Plan, measure, reports, tables
    from glassnet.benchmark.summaries import summarize

    plan = Plan(
        peers=tuple(peer or ()),
        models=tuple(model or ()),
        rounds=5 if rounds is None else rounds,
        epochs=epochs,
        environments=environments,
    )
    if out:
        reports.check_writable(out)
    result = measure(plan, on_event=None if json else _tell)
    written = reports.save(result, out) if out else []
    code = 0 if result.runs else 1
    if json:
        print_json(reports.document(result))
        return code
    summaries = summarize(result)
    for name in dict.fromkeys(summary.model for summary in summaries):
        say("\n", bold(tables.caption(result, name)))
        headings = tables.headings(name)
        view = table(*headings, right=headings[1:])
        for row in tables.rows(summaries, name):
            view.add_row(*row)
        say(view)
    if summaries:
        say(f"\n{tables.COLUMNS}\n")
    for line in tables.remarks(result):
        say(line)
    for path in written:
        say(f"written: {path}")
    return code


def _bench_photos(run: Path, count: int, styles: tuple[str, ...], *, ablate: bool, json: bool) -> int:
    """Measure a run on photographs made here, and print the shares that it reads."""
    from glassnet.runs import open_run, read_passport

    read_passport(run)
    start_keras()
    from glassnet.benchmark.photo_scores import score_photos

    scores = score_photos(
        open_run(run),
        count=count,
        styles=styles,
        ablate=ablate,
        on_style=None if json else lambda name: say(f"{name} …", to=terminal),
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
    say(view)
    for held_out, what in ((False, "Mean of the styles"), (True, "Held out")):
        if any(one.held_out == held_out for one in scores.styles):
            resized, right = scores.mean(held_out=held_out)
            say(f"{what}: ", bold(percent(right)), f", only resized {percent(resized)}")
    if ablate:
        steps = list(dict.fromkeys(step for one in scores.styles for step in one.without))
        view = table("without", *(one.style for one in scores.styles), right=tuple(one.style for one in scores.styles))
        for step in steps:
            view.add_row(step, *(percent(one.without[step]) if step in one.without else "–" for one in scores.styles))
        say("\n", bold("Right without one step"))
        say(view)
    return 0


def _tell(event: "Event") -> None:
    """Tell on standard error how far the measurement is."""
    from glassnet.benchmark.tables import progress

    say(progress(event), to=terminal)
