"""Recipe: a network and the settings that train it.

A recipe is a frozen record; `changed` gives another one, and `build` a plain, compiled Keras model.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from glassnet.augmentation import Augmentation, usual
from glassnet.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import keras

ACTIVATIONS = (
    "relu", "sigmoid", "tanh", "gelu", "silu", "elu", "selu", "leaky_relu", "softplus", "softsign", "linear",
)  # fmt: skip
OPTIMIZERS = ("adam", "sgd", "rmsprop", "adamw", "nadam", "adamax", "adagrad", "adadelta", "lion", "ftrl", "muon")
SCHEDULES = ("constant", "one-cycle")
LEAST_BATCHES = 8
"""Batches that an epoch has at least, where a recipe fits itself to few images."""


AUGMENTATIONS = frozenset(one.name for one in fields(Augmentation))
"""Settings that change the images."""


class Settings(TypedDict, total=False):
    """What can be changed in a recipe; the meaning of each stands at `Recipe`."""

    filters: Sequence[int]
    depth: int
    members: int
    hidden: Sequence[int]
    activation: str
    principal: bool
    batch_norm: bool
    dropout: float
    scale: bool
    optimizer: str
    learning_rate: float | None
    schedule: Literal["constant", "one-cycle"]
    weight_decay: float | None
    label_smoothing: float
    epochs: int
    batch_size: int
    held_out: float
    validation: bool
    shift: float
    rotate: float
    zoom: float
    elastic: float
    erase: float
    flip: bool
    mirrored: bool


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and how it is trained.

    Args:
        name: what it is called on the command line.
        about: what it is, in one sentence.
        dataset: the data set that it is meant for.
        expected: the range of test accuracies over seeds, in percent, for each data set where it was measured.
        filters: how many each convolutional block has: 3 × 3 convolution, 2 × 2 max-pooling (where the maps are still
            at least 10 × 10; see `glassnet.building.map_sizes`), batch normalisation if wanted, activation.
        depth: convolutions in every block but the first, which works on the full picture and has one.
        members: networks side by side in one, each with these filters and trained by itself; the answer is the mean of
            theirs (see `glassnet.training.members`). With hidden layers there is one.
        hidden: the width of each hidden layer after them.
        activation: of blocks and hidden layers, a name of `ACTIVATIONS`.
        principal: start the first filters at the principal directions of patches of the training images (see
            `glassnet.first_filters`), and not at random.
        batch_norm: normalise over the batch in every block.
        dropout: share of the inputs of the last layer that is left out, at random, in each step.
        scale: divide the pixels by 255, inside the network.
        output: "softmax" makes the network's outputs probabilities; "logits" leaves them raw.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate: step size (with a schedule, the largest); None is Keras's default for the optimizer.
        schedule: "constant", or "one-cycle": up from a tenth over a fifth of the steps, then down to zero, a cosine.
        weight_decay: share of every weight that a step of size 1 takes away; None is Keras's default for the optimizer.
        label_smoothing: share of every label that goes to all classes alike while training.
        epochs: passes over the training images.
        batch_size: images per step.
        held_out: share of the training images that is not learned from but shows how sure the network may be (see
            `glassnet.confidence`); a data set with a validation part gives that instead.
        least_steps: with few images, smaller batches and more epochs make at least so many steps (see `fitted`).
        validation: measure loss and accuracy after every epoch, on the validation part or, without one, the test ones.
        shift, rotate, zoom, elastic, erase, flip: how much each image may be changed, at random, in every step (see
            `glassnet.augmentation.Augmentation`).
        mirrored: where images are flipped, join the trained network with its mirror image, so that it answers with the
            mean of both (see `glassnet.mirroring`).
        adapts: choose those of these six that are not set by what the images show (see `glassnet.augmentation.usual`);
            whoever changes one of them gets what is set, and nothing else.
        seconds: what its epochs took on each data set where it was measured, on two cores, at best
            (`benchmarks/recipes.md`).

    Raises:
        InputError: a setting that cannot work.

    Example:
        >>> from glassnet import recipes
        >>> recipes.find("baseline").changed(hidden=(64,), epochs=1).hidden
        (64,)
    """

    name: str
    about: str
    dataset: str
    expected: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    filters: Sequence[int] = ()
    depth: int = 1
    members: int = 1
    hidden: Sequence[int] = ()
    activation: str = "relu"
    principal: bool = False
    batch_norm: bool = False
    dropout: float = 0.0
    scale: bool = True
    output: Literal["softmax", "logits"] = "softmax"
    optimizer: str = "adam"
    learning_rate: float | None = None
    schedule: Literal["constant", "one-cycle"] = "constant"
    weight_decay: float | None = None
    label_smoothing: float = 0.0
    epochs: int = 5
    batch_size: int = 32
    held_out: float = 0.0
    least_steps: int = 0
    validation: bool = False
    shift: float = 0
    rotate: float = 0
    zoom: float = 0
    elastic: float = 0
    erase: float = 0
    flip: bool = False
    mirrored: bool = False
    adapts: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, what in (("hidden", "width of a hidden layer"), ("filters", "number of filters")):
            value = getattr(self, name)
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise InputError(f"{name} is {value!r}; it must be a list of widths, such as [128, 64]")
            object.__setattr__(self, name, tuple(value))
            for width in value:
                check_count(what, width, most=1_000_000)
        check_count("depth", self.depth, most=100)
        check_count("members", self.members, most=100)
        if self.members > 1 and not self.can_have_members:
            raise InputError(
                f"members is {self.members}, but only networks of convolutional blocks without hidden layers have "
                "several; give filters and leave hidden out"
            )
        check_count("epochs", self.epochs)
        check_count("batch size", self.batch_size)
        check_learning_rate(self.learning_rate)
        _check_weight_decay(self.weight_decay)
        for name in ("dropout", "held_out", "label_smoothing"):
            check_share(name, getattr(self, name))
        if self.schedule not in SCHEDULES:
            raise UnknownNameError("schedule", self.schedule, SCHEDULES)
        _ = self.augmentation
        if self.activation not in ACTIVATIONS:
            raise UnknownNameError("activation", self.activation, ACTIVATIONS)
        if self.optimizer not in OPTIMIZERS:
            raise UnknownNameError("optimizer", self.optimizer, OPTIMIZERS)

    def changed(self, **settings: Unpack[Settings]) -> "Recipe":
        """Return the recipe with other settings.

        Raises:
            InputError: a setting that does not exist or cannot work.
        """
        for name in settings:
            if name not in Settings.__annotations__:
                raise UnknownNameError("setting", name, Settings.__annotations__)
        # Who chooses epochs or a batch size gets them, however few the images are; so with changes of the images.
        chosen: dict[str, Any] = {"least_steps": 0} if {"epochs", "batch_size"} & set(settings) else {}
        if "members" not in settings and not replace(self, **settings | {"members": 1}).can_have_members:
            chosen["members"] = 1
        if AUGMENTATIONS & set(settings):
            chosen["adapts"] = False
        return replace(self, **settings, **chosen)

    def fitted(self, examples: int) -> "Recipe":
        """Return the recipe with a batch size and as many epochs as training on so many images needs.

        Example:
            >>> from glassnet import recipes
            >>> fitted = recipes.find("cnn").fitted(200)
            >>> fitted.batch_size, fitted.epochs
            (25, 75)
        """
        if not self.least_steps:
            return self
        batch_size = max(1, min(self.batch_size, examples // LEAST_BATCHES))
        epochs = max(self.epochs, math.ceil(self.least_steps / max(1, math.ceil(examples / batch_size))))
        return replace(self, batch_size=batch_size, epochs=epochs)

    def adapted(self, kind: str, side: int) -> "Recipe":
        """Return the recipe with the changes of images that suit their kind and size, if it adapts.

        What the recipe itself sets stays.

        Args:
            kind: "drawings", "items" or "scenes" (see `glassnet.photos.DataFacts`).
            side: the images' shorter side, in pixels.
        """
        if not self.adapts:
            return self
        chosen = asdict(usual(kind, side))
        return replace(self, adapts=False, **{name: getattr(self, name) or value for name, value in chosen.items()})

    def settings(self) -> dict[str, Any]:
        """Return what this recipe trains with, as it is kept in the passport of a run."""
        notes = {"name", "about", "dataset", "expected", "least_steps", "adapts", "seconds"}
        values = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in notes}
        return values | {"filters": list(self.filters), "hidden": list(self.hidden)}

    @property
    def can_have_members(self) -> bool:
        """Whether nothing but the last layer sees all filters: hidden layers would join the members."""
        return bool(self.filters) and not self.hidden

    @property
    def augmentation(self) -> Augmentation:
        """How much each image may be changed in every step."""
        return Augmentation(**{one.name: getattr(self, one.name) for one in fields(Augmentation)})

    @property
    def both_ways(self) -> bool:
        """Whether the trained network is joined with its mirror image."""
        return self.mirrored and self.flip

    def parameters(self, image_shape: tuple[int, ...], classes: int) -> int:
        """Count weights, biases and what batch normalisation keeps, without building the network that is trained."""
        from glassnet.building import count_parameters

        return count_parameters(self, image_shape, classes)

    def build(self, image_shape: tuple[int, ...], classes: int, *, examples: int = 60_000) -> "keras.Sequential":
        """Return the network, compiled; its weights are random.

        Args:
            image_shape: (height, width) or (height, width, channels).
            classes: how many outputs it has.
            examples: training images, from which a schedule knows how many steps there will be.
        """
        from glassnet.building import build

        return build(self, image_shape, classes, examples)


def check_count(what: str, value: object, *, most: int | None = None) -> None:
    """Raise InputError unless `value` is a whole number of at least 1 (and at most `most`)."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1 or (most and value > most):
        limit = f" and at most {most:,}" if most else ""
        raise InputError(f"{what} is {value!r}; it must be a whole number of at least 1{limit}")


def check_share(what: str, value: object) -> None:
    """Raise InputError unless `value` is a number from 0 up to, not including, 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise InputError(f"{what} is {value!r}; it must be a share from 0 up to, not including, 1")


def _check_weight_decay(value: float | None) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise InputError(f"weight_decay is {value!r}; it must be a number from 0 to 100, such as 0.05")


def check_learning_rate(value: float | None) -> None:
    """Raise InputError unless `value` is None or a finite number above 0."""
    if value is None:
        return
    if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise InputError(f"learning rate is {value!r}; it must be a finite number above 0, such as 0.001")
