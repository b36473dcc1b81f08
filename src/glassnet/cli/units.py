"""glassnet units, glassnet map."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, bold, percent, print_json, say, start_keras, table
from glassnet.cli.training import RunFolder
from glassnet.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

    from glassnet.explanation.exciting import Exciting
    from glassnet.explanation.influence import UnitInfluence
    from glassnet.explanation.units import Templates
    from glassnet.runs import Run

EXCITING = 8
"""Images that are shown for each unit."""

PUSHES = (("pushes_for", "raises"), ("pushes_against", "lowers"))

Out = Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)]


def units(
    run: RunFolder,
    *,
    layer: Annotated[
        str | None, typer.Option(help="A Dense or Conv2D layer; default the first hidden one.", show_default=False)
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many units.")] = 10,
    index: Annotated[
        int | None, typer.Option(help="Number of a test image: what each unit gives for it.", show_default=False)
    ] = None,
    weights: Annotated[bool, typer.Option("--weights", help="Draw the weights of all units of the layer.")] = False,
    out: Out = None,
    json: Json = False,
) -> None:
    """Show what the units of a layer look for: how much each matters, for which class, which images excite it most.

    Of a network without a hidden layer, the units are the classes. --out draws the units with their weights and images;
    with --index, of a convolution, what each filter gives for that image.
    """
    from glassnet.runs import read_passport

    if weights and not out:
        raise InputError("--weights draws the weights of all units; say where to: add --out weights.png")
    read_passport(run)
    start_keras()
    from glassnet.explanation.exciting import most_exciting, unit_values
    from glassnet.explanation.influence import influence
    from glassnet.explanation.layers import find_layer
    from glassnet.explanation.units import KINDS, hidden_layers, templates
    from glassnet.runs import open_run

    opened = open_run(run)
    opened = replace(opened, data=opened.dataset())  # it is asked for again and again
    part = opened.dataset().split("test")
    image, label = (None, None) if index is None else part.at(index)
    if hidden := hidden_layers(opened.model):
        influences = influence(opened, layer=layer)[:top]
        name, numbers = influences[0].layer, [one.unit for one in influences]
    else:
        found = templates(opened)
        name, influences = find_layer(opened.model, layer or found.layer, KINDS).name, []
        numbers = list(range(len(found.names)))[:top]
    exciting = {one.unit: one for one in most_exciting(opened, layer=name, count=EXCITING)}
    values = None if image is None else unit_values(opened, image, name)
    if out:
        from glassnet.figures.canvas import save

        save(_figure(opened, name, influences, list(exciting.values()), image, weights), out)
    rows = [_record(opened, one, exciting[one.unit]) for one in influences]
    rows = rows or [_record_output(opened, exciting[unit]) for unit in numbers]
    for row in rows:
        row["on_image"] = None if values is None else float(values[row["unit"]])
    if json:
        return print_json(
            {
                "run": str(run),
                "layer": name,
                "hidden": bool(hidden),
                "units": len(exciting),
                "index": index,
                "label": None if label is None else opened.passport.classes[label],
                "shown": rows,
                "out": str(out) if out else None,
            }
        )
    say(bold(run), f", layer {name}: {len(rows)} of {len(exciting)} units")
    say(_table(rows, index))
    if hidden:
        say(
            f"\ninfluence: mean change of the logits when the unit is switched off, over {influences[0].images:,} test "
            "images\nactive: share of them for which it gives more than 0"
        )
    say("excited most by: numbers of test images" + ("" if out else "; see them: add --out units.png"))
    if out:
        say(f"drawn: {out}")
    return None


def map_images(
    run: RunFolder,
    *,
    method: Annotated[str, typer.Option(help="pca, t-sne or umap.")] = "pca",
    images: Annotated[int, typer.Option(min=1, help="How many images.")] = 2000,
    layer: Annotated[
        str | None, typer.Option(help="Whose values; default what enters the last layer.", show_default=False)
    ] = None,
    split: SplitOption = "test",
    seed: Annotated[int, typer.Option(help="Of the choice of images, and of t-sne and umap.")] = 0,
    out: Out = None,
    json: Json = False,
) -> None:
    """Lay images out on a map: the nearer two of them, the more alike to the network."""
    from glassnet.runs import read_passport

    read_passport(run)
    start_keras()
    import numpy as np

    from glassnet.explanation.plane import project
    from glassnet.runs import open_run

    opened = open_run(run)
    plane = project(opened, split=split, images=images, method=method, layer=layer, seed=seed)
    if out:
        from glassnet.figures.canvas import save
        from glassnet.figures.plane import draw_plane

        save(draw_plane(plane, opened.dataset().split(split).images), out)
    if json:
        return print_json({"run": str(run)} | plane.record() | {"out": str(out) if out else None})
    shares = f", {percent(sum(plane.explained))} of the variance" if plane.explained else ""
    say(
        bold(run),
        f": {len(plane.points):,} {split} images by {method}{shares}; {plane.layer}, {plane.features:,} values each",
    )
    result = table("class", "images", "middle across", "middle up", "taken for another class",
                   right=("images", "middle across", "middle up", "taken for another class"))  # fmt: skip
    for number, name in enumerate(plane.classes):
        mine = plane.labels == number
        if not mine.any():
            continue
        across, up = np.median(plane.points[mine], axis=0)
        wrong = float((plane.predicted[mine] != number).mean())
        result.add_row(name, f"{mine.sum():,}", f"{across:.2f}", f"{up:.2f}", percent(wrong))
    say(result)
    say(f"drawn: {out}" if out else "see it: add --out map.png")
    return None


def _figure(
    run: "Run",
    layer: str,
    influences: "list[UnitInfluence]",
    exciting: "list[Exciting]",
    image: Any,
    weights: bool,
) -> "Figure":
    """Draw what was asked for: feature maps, all weights, or the units."""
    from glassnet.explanation.layers import find_layer
    from glassnet.explanation.units import feature_maps, filters
    from glassnet.figures import units as figures

    convolution = type(find_layer(run.model, layer)).__name__ == "Conv2D"
    if convolution and image is not None and not weights:
        maps = feature_maps(run, image, layer)
        return figures.draw_feature_maps(image, maps, title=f"what each filter of {layer} gives")
    if weights or not influences:
        return figures.draw_filters(filters(run, layer)) if convolution else figures.draw_templates(_own(run, layer))
    try:
        pictures = filters(run, layer) if convolution else _own(run, layer)
    except InputError:  # a layer deep in the network: its weights are no pictures
        pictures = None
    return figures.draw_units(influences, exciting, run.dataset().test.images, pictures)


def _own(run: "Run", layer: str) -> "Templates":
    """Return the templates of that layer.

    Raises:
        InputError: its weights do not belong to pixels.
    """
    from glassnet.explanation.units import templates

    found = templates(run)
    if found.layer != layer:
        raise InputError(
            f"the weights of {layer} do not belong to pixels, so they are no pictures; those of {found.layer} do"
        )
    return found


def _record(run: "Run", one: "UnitInfluence", exciting: "Exciting") -> dict[str, Any]:
    """Return a hidden unit as JSON has it."""
    facts = {name: value for name, value in one.record().items() if name != "layer"}
    return {"name": f"unit {one.unit}"} | facts | {"bias": _bias(run, exciting)} | _exciting(run, exciting)


def _record_output(run: "Run", exciting: "Exciting") -> dict[str, Any]:
    """Return a unit of the last layer as JSON has it: what only hidden units have is null."""
    none = ("influence", "active", "pushes_for", "raises", "pushes_against", "lowers", "images")
    name = run.passport.classes[exciting.unit]
    facts = {"name": name, "unit": exciting.unit} | dict.fromkeys(none)
    return facts | {"bias": _bias(run, exciting)} | _exciting(run, exciting)


def _bias(run: "Run", exciting: "Exciting") -> float:
    layer: Any = run.model.get_layer(exciting.layer)
    return float(layer.bias.value[exciting.unit]) if layer.use_bias else 0.0


def _exciting(run: "Run", one: "Exciting") -> dict[str, Any]:
    """Return the images that excite a unit, one object each."""
    labels, classes = run.dataset().test.labels, run.passport.classes
    return {
        "exciting": [
            {
                "index": index,
                "label": classes[labels[index]],
                "value": value,
                "position": one.positions[k] if one.positions else None,
                "box": one.boxes[k] if one.boxes else None,
            }
            for k, (index, value) in enumerate(zip(one.indexes, one.values, strict=True))
        ]
    }


def _table(rows: list[dict[str, Any]], index: int | None) -> "Table":
    """Return the units as a table; those of the last layer have no influence."""
    hidden = rows[0]["influence"] is not None
    here = [f"on image {index}"] if index is not None else []
    numbers = ["unit", "influence", "active"] if hidden else ["bias"]
    words = ["pushes for", "pushes against"] if hidden else []
    columns = [*numbers, *words, *here] if hidden else ["class", *numbers, *here]
    result = table(*columns, "excited most by", right=(*numbers, *here))
    result.columns[-1].no_wrap = True
    for row in rows:
        if hidden:
            cells = [str(row["unit"]), f"{row['influence']:.3f}", percent(row["active"])]
            cells += [f"{row[name] or '–'} {row[by]:+.2f}" for name, by in PUSHES]
        else:
            cells = [row["name"], f"{row['bias']:+.3f}"]
        cells += [f"{row['on_image']:.2f}"] if here else []
        result.add_row(*cells, ", ".join(str(one["index"]) for one in row["exciting"][:3]))
    return result
