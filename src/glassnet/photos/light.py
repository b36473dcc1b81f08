"""Light: the gray that carries the contrast, which way round the picture is, and paper without shadows."""

import numpy as np
from PIL import Image as Picture
from scipy import ndimage

from glassnet.photos.medians import median_around
from glassnet.photos.pieces import count_pieces

LUMINANCE = (0.299, 0.587, 0.114)
"""How the eye weighs red, green and blue."""

MANY = 6
"""So many pieces, or more, are as unlike a drawing as can be."""

STROKE, THIN = 6, 0.2
"""Pixels of 96 that only strokes are narrower than, unlike reflections and shadows; if less than this share of what
stands out is narrower, strokes are wide, too."""

NEARBY = 10
"""Part of a picture's longest side within which its ground may change, where it is looked for close by."""

SMALL = 40
"""Pictures of at most so many pixels a side are scans or drawings, cut out already; there is no light to even out."""


def contrast_weights(colour: np.ndarray) -> np.ndarray:
    """Return how much each colour channel says about what was drawn; the shares sum to 1.

    A thin blue line is nearly as bright as the paper in blue and dark in red. The channels are weighted as a matched
    filter would: by how far the most different pixels are from their surroundings, divided by the channel's own noise.

    Args:
        colour: float32 `(height, width, 3)`.
    """
    small = shrink(colour, 160)
    size = max(3, max(small.shape[:2]) // 3)
    away = small - np.stack([_slow_median(small[..., k], size) for k in range(3)], -1)
    strength = np.abs(away).max(-1)
    strongest = away[strength >= np.quantile(strength, 0.97)]
    rest = away[strength <= np.quantile(strength, 0.7)]
    direction = strongest.mean(0) if abs(strongest.mean()) > 0.3 * np.abs(strongest).mean() else -np.ones(3)
    direction = np.maximum(direction * np.sign(direction[np.abs(direction).argmax()]), 0)
    weights = direction / (rest.std(0) + 8) ** 2
    # Where no channel stands out, luminance is as good and less noisy.
    if direction.max() < 1.3 * max(direction.min(), 1):
        return np.array(LUMINANCE)
    return weights / weights.sum()


def is_dark_on_light(gray: np.ndarray) -> bool:
    """Tell whether the drawing is darker than its ground.

    The ground is what most pixels near a place have in common, and what the frame and above all the corners show. What
    stands out from it counts where it is narrow: a reflection is light, and wide. In a small picture, which may be
    cropped so tightly that strokes reach the frame, corners, frame and area vote, and which of light and dark looks
    like strokes: in few pieces, and nowhere thick.

    Args:
        gray: `(height, width)`, 0 to 255.
    """
    if max(gray.shape) <= SMALL:
        bright = gray > otsu(gray)
        return _vote(bright) + _unlike_strokes(bright) > 0
    small = shrink(gray, 96)
    away = small - _slow_median(small, max(small.shape) // 3)
    noise = 2 * 1.4826 * float(np.median(np.abs(away))) + 4
    inner = away[2:-2, 2:-2]
    parts = np.maximum(-inner - noise, 0), np.maximum(inner - noise, 0)
    dark, light = (float((part - ndimage.grey_opening(part, (STROKE, STROKE))).sum()) for part in parts)
    total = float(sum(part.sum() for part in parts))
    if dark + light < THIN * total:
        dark, light = (float(part.sum()) for part in parts)
    if max(dark, light) > 2 * min(dark, light):
        return dark > light
    return bool(dark * (1 + 0.5 * np.tanh(_vote(small > otsu(small)))) >= light)


def flatten(dark: np.ndarray, *, nearby: bool = False) -> np.ndarray:
    """Return how much darker than its ground each pixel is, 0 to 1, for a dark drawing on light ground.

    The ground is estimated by a closing: the brightest within a window that is wider than a stroke, and then the
    darkest of that, so that it follows shadows, even sharp ones. What is divided by it is reflectance.

    Args:
        dark: `(height, width)`, 0 to 255.
        nearby: let the ground change within a tenth of the picture; then it also follows what is wider than that.

    References:
        Vincent (1993), Morphological grayscale reconstruction in image analysis (closing as background).
    """
    if max(dark.shape) <= SMALL:
        ground = float(np.quantile(dark, 0.95))
        return np.clip((ground - dark) / max(ground, 1), 0, 1)
    smooth = ndimage.gaussian_filter(dark, 0.6)
    small = shrink(smooth, 128)
    size = max(small.shape) // NEARBY
    if not nearby:
        # Wide enough for any stroke first; then, for shadows' sake, hardly wider than the strokes that were found.
        rough = 1 - small / np.maximum(_closed(small, max(small.shape) // 2), 8)
        wide = stroke_width(rough > 0.6 * float(np.quantile(rough, 0.99)))
        size = int(np.clip(4 * wide, max(small.shape) // 6, max(small.shape) // 2))
    ground = enlarge(ndimage.gaussian_filter(_closed(small, size), size / 12), dark.shape)
    return np.clip(1 - smooth / np.maximum(ground, 8), 0, 1)


def _closed(gray: np.ndarray, size: int) -> np.ndarray:
    """Return the closing with a square window; what would lie outside of the picture does not count."""
    smooth = ndimage.uniform_filter(gray, 3)
    brightest = ndimage.maximum_filter(smooth, size, mode="constant", cval=0)
    return ndimage.minimum_filter(brightest, size, mode="constant", cval=255)


def stroke_width(mask: np.ndarray) -> float:
    """Return how wide most strokes are along the line in their middle; shadows, wide but few, hardly count."""
    depth = np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1)))
    middle = (depth == ndimage.maximum_filter(depth, 3)) & (depth > 0)
    return 2 * float(np.quantile(depth[middle], 0.6)) if middle.any() else 0.0


def _vote(bright: np.ndarray) -> float:
    """Return a number above 0 if the ground is light: by corners, frame and area; `bright` is what Otsu splits off."""
    frame = np.concatenate([bright[0], bright[-1], bright[1:-1, 0], bright[1:-1, -1]]).mean()
    side = max(1, min(bright.shape) // 8)
    corners = [bright[:side, :side], bright[:side, -side:], bright[-side:, :side], bright[-side:, -side:]]
    return float(2 * (np.median([c.mean() for c in corners]) - 0.5) + 2 * (frame - 0.5) + 2 * (bright.mean() - 0.5))


def _unlike_strokes(bright: np.ndarray) -> float:
    """Return a number above 0 if what is bright looks less like strokes than what is not."""

    def form(part: np.ndarray) -> tuple[int, float]:
        depth = np.asarray(ndimage.distance_transform_edt(np.pad(part, 1)))
        return min(count_pieces(part), MANY), float(depth.max())

    (pieces, thick), (others, other_thick) = form(bright), form(~bright)
    return 0.4 * (pieces - others) + (thick - other_thick) / (thick + other_thick)


def otsu(values: np.ndarray) -> float:
    """Return the threshold that splits values into the two classes of least variance.

    References:
        Otsu (1979), A threshold selection method from gray-level histograms.
    """
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-4 * max(abs(high), 1e-3):
        return low
    counts, edges = np.histogram(values, 128, (low, high))
    middles = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    best = np.flatnonzero(between == np.nanmax(between))  # a gap between the classes: its middle
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)


def shrink(picture: np.ndarray, longest: int) -> np.ndarray:
    """Return the picture with its longest side at most that long, by averaging areas."""
    factor = -(-max(picture.shape[:2]) // longest)
    if factor <= 1:
        return picture
    if picture.ndim == 3:
        return np.stack([shrink(picture[..., k], longest) for k in range(picture.shape[2])], -1)
    return np.asarray(Picture.fromarray(np.ascontiguousarray(picture, np.float32)).reduce(factor))


def _slow_median(gray: np.ndarray, size: int) -> np.ndarray:
    """Return the median of a window of about `size`, computed on a coarse copy and spread out again."""
    coarse = shrink(gray, 32)
    window = max(3, round(size * max(coarse.shape) / max(gray.shape)) | 1)
    return enlarge(median_around(coarse, window, "edge"), gray.shape)


def enlarge(small: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the picture with that height and width, smooth between its pixels."""
    return np.asarray(
        Picture.fromarray(small.astype(np.float32)).resize((shape[1], shape[0]), Picture.Resampling.BILINEAR)
    )
