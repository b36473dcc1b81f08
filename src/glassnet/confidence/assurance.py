"""Assurance: all that is learned from held-out images about how far a network can be trusted; one file in the run."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.atomic import new_file
from glassnet.confidence.distances import Seen, shrunk
from glassnet.confidence.novelty import Novelty, fit_novelty
from glassnet.confidence.refusal import answer_threshold
from glassnet.confidence.sets import conformity_scores, set_threshold
from glassnet.confidence.temperature import calibrated, fit_temperature, to_logits
from glassnet.datasets import Split
from glassnet.errors import InputError, RunError
from glassnet.mirroring import has_twins
from glassnet.network import gives_maps, is_convolution
from glassnet.types import Images, Scores

if TYPE_CHECKING:
    import keras

MOST_IMAGES = 10_000
"""Training images that are looked at."""

MOST_CONVOLUTIONS = 4
"""Convolutions whose maps are looked at."""

LEAST_IMAGES = 20
"""Fewer held-out images say nothing about rates."""


@dataclass(frozen=True, eq=False)
class Assurance:
    """What held-out images say about a network.

    Args:
        outputs: what the network itself gives, "probabilities" or "logits".
        temperature: logits are divided by it (see `glassnet.confidence.temperature`).
        scores: conformity scores of the held-out images, sorted (see `glassnet.confidence.sets`).
        confidence: the calibrated probability of each held-out answer.
        right: whether it was right.
        novelty: what training images look like.
    """

    outputs: str
    temperature: float
    scores: np.ndarray
    confidence: np.ndarray
    right: np.ndarray
    novelty: Novelty

    @property
    def n(self) -> int:
        """How many images were held out."""
        return len(self.scores)

    def set_threshold(self, error: float) -> float:
        """Return the least probability with which a class belongs to a set that may miss in so many cases."""
        return 1 - set_threshold(self.scores, error)

    def answer_threshold(self, max_error: float) -> float:
        """Return the least confidence with which an answer is given, if so many of them may be wrong."""
        return answer_threshold(self.confidence, self.right, max_error)

    def write(self, path: Path) -> None:
        """Write it as one NPZ file, beside its place and renamed."""
        arrays: dict[str, Any] = {name: value for name, value in vars(self).items() if name != "novelty"}
        arrays |= self.novelty.record()
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        with new_file(path) as beside:
            beside.write_bytes(content.getvalue())


def read_assurance(path: Path) -> Assurance:
    """Read what `Assurance.write` wrote.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return Assurance(
            outputs=str(arrays["outputs"]),
            temperature=float(arrays["temperature"]),
            scores=arrays["scores"],
            confidence=arrays["confidence"],
            right=arrays["right"],
            novelty=Novelty.of_record(arrays),
        )
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise RunError(f"{path} cannot be read ({error}); restore the file or train again") from error


def fit_assurance(model: "keras.Model", outputs: str, train: Split, held_out: Split) -> Assurance:
    """Learn from images that the network did not learn from how far it can be trusted.

    Args:
        model: the trained network.
        outputs: what it gives, "probabilities" or "logits".
        train: images that it learned from; at most 10,000 of them are looked at.
        held_out: images that it did not learn from.

    Raises:
        InputError: fewer than 20 held-out images.
    """
    if len(held_out) < LEAST_IMAGES:
        raise InputError(f"{len(held_out)} held-out images; how sure a network may be needs at least {LEAST_IMAGES}")
    answers, seen = ask(model, held_out.images)
    logits = to_logits(answers, outputs)
    temperature = fit_temperature(logits, held_out.labels)
    probabilities = calibrated(logits, temperature)
    every = -(-len(train) // MOST_IMAGES)
    return Assurance(
        outputs=outputs,
        temperature=temperature,
        scores=conformity_scores(probabilities, held_out.labels),
        confidence=probabilities.max(1),
        right=probabilities.argmax(1) == held_out.labels,
        novelty=fit_novelty(ask(model, train.images[::every])[1], train.labels[::every], seen),
    )


def ask(model: "keras.Model", images: Images) -> tuple[Scores, Seen]:
    """Return what a network gives for images, and what it sees of them."""
    from glassnet._keras import keras
    from glassnet.training.inference import predict

    last: Any = model.layers[-1]
    averages = [keras.layers.GlobalAveragePooling2D()(maps) for maps in _maps_of(model)]
    watching = keras.Model(model.inputs, [model.outputs[0], last.input, *averages])
    outputs, inputs, *averages = predict(watching, images)
    if has_twins(model):  # what a filter and its twin give on average is what one filter gives for both sides
        averages = [one.reshape(len(one), 2, -1).mean(1) for one in averages]
    features = inputs.reshape(len(images), -1)
    if isinstance(last, keras.layers.Dense):
        kernel, *bias = (np.asarray(weights) for weights in last.get_weights())
        peak = (features @ kernel + sum(bias)).max(1)
    else:
        peak = outputs.max(1)
    return outputs, Seen(shrunk(images), features, averages or [features], peak)


def _maps_of(model: "keras.Model") -> list[Any]:
    """Return the maps that convolutions end in: pooled, normalised, activated, as the next layer takes them.

    Of a deep network they are those of a few convolutions, spread over its depth.
    """
    found: list[Any] = []
    for layer in model.layers:
        if is_convolution(layer):
            found.append(layer.output)
        elif found and gives_maps(layer):
            found[-1] = layer.output
    if len(found) <= MOST_CONVOLUTIONS:
        return found
    return [found[round(place)] for place in np.linspace(0, len(found) - 1, MOST_CONVOLUTIONS)]
