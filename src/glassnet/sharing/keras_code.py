"""The Keras code that builds, trains and measures a run's network, without glassnet."""

import json
from typing import TYPE_CHECKING, Any

from glassnet.mirroring import is_joined, one_side
from glassnet.recipe import AUGMENTATIONS
from glassnet.runs import Passport, Run
from glassnet.sharing.keras_calls import NotPlainError, indented, is_adapted, joined, write_call, write_value

if TYPE_CHECKING:
    import keras

DOWNLOADS = {"fashion-mnist": "fashion_mnist", "mnist": "mnist"}
"""What Keras calls the data sets that it can download."""

MERGES = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
"""Layers that take a list of inputs."""

COMPILED = ("loss", "loss_weights", "metrics", "weighted_metrics")
"""What is compiled into a model besides its optimizer."""


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
            *_unsaid(run),
            compile_code(
                run.model,
                label_smoothing=passport.settings.get("label_smoothing", 0.0),
                learning_rate=passport.learning_rates[0][1] if passport.learning_rates else None,
            ),
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
    except NotPlainError as reason:
        remark = f"# {reason}, so the network comes from the run folder; the clone has new weights."
        if not any(map(is_adapted, model._flatten_layers())):
            return f'{remark}\nmodel = keras.models.clone_model(keras.saving.load_model("model.keras"))'
        return "\n".join(
            (
                remark,
                "# Its Normalization layers stay as they were adapted.",
                "def cloned(layer):",
                "    kept = isinstance(layer, keras.layers.Normalization)",
                "    return layer if kept else layer.__class__.from_config(layer.get_config())",
                "",
                'saved = keras.saving.load_model("model.keras")',
                "model = keras.models.clone_model(saved, clone_function=cloned, recursive=True)",
            )
        )


def compile_code(model: "keras.Model", *, label_smoothing: float = 0.0, learning_rate: float | None = None) -> str:
    """Return the call that compiles a model like this one.

    Args:
        model: a compiled model.
        label_smoothing: the share of every label that goes to all classes; Keras wants labels as rows then.
        learning_rate: what it started with, where the optimizer does not tell that any more.
    """
    from glassnet._keras import keras

    if not isinstance(model.optimizer, keras.optimizers.Optimizer):
        return "# The run's model is not compiled."
    try:
        settings: Any = model.get_compile_config() or {}
        optimizer = model.optimizer
        if learning_rate is not None:
            optimizer = type(optimizer).from_config({**optimizer.get_config(), "learning_rate": learning_rate})
        arguments = [f"optimizer={write_call(optimizer, always=('learning_rate',))}"]
        if label_smoothing:
            told = [*_logits_told(model), f"label_smoothing={label_smoothing}"]
            smoothed = f"keras.losses.CategoricalCrossentropy({', '.join(told)})"
            arguments += [f"loss={smoothed}", 'metrics=["accuracy"]']
        else:
            told = [name for name in COMPILED if settings.get(name) is not None]
            arguments += [f"{name}={write_value(settings[name])}" for name in told]
    except (NotPlainError, NotImplementedError) as error:  # the second where a part does not tell its settings
        reason = str(error).rstrip(".")
        return f"# {reason}: compile the model with that part as in the run."
    return joined("model.compile(", arguments, ")")


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


def _unsaid(run: Run) -> list[str]:
    """Say in comments what the run did that this program does not do."""
    passport, settings = run.passport, run.passport.settings
    chosen = {name: value for name, value in settings.items() if name in AUGMENTATIONS and value}
    changes = [name if value is True else f"{name} {value:g}" for name, value in chosen.items()]
    lines = []
    if settings.get("principal"):
        lines.append("# The run's first filters started at principal components of patches; here they start at random.")
    if changes:
        lines.append(f"# The run changed every image at random in each step ({', '.join(changes)}); this does not.")
    if settings.get("members", 1) > 1:
        lines.append("# The run trained each group of filters by itself; this trains them together.")
    validated = run.data.validation is not None if run.data else "validation" in passport.class_counts
    if (share := settings.get("held_out")) and not validated:
        lines.append(f"# The run kept {share:.0%} of the training images to learn how sure it may be; this does not.")
    if passport.learning_rates:
        lines.append("# The run's learning rate was changed while it trained; this keeps the one of the start.")
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
    labels = f"keras.utils.to_categorical({{}}, {len(passport.classes)})" if smoothed else "{}"
    arguments = [
        "train_images",
        labels.format("train_labels"),
        f"epochs={passport.epochs}",
        f"batch_size={passport.batch_size}",
    ]
    if passport.settings.get("validation"):
        arguments.append(f"validation_data=(test_images, {labels.format('test_labels')})")
    code = joined("model.fit(", arguments, ")")
    if smoothed:
        plain = f"keras.losses.SparseCategoricalCrossentropy({''.join(_logits_told(run.model))})"
        code += f'\nmodel.compile(loss={plain}, metrics=["accuracy"])  # what is measured is not smoothed'
    if stop := passport.interrupted:
        code = f"# The run was stopped in epoch {stop.epoch}; this goes to the end.\n{code}"
    return code


def _sequential(model: "keras.Model") -> str:
    inputs = f"keras.Input({write_value(tuple(model.input_shape[1:]))}{_input_type(model.inputs[0])})"
    layers = [inputs, *(write_call(layer) for layer in model.layers if type(layer).__name__ != "InputLayer")]
    body = "".join(indented(f"{layer},") for layer in layers)
    return f"model = keras.Sequential(\n    [\n{indented(body)}    ],\n    name={write_value(model.name)},\n)"


def _functional(model: "keras.Model") -> str:
    """Write a line for each layer; `x` and a number name what it gives."""
    names: dict[int, str] = {}
    lines = []
    for layer in model.layers:
        name = f"x{len(names)}"
        if type(layer).__name__ == "InputLayer":
            tensor: Any = layer.output
            label = f", name={write_value(layer.name)}"
            lines.append(f"{name} = keras.Input({write_value(tuple(tensor.shape[1:]))}{_input_type(tensor)}{label})")
        else:
            lines.append(f"{name} = {write_call(layer)}({_inputs_of(layer, names)})")
        names[id(layer.output)] = name
    ends = [_named(tensor, names, model) for tensors in (model.inputs, model.outputs) for tensor in tensors]
    starts, ends = ends[: len(model.inputs)], ends[len(model.inputs) :]
    arguments = [starts[0] if len(starts) == 1 else f"[{', '.join(starts)}]"]
    arguments += [ends[0] if len(ends) == 1 else f"[{', '.join(ends)}]", f"name={write_value(model.name)}"]
    return "\n".join([*lines, joined("model = keras.Model(", arguments, ")")])


def _inputs_of(layer: "keras.Layer", names: dict[int, str]) -> str:
    kind = type(layer).__name__
    nodes = layer._inbound_nodes  # the only place where Keras keeps how a layer was called
    if len(nodes) != 1:
        raise NotPlainError(f"The layer {write_value(layer.name)} is used more than once")
    if any(value is not None for value in nodes[0].arguments.kwargs.values()):
        raise NotPlainError(f"The layer {write_value(layer.name)} is called with settings")
    tensors: Any = layer.input
    if kind in MERGES:
        return f"[{', '.join(_named(tensor, names, layer) for tensor in tensors)}]"
    if isinstance(tensors, (list, tuple, dict)):
        raise NotPlainError(f"The layer {write_value(layer.name)} takes several inputs")
    return _named(tensors, names, layer)


def _named(tensor: Any, names: dict[int, str], where: Any) -> str:
    if id(tensor) not in names:
        raise NotPlainError(f"{write_value(where.name)} takes what is no layer's output")
    return names[id(tensor)]


def _input_type(tensor: Any) -> str:
    return "" if tensor.dtype == "float32" else f', dtype="{tensor.dtype}"'
