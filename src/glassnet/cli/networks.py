"""glassnet recipes, glassnet summary."""

from pathlib import Path
from typing import Annotated

import typer

from glassnet import recipes as library
from glassnet.cli.output import Json, bold, print_json, refuse, say, start_keras, table
from glassnet.paths import is_folder


def recipes(*, json: Json = False) -> None:
    """List the recipes: what each is, its size, what accuracy to expect, and how long it takes."""
    from glassnet import datasets

    rows = [
        {
            "name": recipe.name,
            "about": recipe.about,
            "dataset": recipe.dataset,
            "parameters": recipe.parameters((28, 28), len(datasets.EMBEDDED[recipe.dataset].classes)),
            "expected_test_accuracy": {
                name: [share / 100 for share in expected] for name, expected in recipe.expected.items()
            },
            "seconds": dict(recipe.seconds),
            "settings": recipe.settings(),
        }
        for recipe in library.RECIPES.values()
    ]
    if json:
        return print_json(rows)
    titles = [data.title for data in datasets.EMBEDDED.values()]
    result = table(
        "name", "parameters", "epochs", *titles, "seconds", right=("parameters", "epochs", *titles, "seconds")
    )
    for row, recipe in zip(rows, library.RECIPES.values(), strict=True):
        result.add_row(
            recipe.name,
            f"{row['parameters']:,}",
            str(recipe.epochs),
            *(_range(recipe.expected.get(name)) for name in datasets.EMBEDDED),
            _seconds(recipe),
        )
    say(result)
    say("accuracies on the test images, lowest and highest over seeds; seconds of training on two cores, at best")
    for recipe in library.RECIPES.values():
        say("\n", bold(recipe.name), f": {recipe.about}")
    return None


def _range(expected: tuple[float, float] | None) -> str:
    return f"{expected[0]:.1f}–{expected[1]:.1f} %" if expected else "not measured"


def _seconds(recipe: library.Recipe) -> str:
    seconds = min(recipe.seconds.values(), default=None)
    return "not measured" if seconds is None else f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"


def summary(
    network: Annotated[str, typer.Argument(help="Name of a recipe, or a run folder.", show_default=False)],
    *,
    hidden: Annotated[list[int] | None, typer.Option(help="Width of a hidden layer; repeat for more.")] = None,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Say what a network is made of: layers, shapes, parameters and their arithmetic."""
    from glassnet import datasets
    from glassnet.network import summarize

    if network not in library.RECIPES and is_folder(Path(network)):  # a folder called as a recipe is ./NAME
        refuse("is for recipes; a run is what it is", hidden=hidden)
        from glassnet.runs import open_run, read_passport

        read_passport(Path(network))
        start_keras()
        found = summarize(open_run(network).model)
    else:
        recipe = library.find(network)
        recipe = recipe.changed(hidden=hidden) if hidden else recipe
        start_keras()
        found = summarize(recipe.build((28, 28), len(datasets.EMBEDDED[recipe.dataset].classes)))
    if out:
        from glassnet import figures

        figures.save(figures.draw_network(found), out)
    if json:
        return print_json(found)
    size = " × ".join(map(str, found.input_shape))
    say(bold(network), f": takes images of {size} pixels")
    result = table("layer", "kind", "gives", "parameters", "what it does", right=("parameters",))
    for layer in found.layers:
        shape = " × ".join(map(str, layer.output_shape))
        result.add_row(layer.name, layer.kind, shape, layer.arithmetic or "0", layer.role)
    say(result)
    say(f"in all: {found.arithmetic} parameters, {found.trainable:,} of them trained")
    if out:
        say(f"drawn: {out}")
    return None
