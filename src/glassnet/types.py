"""The arrays that flow through glassnet, as jaxtyping annotations (checked at run time in the tests only)."""

import numpy as np
from jaxtyping import Float, Integer, UInt8

Image = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width channels"]
"""One image: brightness 0-255, grayscale or with colour channels."""

Images = UInt8[np.ndarray, "n height width"] | UInt8[np.ndarray, "n height width channels"]
"""n images of one size."""

Labels = Integer[np.ndarray, " n"]
"""The class number of each of n images, from 0."""

Scores = Float[np.ndarray, "n classes"]
"""The network's own outputs, one row an image: probabilities or logits."""

Probabilities = Float[np.ndarray, "n classes"]
"""One row an image, each between 0 and 1, rows sum to 1."""
