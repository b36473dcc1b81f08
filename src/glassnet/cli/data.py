"""glassnet datasets, glassnet look."""

from pathlib import Path
from typing import Annotated

import typer

from glassnet.cli.output import Json, console, print_json, table

DataName = Annotated[str, typer.Argument(help="Name of a data set: fashion-mnist or mnist.", show_default=False)]
SplitOption = Annotated[str, typer.Option("--split", help="Which images: train or test.")]


def datasets(*, json: Json = False) -> None:
    """List the data sets: what is in the package, how large, under which licence."""
    from glassnet.datasets import EMBEDDED

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
        return print_json(rows)
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
    console.print(result)
    for row in rows:
        console.print(f"\n[bold]{row['name']}[/bold]: {row['about']}; {row['credit']}\n  {', '.join(row['classes'])}")
    console.print("\nThese are complete inside the package and need no network. Nothing else can be downloaded yet.")
    return None


def look(
    data: DataName,
    *,
    index: Annotated[int | None, typer.Option(help="Number of the image; default 0.", show_default=False)] = None,
    split: SplitOption = "train",
    grid: Annotated[bool, typer.Option("--grid", help="The first 25 images with their labels.")] = False,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Look at an image before anything is learned: its label, its pixel values, the picture."""
    from glassnet.cli.characters import draw, pixel_values
    from glassnet.datasets import load

    loaded = load(data)
    part = loaded.split(split)
    if out:
        from glassnet import figures

        figures.save(figures.look(loaded, None if grid else index or 0, split=part.name), out)
    numbers = range(25) if grid else [index or 0]
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
            for number, image, label in found
        ]
        return print_json(rows if grid else rows[0])
    for number, image, label in found:
        shape = " × ".join(map(str, image.shape))
        console.print(
            f"[bold]{loaded.classes[label]}[/bold]: {data}, {split} image {number}, label {label}, "
            f"{shape} pixels, {image.dtype}, darkest {image.min()}, brightest {image.max()}",
        )
        if not grid:
            console.print(draw(image), markup=False)
            console.print(pixel_values(image), markup=False)
    if out:
        console.print(f"drawn: {out}")
    return None
