"""The smallest change of an image that makes a network answer something else.

Each way to another answer is found as if the network were a flat slope: it leads to the point nearest to the original
where the other class would catch up. There the slope is taken again. Then the way is shortened, in whole steps of
brightness.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int16

from glassnet.errors import InputError
from glassnet.explanation.differentiable import Differentiable, check_image
from glassnet.explanation.sums import find_class
from glassnet.prediction import Ranked, predict
from glassnet.runs import Run
from glassnet.types import Image

Change = Int16[np.ndarray, "height width"] | Int16[np.ndarray, "height width channels"]
"""What is added to an image: steps of brightness, -255 to 255."""

ITERATIONS = 12
"""How often the slope is taken on the way to another class."""

STEPS = 50
"""Most steps on foot, where that does not lead there."""

MOST_GOALS = 10
"""Other classes that are tried: those which seem nearest."""

KEPT = 3
"""Ways that are shortened in whole steps of brightness."""

SCALES = 64
"""Lengths of one way that are tried at once."""

FACTORS = np.geomspace(0.5, 4, 10)
"""Lengths of a way between which the boundary is looked for."""

CLEAR = 1e-4
"""Least lead of a new answer, as a share of the largest score: a smaller one could be a rounding error."""


@dataclass(frozen=True, eq=False)
class Flip:
    """An image that was changed until the answer changed.

    Args:
        image: the changed image.
        difference: what was added to the original, in steps of brightness.
        before: the answer to the original.
        after: the answer to the changed image.
        l2: length of the change: root of the sum of squares, brightness from 0 to 1.
        largest: largest change of one value, in steps of brightness (0 to 255).
        changed: number of pixels that changed.
        target: the class that was asked for; None if any other would do.
    """

    image: Image = field(repr=False)
    difference: Change = field(repr=False)
    before: Ranked
    after: Ranked
    l2: float
    largest: int
    changed: int
    target: str | None

    @property
    def original(self) -> np.ndarray:
        """The image before the change."""
        return (self.image - self.difference).astype(np.uint8)

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        return {
            "before": {"label": self.before.label, "probability": self.before.probability},
            "after": {"label": self.after.label, "probability": self.after.probability},
            "target": self.target,
            "l2": self.l2,
            "largest": self.largest,
            "changed": self.changed,
            "difference": self.difference.tolist(),
        }


def smallest_change(run: Run, image: Image, *, target: int | str | None = None) -> Flip:
    """Change an image as little as possible so that the network answers something else.

    Little means: in the root of the sum of squares. For a network without a hidden layer it is the smallest that there
    is, up to whole steps of brightness; for others a small one.

    Args:
        run: a trained network.
        image: `uint8`, in the shape of the run's images.
        target: number or name of the class that it shall answer; any other than now if None.

    Raises:
        InputError: an image that does not fit, a target that is the answer already, or no such change was found.
        UnknownNameError: no class of that name.

    References:
        Moosavi-Dezfooli, Fawzi and Frossard, "DeepFool: a simple and accurate method to fool deep neural networks",
        CVPR 2016; the steps start from the original each time, and keep to the box of possible images, as in Croce and
        Hein, "Minimally distorted Adversarial Examples with a Fast Adaptive Boundary Attack", ICML 2020.

    Example:
        >>> import glassnet
        >>> from glassnet.explanation.flips import smallest_change
        >>> flip = smallest_change(glassnet.train("baseline"), glassnet.load("fashion-mnist").test.images[0])
        >>> flip.before.label != flip.after.label, flip.largest < 100
        (True, True)
    """
    check_image(run, image)
    (before,) = predict(run, image, top=1)
    number = int(before.probabilities.argmax())
    goal = None if target is None else find_class(before.classes, target)
    if goal == number:
        raise InputError(f"the network answers {before.label!r} already; name another class as the target")
    others = [k for k in range(len(before.classes)) if k != number] if goal is None else [goal]
    if not others:
        raise InputError(f"the network knows no class but {before.label!r}; ask one that tells several apart")

    start = image.astype(np.float64)
    found = []
    for way in _ways(Differentiable.of(run), start, number if goal is None else None, others):
        found += _shorten(start, way, lambda images: _answers(run, images, number, goal))
    for changed in sorted(found, key=lambda one: float(np.linalg.norm(one - start))):
        (after,) = predict(run, changed, top=1)  # alone, as the user will ask
        answer = int(after.probabilities.argmax())
        if answer != number and goal in (None, answer):
            return _flip(image, changed, before.top[0], after.top[0], None if goal is None else before.classes[goal])
    wanted = "anything else" if goal is None else repr(before.classes[goal])
    raise InputError(
        f"no change of this image was found that makes the network answer {wanted} instead of {before.label!r}; "
        "try another image or target"
    )


def _flip(image: np.ndarray, changed: np.ndarray, before: Ranked, after: Ranked, target: str | None) -> Flip:
    difference = changed.astype(np.int16) - image.astype(np.int16)
    return Flip(
        image=changed,
        difference=difference,
        before=before,
        after=after,
        l2=float(np.linalg.norm(difference / 255)),
        largest=int(np.abs(difference).max()),
        changed=int((difference if difference.ndim == 2 else difference.any(-1)).astype(bool).sum()),
        target=target,
    )


def _ways(network: Differentiable, start: np.ndarray, number: int | None, goals: Sequence[int]) -> np.ndarray:
    """Return changes `(ways, …)` towards other classes, the shortest first, before they are cut to possible images.

    Args:
        network: what is asked.
        start: the original image.
        number: the class that each goal has to catch up with; None: with all others.
        goals: the other classes.
    """
    chosen = np.array(goals)
    aims = _aim(network, start, np.zeros((len(chosen), *start.shape)), number, chosen)
    nearest = np.argsort(_lengths(start, aims))[:MOST_GOALS]
    ways, lengths = _refine(network, start, aims[nearest], number, chosen[nearest])
    if np.isinf(lengths).all():  # slopes that change too much to be followed in one go: go there on foot first
        far = _walk(network, start, number, chosen[nearest[:1]])
        ways, lengths = _refine(network, start, far, number, chosen[nearest[:1]])
    return ways[np.argsort(lengths, kind="stable")][:KEPT]


def _refine(
    network: Differentiable, start: np.ndarray, aims: np.ndarray, number: int | None, goals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Aim again from where each way ends, and again; return the shortest ways that reached their goal, and how long.

    A way that never did is infinitely long.
    """
    ways = best = aims
    shortest = np.full(len(ways), np.inf)
    for iteration in range(ITERATIONS):
        # Half steps in the end: full ones can jump to and fro between two faces of a bent boundary.
        ways = aims if iteration < ITERATIONS // 2 else (ways + aims) / 2
        scales, crosses = _boundary(network, start, ways, number, goals)
        ways = ways * _along(scales, ways)
        lengths = np.where(crosses, _lengths(start, ways), np.inf)
        best, shortest = np.where(_along(lengths < shortest, ways), ways, best), np.minimum(lengths, shortest)
        aims = _aim(network, start, ways, number, goals)
    return best, shortest


def _walk(network: Differentiable, start: np.ndarray, number: int | None, goals: np.ndarray) -> np.ndarray:
    """Go to one goal step by step, each from where the last one ended; return the whole way."""
    point = start
    for _ in range(STEPS):
        step = _aim(network, point, np.zeros((1, *start.shape)), number, goals)[0]
        if not step.any():
            break
        point = np.clip(point + 1.2 * step, 0, 255)
    return (point - start)[None]


def _aim(
    network: Differentiable, start: np.ndarray, ways: np.ndarray, number: int | None, goals: np.ndarray
) -> np.ndarray:
    """Look from the ends of the ways; return the shortest ways to where, by the slopes there, the goals catch up."""
    n = len(goals)
    points = np.clip(start + ways, 0, 255)
    rivals = _rivals(network.logits(points), number, goals)
    logits, slopes = network.slopes(np.concatenate([points, points]), [*goals.tolist(), *rivals.tolist()])
    leads = _leads(logits[:n], rivals, goals)
    gains = (slopes[:n] - slopes[n:]).reshape(n, -1)
    needs = leads + (gains * (points - start).reshape(n, -1)).sum(1)
    aims = [_nearest(gain, need, start.ravel()) for gain, need in zip(gains, needs, strict=True)]
    return np.reshape(aims, ways.shape)


def _boundary(
    network: Differentiable, start: np.ndarray, ways: np.ndarray, number: int | None, goals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much to scale each way so that it ends where its goal catches up, and whether it does at all."""
    scaled = ways[:, None] * _along(FACTORS, ways)
    logits = network.logits(np.clip(start + scaled, 0, 255).reshape(-1, *start.shape))
    each = np.repeat(goals, len(FACTORS))
    leads = _leads(logits, _rivals(logits, number, each), each).reshape(len(goals), -1)
    crosses = np.asarray((leads < 0).any(1))
    first = np.where(crosses, (leads < 0).argmax(1), leads.argmin(1))
    before, rows = np.maximum(first - 1, 0), np.arange(len(goals))
    drop = leads[rows, before] - leads[rows, first]
    share = np.where(crosses & (drop > 0), leads[rows, before] / np.where(drop > 0, drop, 1), 1)
    return FACTORS[before] + share * (FACTORS[first] - FACTORS[before]), crosses


def _rivals(logits: np.ndarray, number: int | None, goals: np.ndarray) -> np.ndarray:
    """Return for each row the class that its goal has to catch up with: `number`, or the best of all others."""
    if number is not None:
        return np.full(len(goals), number)
    others = logits.copy()
    others[np.arange(len(goals)), goals] = -np.inf
    return others.argmax(1)


def _leads(logits: np.ndarray, rivals: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """Return by how much the rival's logit is above that of the goal, for each row."""
    rows = np.arange(len(goals))
    return logits[rows, rivals] - logits[rows, goals]


def _along(values: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Give values the axes that they need to be multiplied with ways."""
    return values.reshape(-1, *[1] * (ways.ndim - 1))


def _nearest(gain: np.ndarray, need: float, start: np.ndarray) -> np.ndarray:
    """Return the multiple of `gain` that, cut to possible images, is the shortest change with `gain · change = need`.

    Among changes within the box, the shortest are `clip(λ · gain)`. What they reach grows with λ, in straight pieces
    between the places where one more pixel arrives at its end; beyond the last nothing more can be reached.
    """
    used = gain != 0
    slope = gain[used]
    if need <= 0 or not used.any():
        return np.zeros_like(gain)
    ends = np.where(slope > 0, 255 - start[used], -start[used]) / slope
    order = np.argsort(ends)
    ends, squares = ends[order], (slope**2)[order]
    stopped = np.cumsum(squares * ends)
    reached = stopped + ends * (squares.sum() - np.cumsum(squares))
    return gain * np.interp(min(need, 0.9 * reached[-1]), [0, *reached], [0, *ends])


def _lengths(start: np.ndarray, ways: np.ndarray) -> np.ndarray:
    changes = np.clip(start + ways, 0, 255) - start
    return np.linalg.norm(changes.reshape(len(ways), -1), axis=1)


def _shorten(start: np.ndarray, way: np.ndarray, flipped: Callable[[np.ndarray], np.ndarray]) -> list[np.ndarray]:
    """Return the shortest changed images in this direction, `uint8`, for which `flipped` holds.

    Rounding takes small changes away altogether, so a longer way may be needed than the one found; for one slope the
    rounded multiples of it are still the shortest of all whole changes.
    """
    scales, found = np.geomspace(0.25, 8, SCALES), []
    for _ in range(2):
        images = np.clip(np.rint(start + _along(scales, way[None]) * way), 0, 255).astype(np.uint8)
        hits = np.flatnonzero(flipped(images))
        if not len(hits):
            break
        found.append(images[hits[0]])
        scales = np.linspace(scales[max(hits[0] - 1, 0)], scales[hits[0]], SCALES)
    return found


def _answers(run: Run, images: np.ndarray, number: int, goal: int | None) -> np.ndarray:
    """Tell for each image whether the network itself clearly answers the goal, or anything but `number`."""
    from glassnet.training.inference import predict as outputs

    scores = outputs(run.model, images)
    asked = scores[:, number if goal is None else goal]
    rest = np.delete(scores, number if goal is None else goal, axis=1).max(1)
    lead = rest - asked if goal is None else asked - rest
    return lead > CLEAR * np.abs(scores).max(1)
