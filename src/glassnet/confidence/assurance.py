"""Assurance: all that is learned from held-out images about how far a network can be trusted; one file in the run."""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

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
from glassnet.network import calls, is_convolution
from glassnet.types import Images, Scores

if TYPE_CHECKING:
    import keras

MOST_IMAGES = 10_000
"""Training images that are looked at."""

BATCH, MOST_BYTES = 256, 1 << 28
"""Images that a network is asked about at once, and what the features of those that are looked at together may take."""

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
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:  # NumPy leaves bad files open
            arrays = dict(file)
        return Assurance(
            outputs=str(arrays["outputs"]),
            temperature=float(arrays["temperature"]),
            scores=arrays["scores"],
            confidence=arrays["confidence"],
            right=arrays["right"],
            novelty=Novelty.of_record(arrays),
        )
    except Exception as error:  # of a damaged file NumPy and its helpers raise a dozen kinds
        raise RunError(f"{path} cannot be read ({error}); restore the file or train again") from error


def fit_assurance(model: "keras.Model", outputs: str, train: Split, held_out: Split) -> Assurance:
    """Learn from images that the network did not learn from how far it can be trusted.

    Args:
        model: the trained network.
        outputs: what it gives, "probabilities" or "logits".
        train: images that it learned from; at most 10,000 of them are looked at, fewer if their features are large.
        held_out: images that it did not learn from.

    Raises:
        InputError: fewer than 20 held-out images.
    """
    if len(held_out) < LEAST_IMAGES:
        raise InputError(f"{len(held_out)} held-out images; how sure a network may be needs at least {LEAST_IMAGES}")
    every = spacing(model, len(train))
    novelty = fit_novelty(ask(model, train.images[::every])[1], train.labels[::every])
    answers, far = look(model, held_out.images, novelty.distances)
    logits = to_logits(answers, outputs)
    temperature = fit_temperature(logits, held_out.labels)
    probabilities = calibrated(logits, temperature)
    return Assurance(
        outputs=outputs,
        temperature=temperature,
        scores=conformity_scores(probabilities, held_out.labels),
        confidence=probabilities.max(1),
        right=probabilities.argmax(1) == held_out.labels,
        novelty=novelty.beside(far),
    )


def spacing(model: "keras.Model", n: int) -> int:
    """Return of how many of n training images one is looked at."""
    return -(-n // min(MOST_IMAGES, _at_once(model)))


def look(model: "keras.Model", images: Images, measure: Callable[[Seen], np.ndarray]) -> tuple[Scores, np.ndarray]:
    """Return what a network gives for images, and what is measured of all that it sees of them.

    What it sees is not kept: features of large images would fill the memory.

    Args:
        model: the network.
        images: at least one.
        measure: gives a value, or a column of values, for each of some images.
    """
    length = _at_once(model)

    def asked(start: int) -> tuple[Scores, np.ndarray]:
        outputs, seen = ask(model, images[start : start + length])
        return outputs, measure(seen)

    outputs, measured = zip(*(asked(start) for start in range(0, len(images), length)), strict=True)
    return np.concatenate(outputs), np.concatenate(measured, axis=-1)


def ask(model: "keras.Model", images: Images) -> tuple[Scores, Seen]:
    """Return what a network gives for images, and what it sees of them."""
    from glassnet._keras import keras
    from glassnet.training.inference import predict

    watching, last = _watching(model)
    outputs, inputs, *averages = predict(watching, images, batch_size=BATCH)
    if has_twins(model):  # what a filter and its twin give on average is what one filter gives for both sides
        averages = [one.reshape(len(one), 2, -1).mean(1) for one in averages]
    features = inputs.reshape(len(images), -1)
    if isinstance(last, keras.layers.Dense):
        kernel, *bias = (np.asarray(weights) for weights in last.get_weights())
        peak = (features @ kernel + sum(bias)).max(1)
    else:
        peak = outputs.max(1)
    return outputs, Seen(shrunk(images), features, averages or [features], peak)


class _Watching(NamedTuple):
    """A network that also gives what is to be seen.

    Args:
        network: gives the outputs, the inputs of the last layer, and the averages of maps.
        last: that layer.
    """

    network: Any
    last: Any


_known: "WeakKeyDictionary[keras.Model, _Watching]" = WeakKeyDictionary()


def _watching(model: "keras.Model") -> _Watching:
    """Return the network that gives what is to be seen of one; it is built once, as layers keep what is put on them."""
    known = _known.get(model)
    if known is None or known.network.outputs[0] is not model.outputs[0]:  # a layer may have been taken off or put on
        known = _known[model] = _built(model)
    return known


def _built(model: "keras.Model") -> _Watching:
    from glassnet._keras import keras

    made = calls(model)
    last: Any = model.outputs[0]._keras_history.operation
    while not isinstance(last, keras.Layer):  # a function such as keras.ops.softmax
        last = made[last].input_tensors[0]._keras_history.operation
    inputs = made[last].input_tensors[0]
    if getattr(last, "outputs", None):  # a network within the network: its last layer is the last one
        inside, last = _built(last)
        _, features, *averages = inside(inputs)
    else:
        features = inputs
        averages = [keras.layers.GlobalAveragePooling2D()(maps) for maps in _maps_of(model, made)]
    return _Watching(keras.Model(model.inputs, [model.outputs[0], features, *averages]), last)


def _maps_of(model: "keras.Model", made: dict[Any, Any]) -> list[Any]:
    """Return the maps that convolutions end in: pooled, normalised, activated, as the next layer takes them.

    Of a deep network they are those of a few convolutions, spread over its depth.
    """
    found: list[Any] = []
    for layer in model.layers:
        output = made[layer].outputs[0]
        if is_convolution(layer):
            found.append(output)
        elif found and len(output.shape) == 4:
            found[-1] = output
    if len(found) <= MOST_CONVOLUTIONS:
        return found
    return [found[round(place)] for place in np.linspace(0, len(found) - 1, MOST_CONVOLUTIONS)]


def _at_once(model: "keras.Model") -> int:
    """Return of how many images what a network sees is held at once: whole batches, as if they were all asked about."""
    features = _watching(model).network.outputs[1]
    one = 4 * math.prod(side or 1 for side in features.shape[1:])
    return BATCH * max(1, MOST_BYTES // (BATCH * one))
