"""The charts of a report: learning, calibration, coverage and robustness, each with its numbers in words."""

from typing import TYPE_CHECKING

from markupsafe import Markup

from glassnet.sharing.charts import NARROW, Axis, Line, axis, chart, counts, whole

if TYPE_CHECKING:
    from glassnet.evaluation import Evaluation, RobustnessCurve
    from glassnet.runs import Passport

MOST_DOTS = 12
"""Epochs up to which each has a dot."""


def learning_curves(passport: "Passport") -> list[tuple[str, Markup]]:
    """Draw each metric over the epochs: training, validation where there was one, and the end on the test images."""
    history = passport.history
    metrics = [name for name, values in history.items() if not name.startswith("val_") and values]
    ends = {"loss": passport.test_loss, "accuracy": passport.test_accuracy}
    drawn = []
    for metric in metrics:
        lines = [_over_epochs("training", history[metric], "for")]
        if validation := history.get(f"val_{metric}"):
            lines.append(_over_epochs("validation", validation, "against"))
        elif metric in ends:
            lines.append(Line("test", [(len(history[metric]), ends[metric])], "against", [4.0], joined=False))
        values = [y for line in lines for _, y in line.points]
        y = axis(metric, values, shares=metric.endswith("accuracy"))
        about = f"{metric} over the epochs. " + ". ".join(
            f"{line.name}: from {y.form(line.points[0][1])} to {y.form(line.points[-1][1])}" for line in lines
        )
        drawn.append((metric, chart(lines, counts("epoch", len(history[metric])), y, about=about)))
    return drawn


def reliability_chart(evaluation: "Evaluation") -> Markup:
    """Draw how often answers are right over how sure they are; larger dots are more answers."""
    bins = evaluation.reliability
    largest = max(one.n for one in bins)
    ideal = Line("", [(0, 0), (1, 1)], "quiet")
    sizes = [2 + 6 * (one.n / largest) ** 0.5 for one in bins]
    network = Line("", [(one.confidence, one.accuracy) for one in bins], "for", sizes)
    spoken = "; ".join(f"{one.confidence:.0%} sure, {one.accuracy:.0%} right, {one.n} images" for one in bins)
    about = f"How often answers are right, by how sure the network is: {spoken}."
    return chart(
        [ideal, network], whole("how sure it is (mean of each bin)"), whole("how often it is right"), about=about
    )


def coverage_chart(evaluation: "Evaluation") -> Markup:
    """Draw the error among the surest answers over their share."""
    points = [(one.coverage, one.error) for one in evaluation.coverage]
    half = min(evaluation.coverage, key=lambda one: abs(one.coverage - 0.5))
    about = (
        f"Share of wrong answers if only the surest are given: {points[-1][1]:.1%} if all are, "
        f"{half.error:.1%} if the surest {half.coverage:.0%} are."
    )
    y = axis("wrong answers", [error for _, error in points], shares=True, zero=True)
    return chart(
        [Line("", points, "against", [3.0] * len(points))], whole("answered: the surest share"), y, about=about
    )


def robustness_chart(curve: "RobustnessCurve", chance: float) -> Markup:
    """Draw the accuracy over the levels of a corruption; the line of chance below."""
    levels = [one.level for one in curve.points]
    x = Axis(curve.unit, levels[0], levels[-1] if len(levels) > 1 else levels[0] + 1, tuple(levels))
    guessing = Line("", [(level, chance) for level in (levels[0], levels[-1])], "quiet")
    accuracy = Line("", [(one.level, one.accuracy) for one in curve.points], "for", [3.5] * len(levels))
    spoken = ", ".join(f"{one.accuracy:.0%} at {one.level:g}" for one in curve.points)
    about = f"Accuracy under {curve.name}, {curve.unit}: {spoken}."
    return chart([guessing, accuracy], x, whole("accuracy"), about=about, size=NARROW)


def _over_epochs(name: str, values: list[float], look: str) -> Line:
    dots = [3.0] * len(values) if len(values) <= MOST_DOTS else []
    return Line(name, list(enumerate(values, 1)), look, dots)
