"""glassnet train, glassnet show."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from glassnet import recipes as library
from glassnet.cli.data import Colour, Fit, GroupBy, Size, describe, open_data
from glassnet.cli.output import Json, bold, percent, print_json, refuse, say, start_keras, table
from glassnet.errors import InputError

RunFolder = Annotated[Path, typer.Argument(help="A run folder, such as runs/baseline.", show_default=False)]


def train(
    recipe: Annotated[
        str | None, typer.Argument(help="Name of a recipe; see glassnet recipes.", show_default=False)
    ] = None,
    *,
    data: Annotated[
        str | None, typer.Option(help="Data set, if not the recipe's own; or a folder or file with your own images.")
    ] = None,
    size: Size = None,
    fit: Fit = None,
    colour: Colour = None,
    group_by: GroupBy = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.")] = None,
    optimizer: Annotated[str | None, typer.Option(help=f"One of {', '.join(library.OPTIMIZERS)}.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size; default the recipe's, else Keras's for the optimizer.")
    ] = None,
    schedule: Annotated[str | None, typer.Option(help=f"One of {', '.join(library.SCHEDULES)}.")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Share of every weight that a step of size 1 takes away.")
    ] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of every label that goes to all classes alike while training.")
    ] = None,
    filters: Annotated[
        list[int] | None, typer.Option(help="Filters of a convolutional block; repeat for more.")
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Convolutions in every block but the first.")] = None,
    members: Annotated[
        int | None, typer.Option(help="Networks side by side in one, each trained by itself; it gives their mean.")
    ] = None,
    hidden: Annotated[list[int] | None, typer.Option(help="Width of a hidden layer; repeat for more.")] = None,
    activation: Annotated[str | None, typer.Option(help=f"One of {', '.join(library.ACTIVATIONS)}.")] = None,
    principal: Annotated[
        bool | None,
        typer.Option(
            "--principal/--no-principal", help="Start the first filters at what the images' patches are made of."
        ),
    ] = None,
    batch_norm: Annotated[
        bool | None, typer.Option("--batch-norm/--no-batch-norm", help="Normalise over the batch in every block.")
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Share of the last layer's inputs that is left out in each step.")
    ] = None,
    shift: Annotated[float | None, typer.Option(help="Move images at random by up to so many pixels.")] = None,
    rotate: Annotated[float | None, typer.Option(help="Turn images at random by up to so many degrees.")] = None,
    zoom: Annotated[float | None, typer.Option(help="Scale images at random by up to this share.")] = None,
    elastic: Annotated[float | None, typer.Option(help="Bend images at random by about so many pixels.")] = None,
    erase: Annotated[
        float | None, typer.Option(help="Cover a random rectangle of up to this share of the side.")
    ] = None,
    flip: Annotated[bool | None, typer.Option("--flip/--no-flip", help="Mirror half of the images.")] = None,
    mirrored: Annotated[
        bool | None,
        typer.Option("--mirrored/--no-mirrored", help="Where images are flipped, answer with the mean of both sides."),
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            help="Share of the training images kept, where there is no validation part, to learn how sure it may be."
        ),
    ] = None,
    scale: Annotated[bool | None, typer.Option("--scale/--no-scale", help="Divide the pixels by 255.")] = None,
    validation: Annotated[
        bool | None,
        typer.Option(
            "--validation/--no-validation", help="Measure the validation part, else the test images, after every epoch."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the random start and the order of the images; default 0.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the run; default runs/RECIPE.", show_default=False)
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the run that --out has already.")] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the training of this run that was killed.", show_default=False)
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="How often the state is kept within an epoch; at its end it always is.")
    ] = 30.0,
    snapshots: Annotated[
        bool, typer.Option("--snapshots", help="Keep moments of the training, for glassnet replay.")
    ] = False,
    report: Annotated[bool, typer.Option("--report", help="Write the run's report.html, too.")] = False,
    json: Json = False,
) -> int:
    """Train a recipe, measure it on the test images and write a run folder.

    Settings that are not given are the recipe's own. Ctrl-C keeps what was learned; --resume goes on after a kill.
    """
    from glassnet.cli.progress import ProgressBar
    from glassnet.cli.report import told, write
    from glassnet.training import runner
    from glassnet.training.unfinished import check_unfinished

    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "label_smoothing": label_smoothing,
        "filters": filters or None,
        "depth": depth,
        "members": members,
        "hidden": hidden or None,
        "activation": activation,
        "principal": principal,
        "batch_norm": batch_norm,
        "dropout": dropout,
        "shift": shift,
        "rotate": rotate,
        "zoom": zoom,
        "elastic": elastic,
        "erase": erase,
        "flip": flip,
        "mirrored": mirrored,
        "held_out": held_out,
        "scale": scale,
        "validation": validation,
    }
    changed: Any = {name: value for name, value in changes.items() if value is not None}
    prepared = {"size": size, "fit": fit, "colour": colour, "group_by": group_by}
    if resume:
        if recipe:
            raise InputError("--resume takes the recipe from the training that was killed; pass nothing else")
        reason = "cannot go with --resume, which takes every setting from what was killed; pass nothing else"
        refuse(reason, **changes, **prepared, data=data, seed=seed, out=out, replace=replace, snapshots=snapshots)
        out = resume
        check_unfinished(out)
        call = partial(runner.resume, out, checkpoint_seconds=checkpoint_seconds)
    else:
        out, call = _planned(recipe, data, prepared, seed or 0, out, replace, changed, quiet=json)
        call = partial(call, checkpoint_seconds=checkpoint_seconds, snapshots=snapshots)
    start_keras()
    if json:
        run = call()
        if report:
            write(run)
        print_json(run.passport.model_dump(mode="json", by_alias=True))
        return _exit_code(run)
    with ProgressBar() as bar:
        run = call(on_event=bar)
    passport = run.passport
    say(
        bold(passport.recipe),
        f" on {passport.dataset}: {passport.parameters:,} parameters, "
        f"{len(passport.history.get('loss', []))} of {passport.epochs} epochs, batch size {passport.batch_size}, "
        f"seed {passport.seed}, {passport.device}",
    )
    if stop := passport.interrupted:
        say(f"interrupted in epoch {stop.epoch} after {stop.step} of {stop.steps} batches; what it learned is kept")
    say(
        f"training accuracy {percent(passport.train_accuracy)}, test accuracy {percent(passport.test_accuracy)}, "
        f"test loss {passport.test_loss:.4f} ({passport.n_test:,} test images)"
    )
    seconds = passport.seconds
    say(f"{seconds.train:.2f} s to train, {seconds.compile:.2f} s to compile, {seconds.total:.2f} s in all")
    page = write(run) if report else None
    say(f"run folder: {out} ({', '.join(sorted(file.name for file in out.iterdir()))})")
    say(told(page) if page else f"next: glassnet predict {quote(str(out))} --index 0")
    return _exit_code(run)


def show(
    run: RunFolder,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Draw the curves to this file (PNG, SVG or PDF).", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Show a run: how it was trained, its scores, its curves."""
    from glassnet.cli.characters import curves
    from glassnet.runs import read_passport

    passport = read_passport(run)
    if out:
        from glassnet import figures

        figures.save(figures.draw_curves(passport.history, passport.recipe), out)
    if json:
        return print_json(passport.model_dump(mode="json", by_alias=True))
    say(bold(run), f": {passport.recipe} on {passport.dataset}, {passport.created}, {passport.device}")
    facts = table("", "")
    for name, value in passport.settings.items():
        facts.add_row(name.replace("_", " "), str(value))
    if rates := passport.learning_rates:
        told = (f"{rate:g} after {batches:,} batches" if batches else f"{rate:g}" for batches, rate in rates)
        facts.add_row("as it was set", ", ".join(told))
    facts.add_row("seed", str(passport.seed))
    facts.add_row("parameters", f"{passport.parameters:,}")
    facts.add_row("training accuracy", percent(passport.train_accuracy))
    facts.add_row("test accuracy", f"{percent(passport.test_accuracy)} of {passport.n_test:,} images")
    facts.add_row("test loss", f"{passport.test_loss:.4f}")
    if stop := passport.interrupted:
        facts.add_row("interrupted", f"in epoch {stop.epoch} after {stop.step} of {stop.steps} batches")
    say(facts)
    if any(passport.history.values()):
        say(curves(passport.history))
    drawn = [out] if out else sorted(run.glob("*.png"))
    say(f"drawn: {', '.join(map(str, drawn))}")
    return None


def _planned(
    recipe: str | None,
    data: str | None,
    prepared: dict[str, Any],
    seed: int,
    out: Path | None,
    replace: bool,
    changed: Any,
    *,
    quiet: bool,
) -> tuple[Path, Callable[..., Any]]:
    """Check everything that can be checked before Keras is imported; return the folder and the call that trains."""
    from glassnet import datasets
    from glassnet.runs import free_name
    from glassnet.training import runner
    from glassnet.training.unfinished import check_place

    if recipe is None:
        raise InputError(f"name a recipe: {', '.join(library.RECIPES)}")
    plan = library.find(recipe).changed(**changed)
    name = data or plan.dataset
    datasets.check_name(name)
    out = out or free_name(plan.name)
    check_place(out, replace=replace)
    call = partial(runner.train, plan, seed=seed, out=out, replace=replace)
    if name in datasets.EMBEDDED and not changed and plan.scale and not any(prepared.values()):
        return out, partial(call, name)  # nothing to be warned of: recipe and data are known to fit

    from glassnet.audit import check_plan, glance
    from glassnet.cli.audit import tell

    loaded = open_data(name, **prepared)
    if not quiet:
        describe(loaded)
    tell((*glance(loaded), *check_plan(plan, loaded)))
    return out, partial(call, loaded)


def _exit_code(run: Any) -> int:
    from glassnet.cli.main import INTERRUPTED

    return INTERRUPTED if run.passport.interrupted else 0
