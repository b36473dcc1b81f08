"""A network as compiled functions of images: its logits, and how they change with every pixel or feature."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from glassnet.errors import InputError
from glassnet.evaluation import check_fit
from glassnet.explanation.layers import Logits, logits_of
from glassnet.runs import Run

if TYPE_CHECKING:
    import keras

BATCH = 32
"""Images that go through the network at once; fewer are filled up, so that one program serves all."""


@dataclass(frozen=True, eq=False)
class Differentiable:
    """A run's network as compiled functions of images: the logits, and how they change with every pixel.

    Args:
        run: whose network it is; the compiled programs are kept as long as its model lives.
        pure: the network up to its logits, with the weights to use.
    """

    run: Run
    pure: Logits

    @classmethod
    def of(cls, run: Run) -> "Differentiable":
        """Return the trained network of a run."""
        return cls(run, logits_of(run.model))

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Return the logits `float64 (n, classes)` of images with brightness 0 to 255."""
        parts = [self._call("logits", self.pure.function, batch)[:n] for n, batch in _batches(images)]
        return np.concatenate(parts, dtype=np.float64)

    def slopes(self, images: np.ndarray, neurons: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the logits, and by how much one logit of each image rises per unit of every pixel's brightness.

        Args:
            images: n of them, brightness 0 to 255.
            neurons: the number of the logit, for all or for each image.
        """
        import jax
        import jax.numpy as jnp

        def slopes(weights: Any, images: Any, neurons: Any) -> Any:
            def chosen(images: Any) -> Any:
                # An image's own logit depends on no other image, so the gradient of the sum is every image's own.
                logits = self.pure.function(weights, images)
                return jnp.take_along_axis(logits, neurons[:, None], axis=1).sum(), logits

            gradients, logits = jax.grad(chosen, has_aux=True)(images)
            return logits, gradients

        asked = np.broadcast_to(np.asarray(neurons, np.int32), len(images))
        results = []
        for (n, batch), (_, which) in zip(_batches(images), _batches(asked, np.int32), strict=True):
            results.append([part[:n] for part in self._call("slopes", slopes, batch, which)])
        logits, gradients = (np.concatenate(parts, dtype=np.float64) for parts in zip(*results, strict=True))
        return logits, gradients

    def feature_maps(self, image: np.ndarray, neuron: int, layer: "keras.Layer") -> tuple[np.ndarray, np.ndarray]:
        """Return what a layer gives for an image, and by how much the logit rises per unit of each of these values."""
        import jax

        def maps(weights: Any, image: Any, neuron: Any) -> Any:
            with _overheard(layer) as heard:
                jax.eval_shape(self.pure.function, weights, image)
            shape = heard[-1].shape

            def logit(shift: Any) -> Any:
                with _overheard(layer, shift) as heard:
                    logits = self.pure.function(weights, image)
                return logits[0, neuron], heard[-1]

            gradients, features = jax.grad(logit, has_aux=True)(jax.numpy.zeros(shape))
            return features[0], gradients[0]

        features, gradients = self._call(f"maps of {layer.name}", maps, image[None], np.int32(neuron))
        return features.astype(np.float64), gradients.astype(np.float64)

    def _call(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the weights and the arguments, compiled when it is first called for this model."""
        import jax

        arguments = (self.pure.weights, *arguments)
        leaves, structure = jax.tree.flatten(arguments)
        key = (name, structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves))
        known = _programs.setdefault(self.run.model, {})
        if key not in known:
            # A compiled program does not refer to the function, so it does not keep the model alive.
            known[key] = jax.jit(function).lower(*arguments).compile()
        return jax.tree.map(np.asarray, known[key](*arguments))


_programs: "WeakKeyDictionary[keras.Model, dict[Any, Callable[..., Any]]]" = WeakKeyDictionary()


def check_image(run: Run, image: np.ndarray) -> None:
    """Raise InputError unless this is an image that the run takes."""
    check_fit(run, image.shape)
    if image.dtype != np.uint8:
        raise InputError(f"the image is {image.dtype}; pass uint8, brightness 0 to 255")


def all_layers(model: Any) -> "Iterator[keras.Layer]":
    """Yield the layers in order, those of a model inside the model before that one itself."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from all_layers(layer)
        if type(layer).__name__ != "InputLayer":
            yield layer


def _batches(array: np.ndarray, kind: type = np.float32) -> Iterator[tuple[int, np.ndarray]]:
    """Yield an array in parts of `BATCH` rows, with how many of them count: the last part is filled up."""
    for start in range(0, len(array), BATCH):
        part = array[start : start + BATCH].astype(kind)
        missing = BATCH - len(part)
        yield len(part), np.concatenate([part, np.repeat(part[-1:], missing, 0)]) if missing else part


@contextmanager
def _overheard(layer: Any, shift: Any = 0) -> Iterator[list[Any]]:
    """Inside, a layer's outputs are kept, and shifted where that is wanted; its class and weights are not touched.

    The graph may lead past the layer, so it cannot be cut into a part below and a part above.
    """
    heard: list[Any] = []
    call = layer.call

    def overheard(*arguments: Any, **options: Any) -> Any:
        heard.append(call(*arguments, **options))
        return heard[-1] + shift

    layer.__dict__["call"] = overheard  # past Keras's __setattr__, which would track it
    try:
        yield heard
    finally:
        del layer.__dict__["call"]
