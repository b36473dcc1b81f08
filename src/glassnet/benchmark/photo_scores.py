"""How well a run reads photographs made here, style by style, beside a mere resize and without each step."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet import photos
from glassnet.benchmark.photos import STYLES, render
from glassnet.errors import InputError, UnknownNameError
from glassnet.evaluation.intervals import wilson_interval
from glassnet.photos.steps import resize
from glassnet.prediction import answer_photos, photo_facts, predict

if TYPE_CHECKING:
    from glassnet.runs import Run

SECOND_LOOK = "second look"
"""What is left out like a step: other ways for photos that become unlike the training images."""

LEAST_LIGHT = {"drawings": 127, "items": 0}
"""Brightness that something in an image must exceed: of a blank one, no photo can be made or read."""


@dataclass(frozen=True)
class StyleScore:
    """How well one style of photos is read.

    Args:
        style: its name.
        about: what can be seen.
        held_out: nothing was chosen by it.
        n: photos.
        resized: share that is right when the photo is only resized, with light and dark as the photo's ground says.
        accuracy: share that is right after all steps.
        interval: 95 % interval of the accuracy.
        without: share that is right with one step left out, or without a second look, by its name.
    """

    style: str
    about: str
    held_out: bool
    n: int
    resized: float
    accuracy: float
    interval: tuple[float, float]
    without: dict[str, float]


def mean_of(styles: Sequence[StyleScore]) -> tuple[float, float]:
    """Return the mean accuracy over styles, all alike: resized, and after all steps; NaN where there are none."""
    if not styles:
        return float("nan"), float("nan")
    return float(np.mean([one.resized for one in styles])), float(np.mean([one.accuracy for one in styles]))


@dataclass(frozen=True)
class PhotoScores:
    """How well a run reads photographs made here.

    Args:
        run: its folder or name.
        seed: of the photos.
        styles: one score for each style.
    """

    run: str
    seed: int
    styles: tuple[StyleScore, ...]

    def mean(self, *, held_out: bool) -> tuple[float, float]:
        """Return the mean accuracy over the styles that are held out, or the others: resized, and after all steps."""
        return mean_of([one for one in self.styles if one.held_out == held_out])

    def record(self) -> dict[str, Any]:
        """Return run, seed and the scores as plain values."""
        return {"run": self.run, "seed": self.seed, "styles": [asdict(one) for one in self.styles]}


def score_photos(
    run: "Run",
    *,
    count: int = 200,
    styles: Sequence[str] = (),
    ablate: bool = False,
    seed: int = 0,
    on_style: Callable[[str], None] | None = None,
) -> PhotoScores:
    """Photograph test images in every style, and let a run read them.

    Args:
        run: trained on drawings or things on an empty ground.
        count: photos of each style.
        styles: names of styles; all if none.
        ablate: measure also what each step contributes, by leaving it out.
        seed: of the choice of images and of the photos.
        on_style: is told each style's name before it is measured.

    Raises:
        InputError: the run reads whole pictures, or the count is not one of its test images that show something.
        UnknownNameError: a style that does not exist.
    """
    facts, shape = photo_facts(run), run.passport.image_shape
    if facts.kind not in STYLES:
        raise InputError(
            f"{run.passport.run or 'this run'} reads whole pictures; photos are made of drawings and things only"
        )
    test = run.dataset().test
    dark_ground = facts.background < 128
    pixels = test.images.reshape(len(test), -1)
    light = pixels.max(1) if dark_ground else 255 - pixels.min(1)
    shown = np.flatnonzero(light > LEAST_LIGHT[facts.kind])
    if not 1 <= count <= len(shown):
        raise InputError(f"count is {count}; it must be from 1 to {len(shown)}")
    for name in styles:
        if name not in STYLES[facts.kind]:
            raise UnknownNameError("style", name, STYLES[facts.kind])
    numbers = np.random.default_rng(seed).choice(shown, count, replace=False)
    labels = test.labels[numbers]
    # Photos are rendered from images that are light on dark.
    images = test.images[numbers] if dark_ground else 255 - test.images[numbers]

    def share(said: list[np.ndarray]) -> float:
        return float((np.array([one.argmax() for one in said]) == labels).mean())

    def read(images: list[np.ndarray]) -> float:
        return share([one.probabilities for one in predict(run, np.stack(images), top=1)])

    def seen(taken: list[np.ndarray], *without: str) -> float:
        return share([one.probabilities for one, _ in answer_photos(run, taken, top=1, without=without)])

    scores = []
    for name in styles or STYLES[facts.kind]:
        if on_style:
            on_style(name)
        taken = [
            render(facts.kind, name, image, seed * 100_003 + number)
            for image, number in zip(images, numbers.tolist(), strict=True)
        ]
        left_out = {}
        if ablate:
            usual = [photos.develop(one, shape, facts) for one in taken]
            steps = {one.name for development in usual for one in development.steps}
            left_out = {step: seen(taken, step) for step in photos.STEPS if step in steps}
            left_out[SECOND_LOOK] = read([one.image for one in usual])
        right = seen(taken)
        style = STYLES[facts.kind][name]
        scores.append(
            StyleScore(
                style=name,
                about=style.about,
                held_out=style.held_out,
                n=count,
                resized=read([_resized(one, shape, dark_ground) for one in taken]),
                accuracy=right,
                interval=wilson_interval(round(right * count), count),
                without=left_out,
            )
        )
    return PhotoScores(run.passport.run or run.passport.recipe, seed, tuple(scores))


def _resized(photo: np.ndarray, shape: tuple[int, ...], dark_ground: bool) -> np.ndarray:
    """Return what a careful beginner does: resize, and exchange light and dark if the frame is light (or dark)."""
    image = resize(photo, shape)
    frame = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return 255 - image if (float(np.median(frame)) > 127) == dark_ground else image
