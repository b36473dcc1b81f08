"""Train recipes with several seeds on both embedded sets and hold them against their accuracy ranges; write recipes.md.

Every training is a process of its own, so that each begins with the same memory. What was measured before is kept in
results/recipes.json, and trained again only with --again.

python benchmarks/recipes.py [RECIPE ...] [--seeds N] [--data NAME] [--again] [--runs FOLDER]
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rows import read_rows, write_rows

from glassnet.atomic import new_file
from glassnet.datasets import EMBEDDED
from glassnet.recipes import RECIPES

BAND = 0.7
TARGET = Path(__file__).with_suffix(".md")
KNOWN = Path(__file__).parent / "results" / "recipes.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="*", default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", choices=EMBEDDED, action="append")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--runs", type=Path, help="keep the runs there, as RECIPE-DATA-SEED")
    arguments = parser.parse_args()
    found = read_rows(KNOWN)
    for name in arguments.recipes:
        for data in arguments.data or EMBEDDED:
            for seed in range(arguments.seeds):
                key = {"recipe": name, "data": data, "seed": seed}
                there = [row for row in found if key.items() <= row.items()]
                if there and not arguments.again:
                    continue
                found = [row for row in found if row not in there] + [key | trained(name, data, seed, arguments.runs)]
                print(found[-1], flush=True)
                write_rows(KNOWN, found)
    wrong = write(found)
    if wrong:
        raise SystemExit(f"outside the band: {', '.join(wrong)}")


def trained(recipe: str, data: str, seed: int, runs: Path | None) -> dict[str, Any]:
    """Train once and return accuracy in percent, seconds of the epochs, and the load of the machine before."""
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        out = str((runs or Path(folder)) / f"{recipe}-{data}-{seed}")
        command = ["train", recipe, "--data", data, "--seed", str(seed), "--out", out, "--replace", "--json"]
        done = subprocess.run([sys.executable, "-m", "glassnet", *command], capture_output=True, text=True, check=True)
    passport = json.loads(done.stdout)
    return {
        "accuracy": round(100 * passport["test_accuracy"], 2),
        "seconds": round(passport["seconds"]["train"], 2),
        "load": load,
    }


def write(found: list[dict[str, Any]]) -> list[str]:
    """Write the table; return what is outside its range."""
    lines = [
        "# The recipes over seeds",
        "",
        "`make slow`: accuracy on the 10,000 test images in percent, seeds from 0; seconds for the epochs, without",
        "compiling (the fastest and the slowest; slow ones shared the cores with other work). The test images were",
        "used for nothing else.",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {_versions()}.",
        "",
        "| recipe | data | test accuracy of each seed | mean | expected | seconds |",
        "| --- | --- | --- | --: | --- | --: |",
    ]
    wrong = []
    for name, recipe in RECIPES.items():
        for data in EMBEDDED:
            rows = sorted(
                (one for one in found if (one["recipe"], one["data"]) == (name, data)), key=lambda one: one["seed"]
            )
            if not rows:
                continue
            accuracies, seconds = ([row[what] for row in rows] for what in ("accuracy", "seconds"))
            low, high = recipe.expected.get(data, (0.0, 100.0))
            band = 0 if name == "raw-neurons" else BAND  # its range is the whole range already
            if not all(low - band <= one <= high + band for one in accuracies):
                wrong.append(f"{name} on {data}")
            told = ", ".join(f"{one:.2f}" for one in accuracies)
            span = f"{min(seconds):.1f}–{max(seconds):.1f}"
            lines.append(f"| {name} | {data} | {told} | {statistics.mean(accuracies):.2f} | {low}–{high} | {span} |")
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")
    return wrong


def _versions() -> str:
    from glassnet.runs import versions

    return ", ".join(f"{name} {version}" for name, version in versions().items() if name != "python")


if __name__ == "__main__":
    main()
