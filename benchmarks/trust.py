"""What runs say about their own certainty, held against test images and foreign images; write trust.md.

Test images: how far confidence is from accuracy, how often sets hold the right class, how many answers are given and
how many of them are wrong when one in a hundred may be. Foreign images: the share that is called unlike the training
images, where 5 % of the test images may be.

What was measured before is kept in results/trust.json; a run takes the row of its recipe and data set.

python benchmarks/trust.py RUN [RUN ...] [--count N]
"""

import argparse
import collections
from pathlib import Path
from typing import Any

import numpy as np
from rows import read_rows, write_rows

import glassnet
from glassnet import Run
from glassnet.atomic import new_file
from glassnet.benchmark import foreign
from glassnet.confidence import judge
from glassnet.confidence.assurance import Assurance, ask
from glassnet.confidence.temperature import calibrated, to_logits
from glassnet.datasets import EMBEDDED
from glassnet.evaluation.calibration import calibration_error, reliability_bins
from glassnet.evaluation.trust import MAX_ERROR, Trust, measure_trust
from glassnet.prediction import answer_photos

TARGET = Path(__file__).with_suffix(".md")
KNOWN = Path(__file__).parent / "results" / "trust.json"
RATES = (0.10, 0.05, 0.02, 0.01)
TARGETS = {
    "calibration": 0.01,
    "coverage": 0.01,
    "wrong": 0.013,
    "answered": {"mnist": 0.95, "fashion-mnist": 0.60},
    "foreign": 0.95,
}
"""What is asked of `strong`; what misses it is marked."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=200, help="foreign photos of each kind")
    arguments = parser.parse_args()
    rows = read_rows(KNOWN)
    for path in arguments.runs:
        run = glassnet.open_run(path)
        if run.assurance is None:
            raise SystemExit(f"{path} held no images out from its training; train it with --held-out 0.05")
        key = {"recipe": run.passport.recipe, "data": run.passport.dataset}
        trust, answers = on_test_images(run, run.assurance)
        strangers, letters = on_foreign_images(run, run.assurance, arguments.count)
        strangers.insert(0, f"{100 * trust.unlike:.1f}")
        row = key | {"answers": answers, "strangers": strangers, "count": arguments.count, "letters": letters}
        print(row, flush=True)
        rows = [one for one in rows if not key.items() <= one.items()] + [row]
    write_rows(KNOWN, rows)
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(page(rows)) + "\n", "utf-8")


def on_test_images(run: Run, assurance: Assurance) -> tuple[Trust, list[str]]:
    """Return what the test images say about the run's certainty, as facts and as the cells of a row."""
    test = run.dataset().test
    outputs, seen = ask(run.model, test.images)
    trust = measure_trust(assurance, outputs, assurance.novelty.typicality(seen), test.labels)
    logits = to_logits(outputs, assurance.outputs)
    raw = calibrated(logits, 1)
    before = calibration_error(reliability_bins(raw.max(1), raw.argmax(1) == test.labels))
    believed = calibrated(logits, assurance.temperature)[np.arange(len(test)), test.labels]
    cells = [
        f"{100 * run.passport.test_accuracy:.2f}",
        f"{assurance.n:,}",
        f"{assurance.temperature:.2f}",
        f"{100 * before:.2f}",
        told(trust.calibration_error, trust.calibration_error <= TARGETS["calibration"], digits=2),
    ]
    for rate in RATES:
        covered = float((believed >= assurance.set_threshold(rate)).mean())
        cells.append(told(covered, abs(covered - (1 - rate)) <= TARGETS["coverage"]))
    wrong = trust.answered_error
    asked = TARGETS["answered"].get(run.passport.dataset, 0.0)
    cells.append(told(trust.answered, trust.answered >= asked))
    cells.append("–" if wrong is None else told(wrong, wrong <= TARGETS["wrong"], digits=2))
    return trust, cells


def on_foreign_images(run: Run, assurance: Assurance, count: int) -> tuple[list[str], str]:
    """Return the share of each kind that is flagged, and in words the letters that were not."""
    (other,) = (name for name in EMBEDDED if name != run.passport.dataset)
    flags = {"other": [one.unlike for one in judge(run.model, assurance, glassnet.load(other).test.images)]}
    missed: collections.Counter[str] = collections.Counter()
    for kind in foreign.KINDS:
        strangers = [foreign.render(kind, seed) for seed in range(count)]
        found = [answer for answer, _ in answer_photos(run, strangers, top=1)]
        flags[kind] = [one.verdict is not None and one.verdict.unlike for one in found]
        if kind == "letters":
            missed.update(foreign.letter_of(seed) for seed in np.flatnonzero(~np.array(flags[kind])).tolist())
    cells = [told(share, share >= TARGETS["foreign"]) for share in (float(np.mean(one)) for one in flags.values())]
    often = ", ".join(f"{letter} ({times})" for letter, times in missed.most_common(12))
    return cells, often or "none"


def told(share: float, met: bool, *, digits: int = 1) -> str:
    """Return a share in percent, marked where it misses its target."""
    return f"{100 * share:.{digits}f}" if met else f"**{100 * share:.{digits}f}**"


def page(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the page."""
    ending = ["accuracy", "held out", "temperature", "calibration error before", "after"]
    ending += [f"sets of {100 * (1 - rate):.0f} %" for rate in RATES] + ["answered", "of them wrong"]
    counts = " or ".join(map(str, sorted({row["count"] for row in rows})))
    left_out = " ".join(foreign.DIGITLIKE)
    return [
        "# How far runs know what they know",
        "",
        "`python benchmarks/trust.py RUN …` (`make bench-photos`): all in percent; bold is what misses its target.",
        "",
        "## Test images",
        "",
        "All 10,000, which nothing was learned from or chosen by. Calibration error: mean distance of confidence from",
        "accuracy over ten bins, before and after the temperature (at most 1). Sets: share that holds the right class",
        f"(within 1 of what is asked). Answered: with `--max-error {MAX_ERROR}` (at least 95 of MNIST and 60 of",
        "Fashion-MNIST for `strong`, at most 1.3 of them wrong).",
        "",
        *table(ending, rows, "answers"),
        "",
        "## Foreign images",
        "",
        "Share called unlike the training data (at least 95), at the threshold that calls 5 % of held-out images so;",
        "false alarms are the share of the test images. The other embedded set: all of its 10,000 test images. The",
        f"others: {counts} photographs each, made by `glassnet.benchmark.foreign` and developed as every photo is.",
        f"Letters are capital and small, in {len(foreign.FONTS)} fonts, without those that people take for digits too:",
        f"{left_out}.",
        "",
        *table(["false alarms", "other set", *foreign.KINDS], rows, "strangers"),
        "",
        "Letters that were not called so, with how often:",
        "",
        *(f"- `{row['recipe']}`, {row['data']}: {row['letters']}" for row in rows),
    ]


def table(headings: list[str], rows: list[dict[str, Any]], part: str) -> list[str]:
    """Return one part of the rows as a Markdown table, behind their recipes and data sets."""
    lines = [["recipe", "data", *headings], ["---", "---"] + ["--:"] * len(headings)]
    lines += [[f"`{row['recipe']}`", row["data"], *row[part]] for row in rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


if __name__ == "__main__":
    main()
