"""Does a map tell what the network learned? With weights drawn anew it must change."""

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.explanation.attributions import Attribution, attribute, explain_with
from glassnet.explanation.differentiable import Differentiable
from glassnet.explanation.layers import Logits, logits_of
from glassnet.runs import Run
from glassnet.types import Image

if TYPE_CHECKING:
    import keras

OTHER_SEEDS = 2**31
"""Added to the seed that weights are drawn anew with: the training's own would draw the weights that it began with."""


def randomisation_check(run: Run, image: Image, method: str = "integrated-gradients", *, seed: int = 0) -> float:
    """Compare a map with that of the same network after all its weights are drawn anew.

    Returns:
        The rank correlation (Spearman) of the two maps. Near 0 is good: the map tells what the network learned. Near 1
        it would tell only what the image looks like.

    References:
        Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
    """
    trained = attribute(run, image, method)
    return _rank_correlation(trained.values, _explain_with(_drawn_anew(run, seed), trained, run, image).values)


def randomisation_cascade(
    run: Run, image: Image, method: str = "integrated-gradients", *, seed: int = 0
) -> dict[str, float]:
    """Draw the weights anew layer by layer from the top, and compare the map with the trained network's each time.

    The run's own model keeps its weights: its pure function is called with those of a copy.

    Returns:
        For the name of each layer with weights, last layer first, the rank correlation once its weights and those of
        all layers above are drawn anew.
    """
    trained = attribute(run, image, method)
    copy = _drawn_anew(run, seed)
    drawn = [layer.get_weights() for layer in copy.layers]
    copy.set_weights(run.model.get_weights())
    correlations = {}
    for layer, weights in reversed(list(zip(copy.layers, drawn, strict=True))):
        if weights:
            layer.set_weights(weights)
            random = _explain_with(copy, trained, run, image)
            correlations[layer.name] = _rank_correlation(trained.values, random.values)
    return correlations


def _drawn_anew(run: Run, seed: int) -> "keras.Model":
    """Return a copy of a run's model with weights drawn as for a new network."""
    from glassnet._keras import keras, seeded

    with seeded(seed + OTHER_SEEDS):
        copy: Any = keras.models.clone_model(run.model)
    return copy


def _explain_with(model: "keras.Model", trained: Attribution, run: Run, image: np.ndarray) -> Attribution:
    """Explain the class that `trained` explains, by the same method, with the weights of a copy of the model."""
    network = Differentiable(run, Logits(logits_of(model).weights, logits_of(run.model).function))
    return explain_with(network, image, trained.method, trained.neuron, {})


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    if not np.ptp(one) or not np.ptp(other):
        return 0.0  # a map without differences has no ranks, and agrees with nothing
    result: Any = spearmanr(one.ravel(), other.ravel())
    return float(result.statistic)
