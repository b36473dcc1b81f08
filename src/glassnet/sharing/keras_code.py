"""The Keras code that builds, trains and measures a run's network, without glassnet."""

import inspect
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.mirroring import is_joined, one_side
from glassnet.recipe import AUGMENTATIONS
from glassnet.runs import Passport, Run

if TYPE_CHECKING:
    import keras

DOWNLOADS = {"fashion-mnist": "fashion_mnist", "mnist": "mnist"}
"""What Keras calls the data sets that it can download."""

MERGES = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
"""Layers that take a list of inputs."""

SIDES = ("kernel_size", "pool_size", "strides", "dilation_rate", "size", "padding")
"""Arguments that Keras widens: 3 becomes (3, 3)."""

COMPILED = ("loss", "loss_weights", "metrics", "weighted_metrics")
"""What is compiled into a model besides its optimizer."""

WIDTH = 92
"""Longest call on one line, in characters, before it is indented."""


class _NotPlainError(Exception):
    """Something that code from Keras's own parts cannot build."""


def keras_code(run: Run) -> str:
    """Return a Python program that repeats a run in plain Keras.

    Args:
        run: a trained network.

    Returns:
        The program: data, network, settings, training, measurement. A network with parts that are not Keras's own is
        taken from the run's `model.keras`, with new weights.

    Example:
        >>> import glassnet
        >>> from glassnet.sharing.keras_code import keras_code
        >>> print(keras_code(glassnet.train("baseline", epochs=1)).splitlines()[-1])
        print(model.evaluate(test_images, test_labels, return_dict=True))
    """
    passport = run.passport
    return "\n".join(
        (
            "import os",
            "",
            'os.environ["KERAS_BACKEND"] = "jax"  # the backend of the run; others give other random numbers',
            "import keras",
            "",
            _data_code(passport),
            "",
            f"keras.utils.set_random_seed({passport.seed})",
            model_code(one_side(run)),
            "",
            *_unsaid(passport),
            compile_code(run.model, label_smoothing=passport.settings.get("label_smoothing", 0.0)),
            "",
            _training_code(run),
            "print(model.evaluate(test_images, test_labels, return_dict=True))",
            "",
        )
    )


def model_code(model: "keras.Model") -> str:
    """Return the lines that build a model like this one, as `model`.

    Example:
        >>> from glassnet import recipes
        >>> from glassnet.sharing.keras_code import model_code
        >>> print(model_code(recipes.find("baseline").build((28, 28), 10)).splitlines()[2].strip())
        keras.Input((28, 28)),
    """
    try:
        return _sequential(model) if type(model).__name__ == "Sequential" else _functional(model)
    except _NotPlainError as reason:
        return "\n".join(
            (
                f"# {reason}, so the network comes from the run folder; the clone has new weights.",
                'model = keras.models.clone_model(keras.saving.load_model("model.keras"))',
            )
        )


def compile_code(model: "keras.Model", *, label_smoothing: float = 0.0) -> str:
    """Return the call that compiles a model like this one.

    Args:
        model: a compiled model.
        label_smoothing: the share of every label that goes to all classes; Keras wants labels as rows then.
    """
    from glassnet._keras import keras

    if not isinstance(model.optimizer, keras.optimizers.Optimizer):
        return "# The run's model is not compiled."
    settings: Any = model.get_compile_config() or {}
    try:
        arguments = [f"optimizer={_call(model.optimizer, always=('learning_rate',))}"]
        if label_smoothing:
            told = [*_logits_told(model), f"label_smoothing={label_smoothing}"]
            smoothed = f"keras.losses.CategoricalCrossentropy({', '.join(told)})"
            arguments += [f"loss={smoothed}", 'metrics=["accuracy"]']
        else:
            told = [name for name in COMPILED if settings.get(name) is not None]
            arguments += [f"{name}={_value(settings[name])}" for name in told]
    except _NotPlainError as reason:
        return f"# {reason}: compile the model with that part as in the run."
    return _joined("model.compile(", arguments, ")")


def _data_code(passport: Passport) -> str:
    """Write where the images come from."""
    shape, name = passport.image_shape, passport.dataset
    if name not in DOWNLOADS:
        sizes = ", ".join(map(str, shape))
        return "\n".join(
            (
                f"# The images of {json.dumps(name)} are not Keras's own: put yours here, uint8 (n, {sizes}),",
                f"# brightness 0 to 255, with labels 0 to {len(passport.classes) - 1}.",
                "train_images, train_labels, test_images, test_labels = ...",
            )
        )
    lines = [
        f'# Keras downloads them; the same images, offline: glassnet.load("{name}")',
        f"train, test = keras.datasets.{DOWNLOADS[name]}.load_data()",
        "(train_images, train_labels), (test_images, test_labels) = train, test",
    ]
    if len(shape) == 3:
        lines.append("train_images, test_images = train_images[..., None], test_images[..., None]")
    return "\n".join(lines)


def _unsaid(passport: Passport) -> list[str]:
    """Say in comments what the run did that this program does not do."""
    settings = passport.settings
    chosen = {name: value for name, value in settings.items() if name in AUGMENTATIONS and value}
    changes = [name if value is True else f"{name} {value:g}" for name, value in chosen.items()]
    lines = []
    if settings.get("principal"):
        lines.append("# The run's first filters started at principal components of patches; here they start at random.")
    if changes:
        lines.append(f"# The run changed every image at random in each step ({', '.join(changes)}); this does not.")
    if settings.get("members", 1) > 1:
        lines.append("# The run trained each group of filters by itself; this trains them together.")
    if share := settings.get("held_out"):
        lines.append(f"# The run kept {share:.0%} of the training images to learn how sure it may be; this does not.")
    if is_joined(passport):
        lines.append("# The run joined the trained network with its mirror image; this does not.")
    return lines


def _logits_told(model: "keras.Model") -> list[str]:
    """Write the argument that tells a loss that the model gives logits, where it does."""
    return ["from_logits=True"] if getattr(model.loss, "from_logits", False) else []


def _training_code(run: Run) -> str:
    """Write the call that trains."""
    passport = run.passport
    smoothed = passport.settings.get("label_smoothing")
    labels = "keras.utils.to_categorical({})" if smoothed else "{}"
    arguments = [
        "train_images",
        labels.format("train_labels"),
        f"epochs={passport.epochs}",
        f"batch_size={passport.batch_size}",
    ]
    if passport.settings.get("validation"):
        arguments.append(f"validation_data=(test_images, {labels.format('test_labels')})")
    code = _joined("model.fit(", arguments, ")")
    if smoothed:
        plain = f"keras.losses.SparseCategoricalCrossentropy({''.join(_logits_told(run.model))})"
        code += f'\nmodel.compile(loss={plain}, metrics=["accuracy"])  # what is measured is not smoothed'
    if stop := passport.interrupted:
        code = f"# The run was stopped in epoch {stop.epoch}; this goes to the end.\n{code}"
    return code


def _sequential(model: "keras.Model") -> str:
    inputs = f"keras.Input({_value(tuple(model.input_shape[1:]))}{_input_type(model.inputs[0])})"
    layers = [inputs, *(_call(layer) for layer in model.layers if type(layer).__name__ != "InputLayer")]
    body = "".join(_indented(f"{layer},") for layer in layers)
    return f"model = keras.Sequential(\n    [\n{_indented(body)}    ],\n    name={_value(model.name)},\n)"


def _functional(model: "keras.Model") -> str:
    """Write a line for each layer; `x` and a number name what it gives."""
    names: dict[int, str] = {}
    lines = []
    for layer in model.layers:
        name = f"x{len(names)}"
        if type(layer).__name__ == "InputLayer":
            tensor: Any = layer.output
            label = f", name={_value(layer.name)}"
            lines.append(f"{name} = keras.Input({_value(tuple(tensor.shape[1:]))}{_input_type(tensor)}{label})")
        else:
            lines.append(f"{name} = {_call(layer)}({_inputs_of(layer, names)})")
        names[id(layer.output)] = name
    ends = [_named(tensor, names, model) for tensors in (model.inputs, model.outputs) for tensor in tensors]
    starts, ends = ends[: len(model.inputs)], ends[len(model.inputs) :]
    arguments = [starts[0] if len(starts) == 1 else f"[{', '.join(starts)}]"]
    arguments += [ends[0] if len(ends) == 1 else f"[{', '.join(ends)}]", f"name={_value(model.name)}"]
    return "\n".join([*lines, _joined("model = keras.Model(", arguments, ")")])


def _inputs_of(layer: "keras.Layer", names: dict[int, str]) -> str:
    kind = type(layer).__name__
    nodes = layer._inbound_nodes  # the only place where Keras keeps how a layer was called
    if len(nodes) != 1:
        raise _NotPlainError(f"The layer {_value(layer.name)} is used more than once")
    if any(value is not None for value in nodes[0].arguments.kwargs.values()):
        raise _NotPlainError(f"The layer {_value(layer.name)} is called with settings")
    tensors: Any = layer.input
    if kind in MERGES:
        return f"[{', '.join(_named(tensor, names, layer) for tensor in tensors)}]"
    if isinstance(tensors, (list, tuple, dict)):
        raise _NotPlainError(f"The layer {_value(layer.name)} takes several inputs")
    return _named(tensors, names, layer)


def _named(tensor: Any, names: dict[int, str], where: Any) -> str:
    if id(tensor) not in names:
        raise _NotPlainError(f"{_value(where.name)} takes what is no layer's output")
    return names[id(tensor)]


def _input_type(tensor: Any) -> str:
    return "" if tensor.dtype == "float32" else f', dtype="{tensor.dtype}"'


def _call(thing: Any, always: tuple[str, ...] = ()) -> str:
    """Write the call that makes an equal object: what it needs, what is not Keras's default, and a layer's name."""
    from glassnet._keras import keras

    kind = type(thing)
    if isinstance(thing, keras.Model):
        raise _NotPlainError(f"{_value(thing.name)} is a network within the network")
    room, path = _home(keras, kind)
    if getattr(room, kind.__name__, None) is not kind:
        raise _NotPlainError(f"{kind.__name__} is not Keras's own")
    config = thing.get_config()
    parameters = inspect.signature(kind.__init__).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [one.name for one in parameters if one.kind in plain and one.default is one.empty and one.name != "self"]
    if any(name not in config for name in needed):
        raise _NotPlainError(f"{kind.__name__} does not tell its settings")
    given = _given(kind, config, needed)
    arguments = [_argument(name, config[name]) for name in needed]
    others = [name for name in config if name not in needed and (name in given or name in always)]
    arguments += [f"{name}={_argument(name, config[name])}" for name in others]
    if isinstance(thing, keras.Layer):
        arguments.append(f"name={_value(thing.name)}")
    return _joined(f"{path}.{kind.__name__}(", arguments, ")")


def _given(kind: type, config: dict[str, Any], needed: list[str]) -> list[str]:
    """Return the settings that must be given for an object of this config: Keras's defaults do the rest.

    More than one round, because a default can follow another setting, as the strides follow the size of a pool.
    """
    given = list(needed)
    try:
        while True:
            usual = kind(**{name: _revived(config[name]) for name in given}).get_config()
            more = [
                name
                for name, value in config.items()
                if name not in given and name != "name" and not (name in usual and _same(value, usual[name]))
            ]
            if not more:
                return given
            given += more
    except (TypeError, ValueError) as error:
        raise _NotPlainError(f"{kind.__name__} cannot be made from its settings") from error


def _home(keras: Any, kind: type) -> tuple[Any, str]:
    """Return the module of Keras in which users find a class, and what they call it."""
    rooms = {
        keras.Layer: "layers",
        keras.optimizers.Optimizer: "optimizers",
        keras.losses.Loss: "losses",
        keras.metrics.Metric: "metrics",
        keras.initializers.Initializer: "initializers",
        keras.regularizers.Regularizer: "regularizers",
        keras.constraints.Constraint: "constraints",
        keras.optimizers.schedules.LearningRateSchedule: "optimizers.schedules",
    }
    for base, name in rooms.items():
        if issubclass(kind, base):
            room = keras
            for part in name.split("."):
                room = getattr(room, part)
            return room, f"keras.{name}"
    return keras, "keras"


def _argument(name: str, value: Any) -> str:
    if name in SIDES and isinstance(value, (list, tuple)) and len(set(map(str, value))) == 1:
        value = value[0]
    return _value(value)


def _value(value: Any) -> str:
    """Write a setting as Python."""
    if isinstance(value, dict) and "class_name" in value:
        return _call(_revived(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(key)}: {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_value, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    raise _NotPlainError(f"A setting of type {type(value).__name__} cannot be written down")


def _number(value: float) -> str:
    """Write a number as people do: 1 / 255, and 0.001 for the float32 next to it."""
    short = repr(float(str(np.float32(value)))) if float(np.float32(value)) == value else repr(value)
    inverse = round(1 / value) if value and abs(value) < 1 else 0
    return f"1 / {inverse}" if inverse > 0 and 1 / inverse == value and len(short) > 6 else short


def _revived(value: Any) -> Any:
    """Make the object that Keras has written as a dictionary."""
    from glassnet._keras import keras

    if not (isinstance(value, dict) and "class_name" in value):
        return value
    try:
        return keras.saving.deserialize_keras_object(value)
    except Exception as error:  # Keras raises many kinds here
        raise _NotPlainError(f"{value['class_name']} is not Keras's own") from error


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, default=str, sort_keys=True) == json.dumps(other, default=str, sort_keys=True)


def _joined(start: str, arguments: list[str], end: str) -> str:
    """Write a call on one line, or, where that is too long, one argument a line."""
    line = f"{start}{', '.join(arguments)}{end}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{start}\n" + "".join(_indented(f"{one},") for one in arguments) + end


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
