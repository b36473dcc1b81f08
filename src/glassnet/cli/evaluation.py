"""glassnet evaluate, glassnet compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, bold, percent, print_json, say, start_keras, table
from glassnet.cli.training import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from glassnet.evaluation import Comparison, Evaluation, Mistake, RobustnessCurve

WIDEST = 20
"""Classes up to which a confusion matrix is printed."""

OutFile = Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)]


def evaluate(
    run: RunFolder,
    *,
    split: SplitOption = "test",
    report: Annotated[
        bool, typer.Option("--report", help="Everything: classes, confusions, calibration, mistakes, bad images.")
    ] = False,
    out: OutFile = None,
    json: Json = False,
) -> None:
    """Measure a run on images, by default on those that it has not seen; --out draws the confusion matrix."""
    _check(run)
    start_keras()
    from glassnet import evaluation
    from glassnet.runs import open_run

    opened = open_run(run)
    scores = evaluation.evaluate(opened, split=split)
    mistakes = evaluation.find_mistakes(opened, scores) if report else []
    curves = evaluation.measure_robustness(opened) if report else ()
    if out:
        from glassnet.figures import canvas
        from glassnet.figures.evaluation import draw_confusion

        canvas.save(draw_confusion(scores), out)
    if json:
        more = {"mistakes": [one.record() for one in mistakes], "robustness": [one.record() for one in curves]}
        return print_json(scores.record() | (more if report else {}))
    low, high = scores.interval
    say(
        bold(run),
        f" on {scores.n:,} {split} images: accuracy {percent(scores.accuracy)} "
        f"(95 % interval {percent(low)} to {percent(high)}), loss {scores.loss:.4f}",
    )
    if report:
        _print_scores(scores)
        _print_mistakes(mistakes)
        _print_robustness(curves)
    if out:
        say(f"drawn: {out}")
    return None


def compare(
    first: RunFolder, second: RunFolder, *, split: SplitOption = "test", out: OutFile = None, json: Json = False
) -> None:
    """Compare two runs on the same images: which is better, by chance or not, and where they differ."""
    _check(first, second)
    start_keras()
    from glassnet import evaluation
    from glassnet.runs import open_run

    runs = open_run(first), open_run(second)
    comparison = evaluation.compare(*runs, split=split)
    print_json(comparison.record()) if json else _print_comparison(comparison)
    if out:
        from glassnet.figures import canvas
        from glassnet.figures.answers import draw_comparison

        canvas.save(draw_comparison(comparison, runs[0].dataset()), out)
        if not json:
            say(f"drawn: {out}")


def _check(*folders: Path) -> None:
    """Refuse what cannot be measured before Keras is imported for it."""
    from glassnet.runs import read_passport

    for folder in folders:
        read_passport(folder)


def _print_scores(scores: "Evaluation") -> None:
    """Print what follows from the answers: baselines, classes, confusions, calibration, coverage."""
    say(
        f"\nFor comparison: chance {percent(scores.chance)}, always the most frequent class "
        f"{percent(scores.majority)}" + (f", people {percent(scores.human)}" if scores.human is not None else "")
    )
    classes = table("class", "precision", "recall", "F1", "images", right=("precision", "recall", "F1", "images"))
    for one in scores.per_class:
        classes.add_row(one.label, percent(one.precision), percent(one.recall), percent(one.f1), f"{one.support:,}")
    _show("Classes", classes)

    if len(scores.classes) <= WIDEST:
        numbers = [str(number) for number in range(len(scores.classes))]
        matrix = table("", *numbers, right=tuple(numbers))
        for number, (label, row) in enumerate(zip(scores.classes, scores.confusion, strict=True)):
            name = label if label == str(number) else f"{number} {label}"
            matrix.add_row(name, *(str(count) if count else "·" for count in row))
        _show("Confusion matrix: each row is what it is, each column what the network says", matrix)

    if scores.confused:
        pairs = table("what it is", "what the network says", "images", "of its class", right=("images", "of its class"))
        for pair in scores.confused:
            pairs.add_row(pair.truth, pair.predicted, f"{pair.count:,}", percent(pair.share))
        _show("Most confused", pairs)

    bins = table("sure", "mean", "right", "images", right=("sure", "mean", "right", "images"))
    for one in scores.reliability:
        span = f"{100 * one.low:.0f} to {100 * one.high:.0f} %"
        bins.add_row(span, percent(one.confidence), percent(one.accuracy), f"{one.n:,}")
    _show(f"Is it right as often as it says? Calibration error {percent(scores.calibration_error)}", bins)

    points = table("answered", "wrong", "if at least so sure", right=("answered", "wrong", "if at least so sure"))
    for one in scores.coverage[::-2]:
        points.add_row(percent(one.coverage), percent(one.error), percent(one.threshold))
    _show("If it answers only when it is sure", points)

    if trust := scores.trust:
        say("\n", bold("How far it can be trusted"), f", learned from {trust.held_out:,} held-out images")
        wrong = "none" if trust.answered_error is None else percent(trust.answered_error)
        say(
            f"calibrated (temperature {trust.temperature:.2f}), the calibration error is "
            f"{percent(trust.calibration_error)}\n"
            f"sets that may miss {percent(trust.set_error)}: {percent(trust.set_coverage)} hold the right class, "
            f"{trust.set_size:.2f} classes on average\n"
            f"with --max-error {trust.max_error:g} it answers {percent(trust.answered)}, of which {wrong} wrong\n"
            f"{percent(trust.unlike)} of these images are called unlike the training images "
            f"({percent(trust.false_alarms)} expected)"
        )


def _print_mistakes(mistakes: "Sequence[Mistake]") -> None:
    if not mistakes:
        return
    right = ("image", "sure", "to said", "to true")
    rows = table("image", "what it is", "network says", *right[1:], "a person too?", right=right)
    for one in mistakes:
        said, true = (f"{near[0].distance:.2f}" if near else "–" for near in (one.nearest_predicted, one.nearest_true))
        likely = "perhaps" if one.understandable else "hardly"
        rows.add_row(str(one.index), one.truth, one.predicted, percent(one.probability), said, true, likely)
    _show("The mistakes that it was surest of, and the distance to the nearest training image of either class", rows)


def _print_robustness(curves: "Sequence[RobustnessCurve]") -> None:
    for number, curve in enumerate(curves):
        if not number:
            say("\n", bold("Accuracy on worse images"), f" ({curve.n:,} test images, spread over all)")
        levels = [f"{point.level:g}" for point in curve.points]
        rows = table("  level", *levels, right=tuple(levels))
        rows.add_row("  accuracy", *(percent(point.accuracy) for point in curve.points))
        say(f"{curve.name}, {curve.unit}")
        say(rows)


def _print_comparison(one: "Comparison") -> None:
    """Print accuracies, their difference, what McNemar's test says, and where the runs differ."""
    say(f"On the {one.n:,} {one.split} images of {one.dataset}:")
    accuracies = table("", "run", "accuracy", right=("accuracy",))
    accuracies.add_row("1", one.first, percent(one.first_accuracy))
    accuracies.add_row("2", one.second, percent(one.second_accuracy))
    say(accuracies)
    low, high = (f"{100 * bound:+.2f}" for bound in one.interval)
    say(
        "\nDifference (2 minus 1): ",
        bold(f"{100 * one.difference:+.2f}"),
        f" points, 95 % interval {low} to {high}; McNemar's exact test: p = {one.p_value:.2g}",
    )
    counts = table("", "2 right", "2 wrong", right=("2 right", "2 wrong"))
    counts.add_row("1 right", f"{one.both_right:,}", f"{one.only_first:,}")
    counts.add_row("1 wrong", f"{one.only_second:,}", f"{one.both_wrong:,}")
    _show("Images", counts)
    if one.differing:
        rows = table("image", "what it is", "1 says", "2 says", right=("image",))
        for image in one.differing[:10]:
            rows.add_row(str(image.index), image.truth, image.first, image.second)
        _show(f"The first of {len(one.differing):,} images that only one recognises", rows)


def _show(title: str, rows: object) -> None:
    say("\n", bold(title))
    say(rows)
