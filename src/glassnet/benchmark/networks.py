"""The networks that every peer trains, and the arithmetic in them."""

import itertools
import math
from dataclasses import dataclass

CLASSES = 10
SIDE = 28


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network with the settings that train it: Adam with Keras's defaults, a new order every epoch.

    Args:
        name: what it is called on the command line.
        layers: its layers, in words.
        hidden: the width of each hidden layer before the ten outputs.
        filters: of each 3 × 3 convolution ("same" padding, ReLU, then 2 × 2 max-pooling) before them.
        batch_size: images per step.
        epochs: passes over the training images unless the plan says otherwise.
    """

    name: str
    layers: str
    hidden: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()
    batch_size: int = 32
    epochs: int = 5

    @property
    def training_flops(self) -> int:
        """Floating-point operations that one image costs in training, counting the matrix products only.

        A product forward costs two operations for each weight it uses; backward, the gradients of its weights and of
        its inputs cost as much again each, but nobody needs the gradient of the pixels.

        Example:
            >>> NETWORKS["dense-10"].training_flops == 2 * 2 * 784 * 10
            True
        """
        products = self._products()
        return 2 * (3 * sum(products) - products[0])

    def _products(self) -> list[int]:
        """Multiplications of each layer, forward, for one image."""
        products, side, channels = [], SIDE, 1
        for filters in self.filters:
            products.append(side**2 * 9 * channels * filters)
            side, channels = side // 2, filters
        widths = (side**2 * channels, *self.hidden, CLASSES)
        return [*products, *(math.prod(pair) for pair in itertools.pairwise(widths))]


NETWORKS = {
    network.name: network
    for network in (
        Network(name="dense-10", layers="Dense(10)"),
        Network(name="dense-32", layers="Dense(32, relu), Dense(10)", hidden=(32,)),
        Network(name="dense-128", layers="Dense(128, relu), Dense(10)", hidden=(128,)),
        Network(
            name="cnn",
            layers="Conv(32, 3×3, relu), MaxPool(2), Conv(64, 3×3, relu), MaxPool(2), Dense(128, relu), Dense(10)",
            hidden=(128,),
            filters=(32, 64),
            batch_size=128,
            epochs=3,
        ),
    )
}
"""The networks by name."""
