"""Keras's own objects as the Python calls that make equal ones."""

import inspect
import json
from typing import Any

import numpy as np

SIDES = ("kernel_size", "pool_size", "strides", "dilation_rate", "size", "padding")
"""Arguments that Keras widens: 3 becomes (3, 3)."""

WIDTH = 92
"""Longest call on one line, in characters, before it is indented."""

MOST_NUMBERS = 32
"""So many means and variances are written into the code; of more, nobody would read it."""


class NotPlainError(Exception):
    """Something that code from Keras's own parts cannot build."""


def write_call(thing: Any, always: tuple[str, ...] = ()) -> str:
    """Write the call that makes an equal object: what it needs, what is not Keras's default, and a layer's name."""
    from glassnet._keras import keras

    kind = type(thing)
    if isinstance(thing, keras.Model):
        raise NotPlainError(f"{write_value(thing.name)} is a network within the network")
    room, path = _home(keras, kind)
    if getattr(room, kind.__name__, None) is not kind:
        raise NotPlainError(f"{kind.__name__} is not Keras's own")
    config = _config(thing)
    parameters = inspect.signature(kind.__init__).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [one.name for one in parameters if one.kind in plain and one.default is one.empty and one.name != "self"]
    if any(name not in config for name in needed):
        raise NotPlainError(f"{kind.__name__} does not tell its settings")
    given = _given(kind, config, needed)
    arguments = [_argument(name, config[name]) for name in needed]
    others = [name for name in config if name not in needed and (name in given or name in always)]
    arguments += [f"{name}={_argument(name, config[name])}" for name in others]
    if isinstance(thing, keras.Layer):
        arguments.append(f"name={write_value(thing.name)}")
    return joined(f"{path}.{kind.__name__}(", arguments, ")")


def write_value(value: Any) -> str:
    """Write a setting as Python."""
    if isinstance(value, dict) and "class_name" in value:
        return write_call(_revived(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{write_value(key)}: {write_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(write_value, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    raise NotPlainError(f"A setting of type {type(value).__name__} cannot be written down")


def joined(start: str, arguments: list[str], end: str) -> str:
    """Write a call on one line, or, where that is too long, one argument a line."""
    line = f"{start}{', '.join(arguments)}{end}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{start}\n" + "".join(indented(f"{one},") for one in arguments) + end


def indented(text: str) -> str:
    """Return every line four characters to the right, with a line's end."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def _config(thing: Any) -> dict[str, Any]:
    """Return an object's settings, with what a layer found when it was adapted to data."""
    from glassnet._keras import keras

    try:
        config = thing.get_config()
    except (NotImplementedError, TypeError, ValueError) as error:  # a schedule of the user's own, for example
        raise NotPlainError(f"{type(thing).__name__} does not tell its settings") from error
    if isinstance(thing, keras.layers.Normalization) and is_adapted(thing):
        mean, variance = np.asarray(thing.adapt_mean), np.asarray(thing.adapt_variance)
        if mean.size > MOST_NUMBERS:
            raise NotPlainError(f"The layer {write_value(thing.name)} was adapted to {mean.size} means and variances")
        config |= {"mean": mean.tolist(), "variance": variance.tolist()}
    return config


def is_adapted(layer: Any) -> bool:
    """Tell whether a layer is one that has been adapted to data, which its settings do not say."""
    mean = getattr(layer, "adapt_mean", None)
    return mean is not None and bool(np.any(mean) or np.any(np.asarray(layer.adapt_variance) != 1))


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
        raise NotPlainError(f"{kind.__name__} cannot be made from its settings") from error


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
    return write_value(value)


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
        raise NotPlainError(f"{value['class_name']} is not Keras's own") from error


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, default=str, sort_keys=True) == json.dumps(other, default=str, sort_keys=True)
