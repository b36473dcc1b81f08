"""What the desk shows of augmentation: a few training images, and what becomes of them in one step."""

import numpy as np

from glassnet.augmentation import Augmentation, augment
from glassnet.lab.looks import loaded

SHOWN = 10


def preview(data: str, plan: Augmentation, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first training images, and one draw of what a training step may take in their place.

    Args:
        data: name of the data set.
        plan: how much they may be changed.
        seed: of the draw.

    Returns:
        Both `uint8 (10, height, width[, channels])`.
    """
    import jax

    images = loaded(data).train.images[:SHOWN]
    changed = np.asarray(augment(jax.numpy.asarray(images), jax.random.key(seed), plan))
    return images, np.clip(np.rint(changed), 0, 255).astype(np.uint8)
