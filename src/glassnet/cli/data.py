"""glassnet datasets, glassnet look; and how commands open data sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.output import Json, bold, print_json, refuse, say, styled, table, terminal
from glassnet.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from glassnet.datasets import Dataset

DataName = Annotated[
    str,
    typer.Argument(help="A name of glassnet datasets, or a folder or file with your own images.", show_default=False),
]


def _known_split(name: str) -> str:
    """Return the name; that a set has no such part is said when it is opened."""
    from glassnet.datasets import SPLITS

    if name not in SPLITS:
        raise UnknownNameError("split", name, SPLITS)
    return name


SplitOption = Annotated[
    str, typer.Option("--split", help="Which images: train, test or validation.", callback=_known_split)
]
Size = Annotated[
    int | None,
    typer.Option(help="Side of your own images, in pixels; default theirs, at most 64.", min=1, show_default=False),
]
Fit = Annotated[
    str | None,
    typer.Option(help="How they get it: letterbox (default), crop or stretch.", show_default=False),
]
Colour = Annotated[
    str | None,
    typer.Option("--colour", "--color", help="auto (default), gray or colour.", show_default=False),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        help="Regular expression: pictures in whose names it finds the same are never split up.", show_default=False
    ),
]

MOST_SHOWN = 5
"""Problems that are named; of the others, the number is said."""


def datasets(*, json: Json = False) -> None:
    """List the data sets: what is in the package, what can be downloaded, how large, under which licence."""
    from glassnet.cli.downloads import told
    from glassnet.datasets import EMBEDDED, PUBLISHED

    rows = [
        {
            "name": name,
            "title": facts.title,
            "about": facts.about,
            "kind": "embedded",
            "train": facts.files[0].shape[0],
            "test": facts.files[2].shape[0],
            "image_shape": facts.files[0].shape[1:],
            "classes": facts.classes,
            "bytes": facts.packed_bytes(name),
            "sha256": facts.sha256,
            "licence": facts.licence,
            "credit": facts.credit,
        }
        for name, facts in EMBEDDED.items()
    ]
    if json:
        return print_json([*rows, *(entry.record() for entry in PUBLISHED.values())])
    result = table("name", "training", "test", "image", "in the package", "licence", right=("training", "test"))
    for row in rows:
        size = " × ".join(map(str, row["image_shape"]))
        result.add_row(
            row["name"],
            f"{row['train']:,}",
            f"{row['test']:,}",
            f"{size}, uint8",
            f"{row['bytes'] / 1e6:.1f} MB",
            row["licence"],
        )
    say(result)
    for row in rows:
        say("\n", bold(row["name"]), f": {row['about']}; {row['credit']}\n  {', '.join(row['classes'])}")
    say("\nThese are complete inside the package and need no network. Others can be downloaded, once:")
    for entry in PUBLISHED.values():
        say(f"  {told(entry)}")
    say("with glassnet datasets get NAME; or fetch the files yourself: glassnet datasets add FILE")
    return None


def look(
    data: DataName,
    *,
    index: Annotated[int | None, typer.Option(help="Number of the image; default 0.", show_default=False)] = None,
    split: SplitOption = "train",
    grid: Annotated[bool, typer.Option("--grid", help="The first 25 images with their labels.")] = False,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    size: Size = None,
    fit: Fit = None,
    colour: Colour = None,
    group_by: GroupBy = None,
    json: Json = False,
) -> None:
    """Look at an image before anything is learned: its label, its pixel values, the picture."""
    from glassnet.cli.characters import draw, pixel_values

    if grid:
        refuse("names one image; --grid shows the first 25", index=index)
    loaded = open_data(data, size=size, fit=fit, colour=colour, group_by=group_by)
    if not json:
        describe(loaded)
    part = loaded.split(split)
    if out:
        from glassnet import figures

        figures.save(figures.look(loaded, None if grid else index or 0, split=part.name), out)
    numbers = range(min(25, len(part))) if grid else [index or 0]
    found = [(number, *part.at(number)) for number in numbers]
    if json:
        rows = [
            {
                "dataset": data,
                "split": split,
                "index": number,
                "label": label,
                "class": loaded.classes[label],
                "shape": image.shape,
                "dtype": str(image.dtype),
                "pixels": image.tolist(),
                "out": str(out) if out else None,
            }
            | _origin(loaded, split, number)
            for number, image, label in found
        ]
        return print_json(rows if grid else rows[0])
    for number, image, label in found:
        shape = " × ".join(map(str, image.shape))
        say(
            bold(loaded.classes[label]),
            f": {loaded.name}, {split} image {number}, "
            f"label {label}, {shape} pixels, {image.dtype}, darkest {image.min()}, brightest {image.max()}",
        )
        if not grid:
            say(draw(image))
            say(pixel_values(image))
    if out:
        say(f"drawn: {out}")
    return None


def open_data(
    name: str,
    *,
    size: int | None = None,
    fit: str | None = None,
    colour: str | None = None,
    group_by: str | None = None,
) -> "Dataset":
    """Load a data set by its name or path, with a bar while pictures are decoded.

    Raises:
        InputError: there is none, or options that an embedded set does not have.
    """
    from glassnet import datasets
    from glassnet.cli.downloads import DownloadBar

    given = {"size": (size, size) if size else None, "fit": fit, "colour": colour, "group_by": group_by}
    wanted: Any = {key: value for key, value in given.items() if value is not None}
    datasets.check_name(name)
    if name in datasets.EMBEDDED or name in datasets.PUBLISHED:
        if wanted:
            option = next(iter(wanted)).replace("_", "-")
            raise InputError(f"--{option} is for images of your own; {name} is what it is")
        if name in datasets.EMBEDDED:
            return datasets.load(name)
        with DownloadBar() as bar:
            return datasets.load(name, on_progress=bar)
    preparation = datasets.Preparation(**wanted)
    from rich.progress import Progress

    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("reading images", total=None)
        return datasets.load(
            name, preparation, on_progress=lambda event: progress.update(task, completed=event.done, total=event.total)
        )


def describe(data: "Dataset") -> None:
    """Print what was found in a source, how it was prepared, and what had to be left out; nothing for embedded sets."""
    source = data.source
    if source is None:
        return
    from glassnet.datasets.packed import GROUPS

    total = sum(len(split) for split in data.splits)
    parted = [problem for problem in source.problems if problem.name == GROUPS]
    others = [problem for problem in source.problems if problem.name != GROUPS]
    say(bold(data.name), f": {total:,} images of {len(data.classes)} classes, {source.form}")
    made = source.preparation
    height, width = data.image_shape[:2]
    say(
        f"prepared: {height} × {width} pixels, {made.colour}, {made.fit}; "
        + ", ".join(f"{len(split):,} {split.name}" for split in data.splits)
        + f", seed {made.seed}"
        + (f", grouped by {made.group_by}" if made.group_by and not parted else "")
    )
    for problem in parted:
        say(styled("not grouped", "yellow"), f" by {made.group_by}: {problem.reason}")
    for problem in others[:MOST_SHOWN]:
        say(styled("left out" if problem.left_out else "note", "yellow"), f" {problem.name}: {problem.reason}")
    if more := sum(problem.count for problem in others[MOST_SHOWN:]):
        say(f"and {more:,} more; glassnet look --json names them all")


def _origin(data: "Dataset", split: str, number: int) -> dict[str, Any]:
    """Return where an image of one's own came from."""
    if data.source is None:
        return {}
    return {"name": data.source.names[split][number], "source": data.source.record()}
