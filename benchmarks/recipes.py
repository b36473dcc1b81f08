"""Train the five recipes with five seeds each and hold them against their accuracy ranges; write recipes.md.

python benchmarks/recipes.py [SEEDS]
"""

import platform
import sys
from pathlib import Path

import glassnet
from glassnet.atomic import new_file

BAND = 0.7
TARGET = Path(__file__).with_suffix(".md")


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    lines = [
        "# The recipes over seeds",
        "",
        f"`make slow`: test accuracy in percent, seeds 0 to {seeds[-1]}; seconds for the epochs, without compiling.",
        f"Python {platform.python_version()}, versions {_versions()}.",
        "",
        "| recipe | data | test accuracy of each seed | expected | within the band | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    failed = []
    for recipe in glassnet.recipes.RECIPES.values():
        passports = [glassnet.train(recipe, seed=seed).passport for seed in seeds]
        accuracies = [100 * passport.test_accuracy for passport in passports]
        low, high = recipe.expected
        band = 0 if recipe.name == "raw-neurons" else BAND  # its range is the whole range already
        fits = all(low - band <= accuracy <= high + band for accuracy in accuracies)
        seconds = sorted(passport.seconds.train for passport in passports)
        lines.append(
            f"| {recipe.name} | {recipe.dataset} | {', '.join(f'{one:.2f}' for one in accuracies)} | {low}–{high} | "
            f"{'yes' if fits else 'NO'} | {seconds[0]:.2f}–{seconds[-1]:.2f} |"
        )
        print(lines[-1], flush=True)
        failed += [] if fits else [recipe.name]
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")
    if failed:
        raise SystemExit(f"outside the band: {', '.join(failed)}")


def _versions() -> str:
    from glassnet.runs import versions

    return ", ".join(f"{name} {version}" for name, version in versions().items() if name != "python")


if __name__ == "__main__":
    main()
