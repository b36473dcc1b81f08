"""Five methods that tell how much every pixel pushes for or against a class.

All of them ask about the logit, the score before the softmax: a probability moves when another class moves, too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InputError, UnknownNameError
from glassnet.explanation.differentiable import BATCH, Differentiable, all_layers
from glassnet.network import gives_maps, is_convolution
from glassnet.recipe import check_count

if TYPE_CHECKING:
    import keras

FILLS = ("black", "mean")
"""What can stand for "nothing to see"."""

TOLERANCE = 0.01
"""Largest error of completeness that integrated gradients strive for."""

MOST_STEPS = 4096
"""Points on the way from the baseline to the image beyond which they give up striving."""


@dataclass(frozen=True, eq=False)
class Told:
    """What one method tells: `values (height, width)`, or with channels where it tells them apart."""

    values: np.ndarray
    meaning: str
    settings: dict[str, Any] = field(default_factory=dict)
    baseline_logit: float | None = None
    completeness: float | None = None


def gradient_input(network: Differentiable, image: np.ndarray, neuron: int) -> Told:
    """Multiply every pixel with the slope of the logit there.

    References:
        Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation
        Differences", 2016.
    """
    _, slopes = network.slopes(image[None], neuron)
    return Told(image * slopes[0], "brightness of the pixel × slope of the logit there")


def integrated_gradients(
    network: Differentiable,
    image: np.ndarray,
    neuron: int,
    *,
    baseline: str | np.ndarray = "black",
    tolerance: float = TOLERANCE,
) -> Told:
    """Add up the slopes of the logit on the straight way from a baseline to the image.

    The values sum to the difference of the two logits. The number of steps is doubled until they do; where that takes
    too many, because the logit rises and falls on the way and ends where it began, the slopes on both sides of each
    step are weighted so that it rises as the logit does, if that is nearer.

    Args:
        network: what is asked.
        image: brightness 0 to 255.
        neuron: the class number.
        baseline: "black", "mean" (of the training images) or an image.
        tolerance: error of that sum at which the steps are small enough.

    References:
        Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.
    """
    name = baseline if isinstance(baseline, str) else "an image"
    start = _baseline(network, image, baseline)
    way = image - start
    first, last = network.logits(np.stack([start, image]))[:, neuron]
    steps = BATCH
    while True:
        middles = np.split((np.arange(steps) + 0.5) / steps, steps // BATCH)
        total = np.zeros_like(image)
        for part in middles:
            points = start + part.reshape(-1, *[1] * way.ndim) * way
            total += network.slopes(points, neuron)[1].sum(0)
        values = way * total / steps
        error = _completeness(values, last - first)
        if error <= tolerance or steps >= MOST_STEPS:
            break
        steps *= 2
    if error > tolerance:
        weighted = way * _slope_by_rises(network, start, way, neuron, steps)
        if (missed := _completeness(weighted, last - first)) < error:
            values, error = weighted, missed
    return Told(
        values,
        f"share of the logit's rise from the baseline ({name}) to the image",
        {"baseline": name, "steps": steps},
        baseline_logit=float(first),
        completeness=error,
    )


def _slope_by_rises(network: Differentiable, start: np.ndarray, way: np.ndarray, neuron: int, steps: int) -> np.ndarray:
    """Return the mean slope on a way, where each step between two points rises as much as the logit does.

    A network of straight pieces bends somewhere between the points; where it does so once, the weights of the two
    slopes that give the rise tell where, and the mean is exact. Weights stay between 0 and 1.
    """
    total = np.zeros_like(way)
    before = np.empty(0), np.empty((0, *way.shape))
    for part in np.array_split(np.linspace(0, 1, steps + 1), steps // BATCH):
        logits, slopes = network.slopes(start + part.reshape(-1, *[1] * way.ndim) * way, neuron)
        scores, slopes = np.concatenate([before[0], logits[:, neuron]]), np.concatenate([before[1], slopes])
        rates = (slopes * way).reshape(len(slopes), -1).sum(1)
        apart = rates[:-1] - rates[1:]
        rise = np.diff(scores) * steps - rates[1:]
        share = np.clip(np.divide(rise, apart, out=np.full(len(apart), 0.5), where=apart != 0), 0, 1)
        total += np.tensordot(share, slopes[:-1], 1) + np.tensordot(1 - share, slopes[1:], 1)
        before = scores[-1:], slopes[-1:]
    return total / steps


def smoothgrad(
    network: Differentiable, image: np.ndarray, neuron: int, *, samples: int = 50, noise: float = 0.15, seed: int = 0
) -> Told:
    """Average the slopes of the logit over noisy copies of the image.

    Args:
        network: what is asked.
        image: brightness 0 to 255.
        neuron: the class number.
        samples: how many copies.
        noise: standard deviation of the noise, as a share of the image's range of brightness.
        seed: of the noise.

    References:
        Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017.
    """
    check_count("samples", samples)
    if not 0 <= noise <= 1:
        raise InputError(f"noise is {noise}; it must be a share of the image's range of brightness, 0 to 1")
    generator = np.random.default_rng(seed)
    copies = image + generator.normal(0, noise * np.ptp(image), (samples, *image.shape))
    _, slopes = network.slopes(copies, neuron)
    return Told(
        255 * slopes.mean(0),
        "rise of the logit per brightness from black to white, by the mean slope over noisy copies",
        {"samples": samples, "noise": noise, "seed": seed},
    )


def occlusion(
    network: Differentiable,
    image: np.ndarray,
    neuron: int,
    *,
    patch: int | None = None,
    stride: int | None = None,
    fill: str = "black",
) -> Told:
    """Cover the image patch by patch; a pixel's value is the mean fall of the logit over the patches that cover it.

    Args:
        network: what is asked.
        image: brightness 0 to 255.
        neuron: the class number.
        patch: side of the square that is covered; a seventh of the image's shorter side if None.
        stride: pixels from one square to the next; 1 for images up to 55 pixels, more for larger ones, if None.
        fill: what covers it, "black", or "mean" (the mean colour of what lies under it).

    References:
        Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
    """
    height, width = image.shape[:2]
    shorter = min(height, width)
    patch = max(1, round(shorter / 7)) if patch is None else patch
    stride = max(1, shorter // 28) if stride is None else stride
    check_count("patch", patch, most=shorter)
    check_count("stride", stride, most=patch)
    if fill not in FILLS:
        raise UnknownNameError("fill", fill, FILLS)
    places = list(product(_places(height, patch, stride), _places(width, patch, stride)))
    whole = network.logits(image[None])[0, neuron]
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for start in range(0, len(places), BATCH):
        part = places[start : start + BATCH]
        covered = np.repeat(image[None], len(part), 0)
        for copy, (row, column) in zip(covered, part, strict=True):
            square = copy[row : row + patch, column : column + patch]
            square[...] = 0 if fill == "black" else square.mean((0, 1))
        falls = whole - network.logits(covered)[:, neuron]
        for fall, (row, column) in zip(falls, part, strict=True):
            total[row : row + patch, column : column + patch] += fall
            count[row : row + patch, column : column + patch] += 1
    return Told(
        total / count,
        f"mean fall of the logit while a square of {patch} × {patch} pixels over the pixel is covered",
        {"patch": patch, "stride": stride, "fill": fill},
    )


def grad_cam(network: Differentiable, image: np.ndarray, neuron: int, *, layer: str | None = None) -> Told:
    """Add up a convolution's feature maps, each weighted by the mean slope of the logit on it; only for, not against.

    Args:
        network: what is asked.
        image: brightness 0 to 255.
        neuron: the class number.
        layer: a layer that gives feature maps; the last convolution if None.

    References:
        Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
    """
    import jax

    model = network.run.model
    found = convolutions(model)
    if not found:
        others = ", ".join(name for name in METHODS if name != "grad-cam")
        raise InputError(f"grad-cam needs a convolution, and {model.name!r} has none; what covers it: {others}")
    mapped = {one.name: one for one in all_layers(model) if gives_maps(one)}
    if layer is not None and layer not in mapped:
        raise UnknownNameError("layer with feature maps", layer, mapped)
    chosen = found[-1] if layer is None else mapped[layer]
    features, slopes = network.feature_maps(image, neuron, chosen)
    coarse = np.maximum((features * slopes.mean((0, 1))).sum(-1), 0)
    values = np.asarray(jax.image.resize(coarse, image.shape[:2], "linear"), np.float64)
    return Told(
        values,
        f"feature maps of {chosen.name}, each weighted by the mean slope of the logit on it",
        {"layer": chosen.name},
    )


METHODS: dict[str, Callable[..., Told]] = {
    "gradient-input": gradient_input,
    "integrated-gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "occlusion": occlusion,
    "grad-cam": grad_cam,
}
"""The methods by name."""


def convolutions(model: "keras.Model") -> "list[keras.Layer]":
    """Return a network's convolutions, from the image on."""
    return [layer for layer in all_layers(model) if is_convolution(layer)]


def _baseline(network: Differentiable, image: np.ndarray, baseline: str | np.ndarray) -> np.ndarray:
    if isinstance(baseline, str):
        if baseline not in FILLS:
            raise UnknownNameError("baseline", baseline, FILLS)
        return np.zeros_like(image) if baseline == "black" else network.run.dataset().train.images.mean(0)
    if baseline.shape != image.shape:
        raise InputError(f"the baseline has shape {baseline.shape}, the image {image.shape}; pass one of that shape")
    return baseline.astype(np.float64)


def _completeness(values: np.ndarray, difference: float) -> float:
    """Return by how much the values miss the difference that they should sum to, as a share of it.

    A difference that almost cancels out is itself rounded: below a thousandth of all values' sizes it is not relied on.
    """
    error = abs(values.sum() - difference)
    return float(error / max(abs(difference), 1e-3 * np.abs(values).sum())) if error else 0.0


def _places(size: int, patch: int, stride: int) -> list[int]:
    """Return where squares begin along a side, the last one flush with its end."""
    return [*range(0, size - patch, stride), size - patch]
