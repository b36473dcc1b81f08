"""What makes the answer to a photo doubtful, in the words of the warnings."""

import numpy as np

from glassnet.photos.facts import DataFacts

BLANK = "nothing stands out from the ground: it looks blank"

DARK, DARK_THROUGHOUT = 45, 90
"""Mean brightness, and that of the brightest hundredth, below which a picture is very dark."""

SMALL = 0.7
"""Share of the size of subjects in the training data below which one that is photographed is small."""


def of_light(gray: np.ndarray) -> list[str]:
    """Return a warning if a gray picture is very dark."""
    if gray.mean() >= DARK or np.quantile(gray, 0.99) >= DARK_THROUGHOUT:
        return []
    return [f"it is very dark (mean brightness {gray.mean():.0f} of 255); take it again with more light"]


def of_size(longest: int, shape: tuple[int, ...], size: tuple[int, ...], facts: DataFacts) -> list[str]:
    """Return a warning if a subject is small.

    Args:
        longest: its longest side in the picture that was worked on,
        shape: whose height and width these are.
        size: of the photo itself.
        facts: of the training images.
    """
    pixels = round(longest / max(shape[:2]) * max(size))
    return [f"the subject is only {pixels} pixels large; go nearer"] if pixels < SMALL * facts.subject_size else []
