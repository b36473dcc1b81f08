"""Filled things - clothes, shoes, bags - are cut out of the sheet, wall or floor behind them."""

import numpy as np
from PIL import Image as Picture
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from glassnet.photos.boxes import box_of, slices_of
from glassnet.photos.facts import DataFacts
from glassnet.photos.framing import letterbox
from glassnet.photos.light import otsu
from glassnet.photos.medians import median_around
from glassnet.photos.pieces import label_pieces
from glassnet.types import Image

WORKED = 88
"""Things are looked for in a copy of at most so many pixels a side."""

COLOURS = 14
"""Kinds of colour that a picture is taken to have."""


def find_item(picture: np.ndarray) -> np.ndarray | None:
    """Return where the thing is, at the picture's size, or None where nothing stands out from its surroundings.

    What is background is connected to the frame without crossing an edge: a place is the more foreground, the more
    change of colour lies on the smoothest way to it from the frame. Colours that are foreground in most places are so
    in the others too.

    Args:
        picture: `uint8 (height, width, 3)`.

    References:
        Wei, Wen, Zhu, Sun (2012), Geodesic saliency using background priors.
        He, Sun, Tang (2010), Guided image filtering.
    """
    factor = max(1.0, max(picture.shape[:2]) / WORKED)
    size = max(8, round(picture.shape[1] / factor)), max(8, round(picture.shape[0] / factor))
    small = _lab(np.asarray(Picture.fromarray(picture).resize(size, Picture.Resampling.BOX)))
    smooth = ndimage.gaussian_filter(median_around(small, 3, "symmetric"), (0.7, 0.7, 0))
    away = _way_from_frame(smooth)
    unlike = _unlike_frame(smooth)
    if float(away.max()) < 4 and float(unlike.max()) < 1.5:
        return None
    # On a ground that is all edges, ways say nothing, and colours have to.
    raw = _unit(unlike) + (_unit(away) if away.max() >= 4 else 0)
    likely = _by_colour(smooth, _unit(raw) * _towards_middle(small.shape[:2]))
    likely = _guided(smooth[..., 0] / 100, likely, radius=3)
    mask = _tidied(likely > otsu(likely))
    if mask is None or not 0.02 < mask.mean() < 0.93:
        return None
    large = Picture.fromarray((mask * 255).astype(np.uint8)).resize(picture.shape[1::-1], Picture.Resampling.BICUBIC)
    return np.asarray(large) > 127


def brighten(away: np.ndarray, mask: np.ndarray, facts: DataFacts) -> np.ndarray:
    """Return the thing on empty ground, as far from the ground in brightness as things of the training images are.

    Median and spread are brought into the range that the data has.

    Args:
        away: `(height, width)`, 0 to 255: how far from the ground, as it is in the training images. Pictures of things
            on white paper were turned into light on dark (or not, where the ground is light), so that it is a photo's
            dark.
        mask: where the thing is.
        facts: of the training images.

    Returns:
        float `(height, width)`: distance from the ground, 0 to 255.
    """
    inside = away[mask]
    tenth, half, ninetieth = (float(value) for value in np.quantile(inside, (0.1, 0.5, 0.9)))
    low, quarter, _, three_quarters, high = facts.brightness
    spread = max(ninetieth - tenth, 1.0)
    gain = float(np.clip((high - low) / spread, 0.4, 1.5))
    middle = float(np.clip(half, (quarter + facts.brightness[2]) / 2, three_quarters))
    shown = np.clip(middle + (away - half) * gain, 0.6 * low, 255)
    return np.where(mask, shown, 0)


def frame_item(shown: np.ndarray, mask: np.ndarray, shape: tuple[int, ...], facts: DataFacts) -> Image:
    """Crop to the thing and let its longest side be that of the training images, in the middle of the frame."""
    part = shown[slices_of(box_of(mask))]
    size = min(facts.subject_size, *shape[:2])
    small = letterbox(np.clip(part, 0, 255).astype(np.uint8), (size, size))
    above, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    return np.pad(small, ((above, shape[0] - size - above), (left, shape[1] - size - left)))


def _way_from_frame(lab: np.ndarray) -> np.ndarray:
    """Return, for each pixel, the change of colour on the way from the frame that has least of it."""
    height, width = lab.shape[:2]
    numbers = np.arange(height * width).reshape(height, width)
    steps = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        b = (slice(down, height), slice(max(0, right), width + min(0, right)))
        steps.append((numbers[a].ravel(), numbers[b].ravel(), np.linalg.norm(lab[a] - lab[b], axis=-1).ravel()))
    first, second, change = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    edge = np.concatenate([numbers[0], numbers[-1], numbers[1:-1, 0], numbers[1:-1, -1]])
    # What changes all the time along the frame is the texture of the ground, and costs nothing.
    ring = max(2, min(height, width) // 12)
    rows, columns = np.unravel_index(first, (height, width))
    outer = (rows < ring) | (rows >= height - ring) | (columns < ring) | (columns >= width - ring)
    free = float(np.quantile(change[outer], 0.8))
    cost = np.maximum(change - free, 0) + 0.01
    source = height * width
    rows = np.concatenate([first, np.full(len(edge), source)])
    columns = np.concatenate([second, edge])
    values = np.concatenate([cost, np.full(len(edge), 0.01)])
    graph = coo_array((values, (rows, columns)), shape=(source + 1, source + 1)).tocsr()
    return np.asarray(dijkstra(graph, directed=False, indices=source))[:source].reshape(height, width)


def _unlike_frame(lab: np.ndarray) -> np.ndarray:
    """Return how far each pixel's colour is from the colours of the frame near it."""
    height, width = lab.shape[:2]
    ring = max(2, min(height, width) // 14)
    rows, columns = np.mgrid[0:height, 0:width]
    outer = (rows < ring) | (rows >= height - ring) | (columns < ring) | (columns >= width - ring)
    colours = lab[outer]
    labels = _kinds(colours, 4)
    shares = np.bincount(labels) / len(labels)
    kept = [k for k in range(len(shares)) if shares[k] > 0.1] or [int(shares.argmax())]
    distances = []
    for k in kept:
        own = colours[labels == k]
        spread = own.std(0) + np.array([6.0, 3.0, 3.0])
        distances.append(np.linalg.norm((lab - own.mean(0)) / spread, axis=-1))
    return np.minimum(np.min(distances, axis=0), 8)


def _by_colour(lab: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Return the likeliness averaged over places of the same colour, half and half with the place's own."""
    colours = lab.reshape(-1, 3)
    labels = _kinds(colours, COLOURS)
    result = likely.ravel()
    for _ in range(2):
        sums = np.bincount(labels, result, minlength=COLOURS)
        counts = np.bincount(labels, minlength=COLOURS)
        result = 0.5 * likely.ravel() + 0.5 * (sums / np.maximum(counts, 1))[labels]
    return result.reshape(likely.shape)


def _kinds(colours: np.ndarray, count: int) -> np.ndarray:
    """Return which of at most `count` kinds of colour each is: Pillow's median cut, and k-means from there."""
    coded = np.clip(colours * (2.55, 1, 1) + (0, 128, 128), 0, 255).astype(np.uint8)
    return np.asarray(Picture.fromarray(coded[None]).quantize(count, kmeans=2))[0]


def _towards_middle(shape: tuple[int, ...]) -> np.ndarray:
    """Return a weight of 1 in the middle that falls to a half in the corners: photographers aim."""
    rows, columns = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None]
    return np.exp(-0.35 * (rows**2 + columns**2))


def _guided(guide: np.ndarray, values: np.ndarray, radius: int) -> np.ndarray:
    """Smooth values without crossing the edges of the guide."""
    size = 2 * radius + 1

    def mean(array: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(array, size, mode="nearest")

    middle_guide, middle_values = mean(guide), mean(values)
    slope = (mean(guide * values) - middle_guide * middle_values) / (mean(guide**2) - middle_guide**2 + 1e-3)
    return mean(slope) * guide + mean(middle_values - slope * middle_guide)


def _tidied(mask: np.ndarray) -> np.ndarray | None:
    """Return the one thing: no wires and hooks, no holes from prints, no smaller things beside it."""
    labels, count = label_pieces(np.asarray(ndimage.binary_opening(mask, np.ones((3, 3))), bool))
    if not count:
        return None
    areas = ndimage.sum_labels(_towards_middle(mask.shape) ** 3, labels, np.arange(1, count + 1))
    best = int(areas.argmax())
    # Shoes come in pairs, and sleeves are apart from a shirt: what is large, or is beside the main part, stays with it.
    reach = max(3, round(0.06 * max(mask.shape)))
    near = np.asarray(ndimage.binary_dilation(labels == best + 1, iterations=reach), bool)
    beside = np.unique(labels[near])
    kept = [
        k + 1
        for k in range(count)
        if areas[k] > 0.45 * areas[best] or (k + 1 in beside and areas[k] > 0.04 * areas[best])
    ]
    chosen = ndimage.binary_dilation(np.isin(labels, kept), iterations=2, mask=mask)
    closed = ndimage.binary_closing(np.pad(chosen, 3), iterations=2)[3:-3, 3:-3]
    return ndimage.median_filter(ndimage.binary_fill_holes(closed), 3)


def _lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b*, in which equal distances look equally different."""
    linear = (rgb.astype(np.float64) / 255) ** 2.2
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.moveaxis(np.cbrt(linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def _unit(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(np.quantile(values, 0.98))
    return np.clip((values - low) / max(high - low, 1e-9), 0, 1)
