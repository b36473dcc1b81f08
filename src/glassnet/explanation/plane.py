"""A map of the images: what the network makes of them, brought to two dimensions."""

import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.datasets import Dataset
from glassnet.errors import InputError, UnknownNameError
from glassnet.explanation.layers import activations
from glassnet.explanation.units import choose, images_of, weighted_layers
from glassnet.network import calls
from glassnet.runs import Run
from glassnet.types import Images

if TYPE_CHECKING:
    import keras

METHODS = ("pca", "t-sne", "umap")

FEWEST = 5
"""Images that a plane needs."""

PERPLEXITY, NEIGHBOURS = 30, 15
"""About how many neighbours t-SNE and UMAP keep near each image (their usual values); less where there are few."""

KEPT = 50
"""Principal components that t-SNE and UMAP start from; it takes noise away and time."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Images as points: the nearer, the more alike to the network.

    Args:
        method: "pca", "t-sne" or "umap".
        layer: whose values were projected; "input of NAME" by default, "pixels" where there is no hidden layer.
        features: how many values each image has there.
        split: whose images they are.
        seed: of the choice of images, and of t-SNE and UMAP.
        classes: their names.
        indexes: `integer (n,)`, the number of each image in the split.
        points: `float32 (n, 2)`.
        labels: `integer (n,)`, the right class of each image.
        predicted: `integer (n,)`, what the network says.
        explained: share of the variance along each of the two axes; of PCA only, the others keep none.
    """

    method: str
    layer: str
    features: int
    split: str
    seed: int
    classes: tuple[str, ...]
    indexes: np.ndarray = field(repr=False)
    points: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    predicted: np.ndarray = field(repr=False)
    explained: tuple[float, float] | None

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON, one object for each image."""
        names = ("method", "layer", "features", "split", "seed", "classes", "explained")
        facts = {name: getattr(self, name) for name in names}
        rows = zip(self.indexes, self.points.tolist(), self.labels, self.predicted, strict=True)
        return facts | {
            "points": [
                {"index": int(index), "x": x, "y": y, "label": self.classes[label], "predicted": self.classes[answer]}
                for index, (x, y), label, answer in rows
            ]
        }


def project(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str = "test",
    images: int = 2000,
    method: str = "pca",
    layer: str | None = None,
    seed: int = 0,
) -> Plane:
    """Project what the network makes of images to the plane.

    Args:
        run: a trained network.
        data: whose images; the run's own data set if None.
        split: "test", "train" or "validation".
        images: how many of them, at random.
        method: "pca" looks along the two directions of most variance; distances can be trusted. "t-sne" and "umap"
            keep neighbours together; distances between groups mean little.
        layer: name of the layer whose values are projected; if None, what enters the last layer with weights (where
            there is no hidden layer: the pixels as they enter it).
        seed: of the choice of images, and of t-SNE and UMAP.

    Raises:
        UnknownNameError: there is no such method, layer or split.
        InputError: too few images, images that do not fit, or a method whose package is not installed.

    References:
        van der Maaten, Hinton, "Visualizing Data using t-SNE", 2008.
        McInnes, Healy, Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction", 2018.

    Example:
        >>> import glassnet
        >>> from glassnet.explanation.plane import project
        >>> project(glassnet.train("baseline", epochs=1), images=100).points.shape
        (100, 2)
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    part = images_of(run, data, split)
    indexes = choose(len(part), images, seed)
    if len(indexes) < FEWEST:
        raise InputError(f"a map of {len(indexes)} images shows nothing; pass at least {FEWEST}")
    chosen = part.images[indexes]
    name, values = _features(run.model, chosen, layer)
    points, explained = pca(values)
    if method != "pca":
        reduced = pca(values, dimensions=min(KEPT, *values.shape))[0]
        points, explained = (_t_sne if method == "t-sne" else _umap)(reduced, seed), None

    from glassnet.training.inference import predict

    return Plane(
        method=method,
        layer=name,
        features=values.shape[1],
        split=split,
        seed=seed,
        classes=run.passport.classes,
        indexes=indexes,
        points=points.astype(np.float32),
        labels=part.labels[indexes],
        predicted=predict(run.model, chosen).argmax(-1),
        explained=None if explained is None else (float(explained[0]), float(explained[1])),
    )


def pca(values: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates along the directions of most variance, and the share of it along each.

    Args:
        values: `(n, features)`.
        dimensions: how many directions.

    Returns:
        `float64 (n, dimensions)` and `float64 (dimensions,)`. Each direction points to where its largest weight is
        positive, so that equal values give equal pictures.

    References:
        Hotelling, "Analysis of a complex of statistical variables into principal components", 1933.

    Example:
        >>> points, explained = pca(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))
        >>> points[:, 0].round(6).tolist(), explained.round(6).tolist()
        ([-5.0, 0.0, 5.0], [1.0, 0.0])
    """
    centred = values.astype(np.float64) - values.mean(0, dtype=np.float64)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:dimensions]
    directions *= np.sign(directions[np.arange(len(directions)), np.abs(directions).argmax(1)])[:, None]
    points, shares = np.zeros((len(values), dimensions)), np.zeros(dimensions)
    points[:, : len(directions)] = centred @ directions.T  # a layer of one unit has one direction: the rest stays 0
    total = np.square(lengths).sum()
    shares[: len(directions)] = np.square(lengths[:dimensions]) / total if total else 0
    return points, shares


def _features(model: "keras.Model", images: Images, layer: str | None) -> tuple[str, np.ndarray]:
    """Return the name of what is projected, and one row of values for each image."""
    from glassnet._keras import keras
    from glassnet.training.inference import predict

    if layer is not None:
        name, values = layer, activations(model, images, [layer])[layer]
    else:
        *before, last = weighted_layers(model)
        name = f"input of {last.name}" if before else "pixels"
        inputs = calls(model)[last].input_tensors[0]
        values = images if inputs is model.inputs[0] else predict(keras.Model(model.inputs, inputs), images)
    return name, np.asarray(values, np.float32).reshape(len(images), -1)


def _t_sne(values: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values)


def _umap(values: np.ndarray, seed: int) -> np.ndarray:
    if importlib.util.find_spec("umap") is None:
        raise InputError("the method 'umap' needs the package umap-learn; pip install umap-learn, or use pca or t-sne")
    import umap  # pyright: ignore[reportMissingImports]  (no dependency of glassnet)

    # One job: with a seed, UMAP computes in one thread anyway, and warns if it was asked for more.
    tool = umap.UMAP(n_components=2, n_neighbors=min(NEIGHBOURS, len(values) - 1), random_state=seed, n_jobs=1)
    return np.asarray(tool.fit_transform(values))
