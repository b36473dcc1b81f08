"""glassnet predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, bold, percent, print_json, say, start_keras, table
from glassnet.cli.training import RunFolder
from glassnet.errors import InputError, PhotoError

if TYPE_CHECKING:
    from glassnet.doctor import Examination
    from glassnet.prediction import Prediction
    from glassnet.runs import Run


def predict(
    run: RunFolder,
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Picture files, or folders of them.", show_default=False)
    ] = None,
    *,
    index: Annotated[
        list[int] | None, typer.Option(help="Number of an image of the data set; repeat for more.")
    ] = None,
    split: SplitOption = "test",
    top: Annotated[
        int | None, typer.Option(help="How many classes to rank; default 3, or all if fewer.", show_default=False)
    ] = None,
    many: Annotated[
        bool, typer.Option("--many", help="Read all drawings in each photo, line by line, not only the main one.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each step from a photo to the network's input, and what it does.")
    ] = False,
    max_error: Annotated[
        float | None,
        typer.Option(
            help="Share of the given answers that may be wrong; else it says: I don't know.", show_default=False
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Say what a run sees in images: of its data set, by number, or in picture files."""
    from glassnet.runs import read_passport

    if not index and not photos:
        raise InputError("nothing to predict; pass --index 0 for a test image, or the names of picture files")
    if explain and (index or many or len(photos or ()) != 1):
        raise InputError("--explain is about one photo; name one picture file, without --index and --many")
    read_passport(run)
    start_keras()
    from glassnet.prediction import Unreadable, predict_photos
    from glassnet.prediction import predict as ask
    from glassnet.runs import open_run

    opened = open_run(run)
    if explain and photos:
        return _explain(opened, photos[0], top, max_error, out, json=json)
    predictions: list[Prediction] = []
    unreadable: list[Unreadable] = []
    if index:
        part = opened.dataset().split(split)
        images, labels = zip(*(part.at(number) for number in index), strict=True)
        sources = [f"{opened.passport.dataset} {split} image {number}" for number in index]
        for image, label, source in zip(images, labels, sources, strict=True):
            predictions += ask(opened, image, labels=[label], sources=[source], top=top, max_error=max_error)
    for answer in predict_photos(opened, photos or (), top=top, many=many, max_error=max_error):
        if isinstance(answer, Unreadable):
            unreadable.append(answer)
        else:
            predictions.append(answer)
    if unreadable and not predictions:
        raise PhotoError(unreadable[0].reason)
    if out:
        from glassnet import figures

        figures.save(figures.draw_predictions(predictions), out)
    if json:
        return print_json([answer.record() for answer in (*predictions, *unreadable)])
    for answer in predictions:
        _print(answer)
    for one in unreadable:
        say(f"{one.source}: not read: {one.reason}")
    if out:
        say(f"drawn: {out}")
    return None


def _explain(
    run: "Run", photo: Path, top: int | None, max_error: float | None, out: Path | None, *, json: bool
) -> None:
    """Show the way of one photo into the network."""
    from glassnet.doctor import examine_photo

    examination = examine_photo(run, photo, top=top, max_error=max_error)
    if out:
        from glassnet.figures import canvas
        from glassnet.figures.photos import draw_examination

        canvas.save(draw_examination(examination), out)
    if json:
        return print_json(examination.record())
    _print(examination.prediction)
    _print_steps(examination)
    if out:
        say(f"drawn: {out}")
    return None


def _print(answer: "Prediction") -> None:
    ranked = ", ".join(f"{one.label} {percent(one.probability)}" for one in answer.top[1:])
    truly = f" (truly: {answer.true_label})" if answer.true_label is not None else ""
    said = [bold(answer.label)] if answer.known else [bold("I don't know"), f" (perhaps {answer.label})"]
    then = f"; then {ranked}" if ranked else ""
    say(f"{answer.source}: ", *said, f" {percent(answer.probability)}{truly}{then}")
    if answer.possible and len(answer.possible) > 1:
        say(f"  cannot be excluded: {', '.join(answer.possible)}")
    if answer.verdict and answer.verdict.unlike:
        say(f"  unlike the training images: {percent(1 - answer.verdict.typicality)} of such are more usual")
    for warning in answer.warnings:
        say(f"  careful: {warning}")
    if answer.outputs == "logits":
        pairs = zip(answer.classes, answer.scores, strict=True)
        say("  raw outputs: " + ", ".join(f"{name} {score:.2f}" for name, score in pairs))


def _print_steps(examination: "Examination") -> None:
    """Print each step with the answer after it, the one that decided, and the nearest training images."""
    rows = table("", "step", "the network then says", "why")
    for number, one in enumerate(examination.findings, 1):
        decisive = one.step.name == examination.decisive
        said = f"{one.top[0].label} {percent(one.top[0].probability)}"
        name = one.step.title
        rows.add_row(str(number), bold(name) if decisive else name, said, one.step.about)
    say()
    say(rows)
    if examination.decisive:
        title = next(one.step.title for one in examination.findings if one.step.name == examination.decisive)
        say("\nThe step that changed the answer: ", bold(f'"{title}"'))
    else:
        say("\nThe answer was the same at every step.")
    near = ", ".join(f"{one.label} (training image {one.index}, {one.distance:.2f})" for one in examination.neighbours)
    if near:
        say(f"Nearest training images: {near}")
