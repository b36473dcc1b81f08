"""glassnet predict."""

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, console, percent, print_json, start_keras
from glassnet.cli.training import RunFolder
from glassnet.errors import InputError, UnknownNameError


def predict(
    run: RunFolder,
    photos: Annotated[list[Path] | None, typer.Argument(help="Picture files.", show_default=False)] = None,
    *,
    index: Annotated[
        list[int] | None, typer.Option(help="Number of an image of the data set; repeat for more.")
    ] = None,
    split: SplitOption = "test",
    top: Annotated[int, typer.Option(help="How many classes to rank.")] = 3,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Say what a run sees in images: of its data set, by number, or in picture files."""
    from glassnet.datasets import SPLITS
    from glassnet.runs import read_passport

    if not index and not photos:
        raise InputError("nothing to predict; pass --index 0 for a test image, or the names of picture files")
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    read_passport(run)
    start_keras()
    from glassnet.prediction import predict as ask
    from glassnet.runs import open_run

    opened = open_run(run)
    predictions = []
    if index:
        part = opened.dataset().split(split)
        images, labels = zip(*(part.at(number) for number in index), strict=True)
        sources = [f"{opened.passport.dataset} {split} image {number}" for number in index]
        for image, label, source in zip(images, labels, sources, strict=True):
            predictions += ask(opened, image, labels=[label], sources=[source], top=top)
    if photos:
        predictions += ask(opened, photos, top=top)
    if out:
        from glassnet import figures

        figures.save(figures.draw_predictions(predictions), out)
    if json:
        return print_json([answer.record() for answer in predictions])
    for answer in predictions:
        ranked = ", ".join(f"{one.label} {percent(one.probability)}" for one in answer.top[1:])
        truly = f" (truly: {answer.true_label})" if answer.true_label is not None else ""
        console.print(
            f"{answer.source}: [bold]{answer.label}[/bold] {percent(answer.probability)}{truly}; then {ranked}"
        )
        if answer.outputs == "logits":
            pairs = zip(answer.classes, answer.scores, strict=True)
            console.print("  raw outputs: " + ", ".join(f"{name} {score:.2f}" for name, score in pairs))
    if out:
        console.print(f"drawn: {out}")
    return None
