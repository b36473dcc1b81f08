"""First filters that start where training would take them: at what the patches of the training images are made of."""

from typing import TYPE_CHECKING

import numpy as np

from glassnet.network import is_convolution
from glassnet.types import Images

if TYPE_CHECKING:
    import keras

IMAGES, PATCHES = 1000, 50
"""Images that are looked at, spread over all, and patches of each."""


def principal_filters(images: Images, size: tuple[int, int], rows: np.ndarray | None = None) -> np.ndarray:
    """Return the directions in which small patches of images vary most: for digits even ground, then edges.

    Args:
        images: `(n, height, width)` or `(n, height, width, channels)`, at least as large as a patch.
        size: height and width of a patch.
        rows: numbers of the images to look at; all if None.

    Returns:
        `float32 (height, width, channels, height * width * channels)`: each direction has length 1, the strongest is
        the first.

    Example:
        >>> import glassnet
        >>> principal_filters(glassnet.load("mnist").train.images, (3, 3)).shape
        (3, 3, 1, 9)
    """
    generator = np.random.default_rng(0)
    rows = np.arange(len(images)) if rows is None else rows
    chosen = np.repeat(rows[np.linspace(0, len(rows) - 1, min(IMAGES, len(rows)), dtype=int)], PATCHES)
    tops, lefts = (generator.integers(images.shape[axis] - size[axis - 1] + 1, size=len(chosen)) for axis in (1, 2))
    taps = [images[chosen, tops + down, lefts + right] for down in range(size[0]) for right in range(size[1])]
    patches = np.stack(taps, 1).reshape(len(chosen), -1).astype(np.float64)
    # Not scikit-learn's PCA: it takes a second to import, before a training of ten.
    _, directions = np.linalg.eigh(np.cov(patches, rowvar=False))
    return directions[:, ::-1].reshape(*size, -1, patches.shape[1]).astype(np.float32)


def start_at_principal(model: "keras.Model", images: Images, rows: np.ndarray | None = None, members: int = 1) -> None:
    """Set the filters of the first convolution to the principal directions of patches, and to their negatives.

    They get the length that they have had; filters for which there is no direction keep their random start, and so
    does a network without convolutions.

    Args:
        model: built, not trained yet.
        images: the training images.
        rows: numbers of those that it will learn from; all if None.
        members: networks side by side in it; each has its part of the filters, and starts so.

    References:
        D. Page, "How to train your ResNet" (2018), and K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU"
        (2024), arXiv:2404.00498: there the filters are whitened, and do not change.
    """
    layer = next((layer for layer in model.layers if is_convolution(layer)), None)
    if layer is None or min(images.shape[1:3]) < max(layer.kernel_size):
        return
    kernel, *others = map(np.array, layer.get_weights())
    directions = principal_filters(images, layer.kernel_size, rows)[..., : kernel.shape[-1] // members // 2]
    pairs = np.concatenate([directions, -directions], -1)
    count = pairs.shape[-1]
    for own in np.split(kernel, members, -1):  # views: what is set in them is set in the kernel
        own[..., :count] = pairs * np.sqrt(np.square(own[..., :count]).sum((0, 1, 2)))
    layer.set_weights([kernel, *others])
