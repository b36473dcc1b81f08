"""How many photographs made here runs read, style by style, and what each step is worth; write photographs.md.

The photographs are test images as pens, papers, light and cameras show them (`glassnet.benchmark.photos`). Some styles
of each kind are held out: nothing was chosen by them, and their mean is the number that counts.

python benchmarks/photographs.py RUN [RUN ...] [--count N] [--held-out N] [--ablate N]
"""

import argparse
from pathlib import Path

import glassnet
from glassnet import Run
from glassnet.atomic import new_file
from glassnet.benchmark.photo_scores import PhotoScores, StyleScore, mean_of, score_photos
from glassnet.benchmark.photos import STYLES
from glassnet.evaluation.intervals import wilson_interval
from glassnet.prediction import photo_facts

TARGET = Path(__file__).with_suffix(".md")
GOALS = {"drawings": 0.96, "items": 0.60}
"""Share of the photos in held-out styles that `strong` is to read."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=150, help="photos of each style that is not held out")
    parser.add_argument("--held-out", type=int, default=500, help="photos of each held-out style; 0 leaves them alone")
    parser.add_argument("--ablate", type=int, default=30, help="photos of each style without each step; 0 for none")
    arguments = parser.parse_args()
    lines = [
        "# Photographs made here",
        "",
        "`python benchmarks/photographs.py RUN …` (`make bench-photos`): share of photographed test images that is",
        "read right, in percent, beside a mere resize with light and dark as the photo's ground says. Nothing was",
        "chosen by the styles that are held out.",
    ]
    for path in arguments.runs:
        run = glassnet.open_run(path)
        kind, passport = photo_facts(run).kind, run.passport
        title = f"`{passport.recipe}` on {passport.dataset}, {100 * passport.test_accuracy:.2f} % of the test images"
        lines += ["", f"## {title}", "", *styles(scored(run, arguments.count, arguments.held_out), GOALS[kind])]
        if arguments.ablate:
            tuned = [style.name for style in STYLES[kind].values() if not style.held_out]
            ablated = score_photos(run, count=arguments.ablate, styles=tuned, ablate=True)
            lines += ["", f"Without one step ({arguments.ablate} photos of each style):", "", *ablation(ablated)]
        print("\n".join(lines), flush=True)
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")


def scored(run: Run, count: int, held_out: int) -> list[StyleScore]:
    """Return the scores of all styles, with another number of photos for those that are held out."""
    found: list[StyleScore] = []
    for style in STYLES[photo_facts(run).kind].values():
        if n := held_out if style.held_out else count:
            found += score_photos(run, count=n, styles=[style.name]).styles
            print(style.name, f"{100 * found[-1].accuracy:.1f}", flush=True)
    return sorted(found, key=lambda one: one.held_out)


def styles(scores: list[StyleScore], goal: float) -> list[str]:
    """Return the table of the styles, with the means over those that are held out and over the others."""
    lines = [
        "| style | what can be seen | photos | only resized | all steps | 95 % interval |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for one in scores:
        name = f"**{one.style}** (held out)" if one.held_out else one.style
        low, high = one.interval
        shares = f"{100 * one.resized:.1f} | {100 * one.accuracy:.1f} | {100 * low:.1f} to {100 * high:.1f}"
        lines.append(f"| {name} | {one.about} | {one.n} | {shares} |")
    for held_out, name in ((False, "mean of the others"), (True, f"**mean of the held-out** (goal {100 * goal:.0f})")):
        chosen = [one for one in scores if one.held_out == held_out]
        if n := sum(one.n for one in chosen):
            low, high = wilson_interval(round(sum(one.accuracy * one.n for one in chosen)), n)
            resized, right = mean_of(chosen)
            shares = f"{100 * resized:.1f} | {100 * right:.1f} | {100 * low:.1f} to {100 * high:.1f}"
            lines.append(f"| {name} | | {n} | {shares} |")
    return lines


def ablation(scores: PhotoScores) -> list[str]:
    """Return the table of what is read without each step, a row for each, and its mean over the styles."""
    steps = list(dict.fromkeys(step for one in scores.styles for step in one.without))
    lines = [
        "| without | " + " | ".join(one.style for one in scores.styles) + " | mean | worth |",
        "| --- |" + " --: |" * (len(scores.styles) + 2),
    ]
    whole = sum(one.accuracy for one in scores.styles) / len(scores.styles)
    cells = " | ".join(f"{100 * one.accuracy:.0f}" for one in scores.styles)
    lines.append(f"| (nothing) | {cells} | {100 * whole:.1f} | |")
    for step in steps:
        shares = [one.without.get(step) for one in scores.styles]
        cells = " | ".join("–" if share is None else f"{100 * share:.0f}" for share in shares)
        # Where a step does not occur, leaving it out changes nothing.
        mean = sum(one.without.get(step, one.accuracy) for one in scores.styles) / len(scores.styles)
        lines.append(f"| {step} | {cells} | {100 * mean:.1f} | {100 * (whole - mean):+.1f} |")
    return lines


if __name__ == "__main__":
    main()
