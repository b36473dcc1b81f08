"""What each technique is worth: a recipe with one thing changed, three seeds each; write ablations.md.

Measured on the last 10,000 training images, which these trainings do not learn from; the test images stay untouched.

What was measured before is kept in results/ablations.json; --again measures it anew.

python benchmarks/ablations.py RECIPE [DATA ...] [--seeds N] [--epochs N] [--only TEXT ...] [--again]
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

from rows import read_rows, write_rows

import glassnet
from glassnet import Dataset, Split, photos
from glassnet.atomic import new_file
from glassnet.recipes import Recipe

TARGET = Path(__file__).with_suffix(".md")
KNOWN = Path(__file__).parent / "results" / "ablations.json"
AS_IS = "as it is"
HELD_OUT = 10_000

CHANGES: dict[str, dict[str, Any]] = {
    AS_IS: {},
    "constant learning rate": {"schedule": "constant", "learning_rate": 0.001},
    "first filters at random": {"principal": False},
    "principal first filters": {"principal": True},
    "no batch normalisation": {"batch_norm": False},
    "Muon": {"optimizer": "muon", "learning_rate": 0.02},
    "AdamW": {"optimizer": "adamw"},
    "Nadam": {"optimizer": "nadam"},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "no label smoothing": {"label_smoothing": 0.0},
    "weight decay 0.05": {"weight_decay": 0.05},
    "no weight decay": {"weight_decay": None},
    "neither of these two": {"label_smoothing": 0.0, "weight_decay": None},
    "half the learning rate": {},
    "twice the learning rate": {},
    "batch size 128": {"batch_size": 128},
    "GELU": {"activation": "gelu"},
    "one member": {"members": 1},
    "two members": {"members": 2},
    "dropout 0.25": {"dropout": 0.25},
    "no changes of the images": {"shift": 0, "rotate": 0, "zoom": 0, "elastic": 0, "erase": 0, "flip": False},
    "shift by 2": {"shift": 2},
    "shift by 1": {"shift": 1},
    "rotate by 10°, zoom 0.1": {"rotate": 10, "zoom": 0.1},
    "elastic 1": {"elastic": 1},
    "erase 0.4": {"erase": 0.4},
    "flip": {"flip": True},
    "flip alone": {"shift": 0, "rotate": 0, "zoom": 0, "flip": True},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe")
    parser.add_argument("data", nargs="*", default=["mnist", "fashion-mnist"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="the recipe's own if not given; it then is as it is with so many")
    parser.add_argument("--only", nargs="*", help="of the changes, those whose title has one of these texts")
    parser.add_argument("--again", action="store_true", help="also what was measured before")
    arguments = parser.parse_args()
    recipe = glassnet.recipes.find(arguments.recipe)
    if arguments.epochs:
        recipe = recipe.changed(epochs=arguments.epochs)
    rows = read_rows(KNOWN)
    for name in arguments.data:
        data = without_test(glassnet.load(name))
        # What the images show is chosen first: changing one of these settings then leaves the others as they are.
        for title, changed in changes(photos.adapt(recipe, data)):
            if arguments.only and title != AS_IS and not any(text in title for text in arguments.only):
                continue
            key = {"recipe": recipe.name, "epochs": recipe.epochs, "data": name, "change": title}
            there = [one for one in rows if key.items() <= one.items()]
            if there and len(there[0]["accuracies"]) >= arguments.seeds and not arguments.again:
                continue
            row = key | measured(changed, data, arguments.seeds)
            rows = [one for one in rows if one not in there] + [row]
            print(row, flush=True)
            write_rows(KNOWN, rows)
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(page(rows)) + "\n", "utf-8")


def changes(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Return the recipe and its variants; those that change nothing are left out."""
    found = []
    for title, settings in CHANGES.items():
        rate = recipe.learning_rate or 0.001
        if "members" in settings and not recipe.can_have_members:
            continue
        factor = {"half the learning rate": 0.5, "twice the learning rate": 2}.get(title)
        changed = recipe.changed(**(settings if factor is None else {"learning_rate": rate * factor}))
        if title == AS_IS or changed != recipe:
            found.append((title, changed))
    return found


def without_test(data: Dataset) -> Dataset:
    """Return the training images alone: the last 10,000 of them stand in for the test."""
    images, labels = data.train.images, data.train.labels
    return Dataset(
        name=data.name,
        classes=data.classes,
        train=Split("train", images[:-HELD_OUT], labels[:-HELD_OUT]),
        test=Split("test", images[-HELD_OUT:], labels[-HELD_OUT:]),
    )


def measured(recipe: Recipe, data: Dataset, seeds: int) -> dict[str, Any]:
    """Train with several seeds."""
    passports = [glassnet.train(recipe, data, seed=seed).passport for seed in range(seeds)]
    return {
        "accuracies": [round(100 * one.test_accuracy, 2) for one in passports],
        "seconds": [round(one.seconds.train, 1) for one in passports],
    }


def page(rows: list[dict[str, Any]]) -> list[str]:
    """Return the tables, one for each recipe, data set and number of epochs."""
    lines = [
        "# What each technique is worth",
        "",
        "`python benchmarks/ablations.py RECIPE` (`make ablations`): accuracy in percent on the last 10,000 training",
        "images, from which these trainings did not learn; seeds from 0. The difference is to the recipe as it is,",
        "seed by seed, with its standard error.",
    ]
    for group in dict.fromkeys((row["recipe"], row["data"], row["epochs"]) for row in rows):
        found = [row for row in rows if (row["recipe"], row["data"], row["epochs"]) == group]
        usual = next(row["accuracies"] for row in found if row["change"] == AS_IS)
        lines += ["", f"## `{group[0]}` on {group[1]}, {group[2]} epochs", ""]
        lines += ["| change | accuracy of each seed | mean | difference |", "| --- | --- | --: | --: |"]
        for row in found:
            apart = [one - other for one, other in zip(row["accuracies"], usual, strict=False)]
            error = statistics.stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else float("nan")
            difference = "" if row["change"] == AS_IS else f"{statistics.mean(apart):+.2f} ± {error:.2f}"
            told = ", ".join(f"{one:.2f}" for one in row["accuracies"])
            lines.append(f"| {row['change']} | {told} | {statistics.mean(row['accuracies']):.2f} | {difference} |")
    return lines


if __name__ == "__main__":
    main()
