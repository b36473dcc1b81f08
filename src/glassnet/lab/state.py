"""State: what one tab of the lab is set to, and how it stands in the link and on the command line."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from glassnet.datasets import EMBEDDED
from glassnet.errors import InputError, UnknownNameError
from glassnet.recipes import RECIPES, Recipe, check_count, find

PANELS = ("data", "network", "training", "results", "tryit")
CONTROLS = (
    "set", "recipe", "layers", "activation", "optimizer", "rate", "batch", "epochs", "seed", "scale", "validation",
    "code", "runs", "results", "tryit",
)  # fmt: skip
"""What a link can hide: a control or a panel."""

MOST_EPOCHS, MOST_LAYERS, MOST_WIDTH = 200, 6, 2048
"""Larger trainings belong on the command line: many people may share the lab's machine."""

MOST_NOTES = 5
MOST_CHARACTERS = 40


@dataclass(frozen=True)
class State:
    """What one tab is set to.

    Args:
        plan: the recipe with its changes.
        data: name of the data set.
        seed: of the next training.
        panel: the open one.
        run: name of the run that is shown; empty for none.
        hide: controls that are not there, as a teacher wants it.
    """

    plan: Recipe = RECIPES["baseline"]
    data: str = "fashion-mnist"
    seed: int = 0
    panel: str = "data"
    run: str = ""
    hide: frozenset[str] = field(default_factory=frozenset)

    def changed(self, **settings: Any) -> "State":
        """Return the state with other settings of the recipe.

        Raises:
            InputError: a setting that cannot work, or is too much for the lab.
        """
        plan = self.plan.changed(**settings)
        check_count("epochs", plan.epochs, most=MOST_EPOCHS)
        check_count("batch size", plan.batch_size, most=EMBEDDED[self.data].files[0].shape[0])
        if len(plan.hidden) > MOST_LAYERS:
            raise InputError(f"{len(plan.hidden)} hidden layers; the lab builds at most {MOST_LAYERS}")
        for width in plan.hidden:
            check_count("width of a hidden layer", width, most=MOST_WIDTH)
        return replace(self, plan=plan)


def to_query(state: State) -> str:
    """Return the state as the query of a link, without what is as the recipe has it.

    Example:
        >>> to_query(State().changed(epochs=3))
        'epochs=3'
    """
    base, plan = find(state.plan.name), state.plan
    values = {name: parameter.write(plan) for name, parameter in _SETTINGS.items() if _differs(parameter, plan, base)}
    start = State()
    others = {
        "set": state.data if state.data != base.dataset else "",
        "seed": str(state.seed) if state.seed else "",
        "panel": state.panel if state.panel != start.panel else "",
        "run": state.run,
        "hide": ",".join(sorted(state.hide)),
    }
    recipe = {"recipe": plan.name} if plan.name != start.plan.name else {}
    return urlencode(recipe | values | {name: value for name, value in others.items() if value}, safe=",")


def from_query(query: Mapping[str, str]) -> tuple[State, list[str]]:
    """Return the state that a link asks for, and what of it makes no sense and is ignored.

    Example:
        >>> state, notes = from_query({"recipe": "digits-32", "epochs": "many"})
        >>> state.plan.name, state.data, notes
        ('digits-32', 'mnist', ['epochs=many is ignored: it must be a whole number'])
    """
    notes: list[str] = []
    state = State()
    known = ("recipe", "set", *_SETTINGS, "seed", "panel", "run", "hide")
    for name in known:  # in this order: the recipe comes before what changes it
        if name not in query:
            continue
        try:
            state = _applied(state, name, query[name])
        except InputError as error:
            notes.append(f"{name}={_short(query[name])} is ignored: {error}")
    notes += [f"{_short(name)} is ignored: no link has it" for name in query if name not in known]
    rest = len(notes) - MOST_NOTES
    return state, notes if rest <= 0 else [*notes[:MOST_NOTES], f"and {rest} more"]


def to_command(state: State) -> str:
    """Return the command that trains what the tab is set to.

    Example:
        >>> to_command(State().changed(hidden=(64,), scale=False))
        'glassnet train baseline --hidden 64 --no-scale'
    """
    plan = state.plan
    base = find(plan.name)
    if base.hidden and not plan.hidden:  # the command line can add hidden layers, and start from a recipe without
        base = next(one for one in RECIPES.values() if not one.hidden and one.output == plan.output)
    words = ["glassnet", "train", base.name]
    if state.data != base.dataset:
        words += ["--data", state.data]
    if plan.hidden != base.hidden:
        words += [word for width in plan.hidden for word in ("--hidden", str(width))]
    for option in ("activation", "optimizer", "learning_rate", "batch_size", "epochs"):
        if (value := getattr(plan, option)) != getattr(base, option) and value is not None:
            words += [f"--{option.replace('_', '-')}", str(value)]
    for switch in ("scale", "validation"):
        if getattr(plan, switch) != getattr(base, switch):
            words.append(f"--{'' if getattr(plan, switch) else 'no-'}{switch}")
    if state.seed:
        words += ["--seed", str(state.seed)]
    return shlex.join(words)


@dataclass(frozen=True)
class _Parameter:
    """How one setting of a recipe stands in a link."""

    setting: str
    read: Callable[[str], Any]
    write: Callable[[Recipe], str]


def _applied(state: State, name: str, text: str) -> State:  # noqa: PLR0911  (one for each kind of parameter)
    if name == "recipe":
        plan = find(text)
        return replace(state, plan=plan, data=plan.dataset)
    if name in _SETTINGS:
        return state.changed(**{_SETTINGS[name].setting: _SETTINGS[name].read(text)})
    if name == "set":
        return replace(state, data=_one_of("data set", text, EMBEDDED))
    if name == "panel":
        return replace(state, panel=_one_of("panel", text, PANELS))
    if name == "seed":
        return replace(state, seed=_seed(text))
    if name == "run":
        return replace(state, run=_run_name(text))
    return replace(state, hide=frozenset(_one_of("control", one, CONTROLS) for one in text.split(",") if one))


def is_run_name(text: str) -> bool:
    """Tell whether a text can be the name of a folder in the lab's folder of runs, and nothing outside of it."""
    return 0 < len(text) <= 80 and not text.startswith(".") and all(one.isalnum() or one in "-_." for one in text)


def _one_of(kind: str, text: str, known: Any) -> str:
    if text not in known:
        raise UnknownNameError(kind, _short(text), known)
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise InputError("it must be a whole number")
    return int(text)


def _seed(text: str) -> int:
    if (seed := _whole(text)) >= 2**32:
        raise InputError(f"it must be at most {2**32 - 1}")
    return seed


def _run_name(text: str) -> str:
    if not is_run_name(text):
        raise InputError("no run has such a name")
    return text


def _number(text: str) -> float | None:
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError("it must be a number, such as 0.001") from None


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise InputError("it must be 1 or 0")
    return text == "1"


def _widths(text: str) -> tuple[int, ...]:
    return () if text == "0" else tuple(_whole(one) for one in text.split("-"))


def _differs(parameter: _Parameter, plan: Recipe, base: Recipe) -> bool:
    return getattr(plan, parameter.setting) != getattr(base, parameter.setting)


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


_SETTINGS = {
    "layers": _Parameter("hidden", _widths, lambda plan: "-".join(map(str, plan.hidden)) or "0"),
    "activation": _Parameter("activation", str, lambda plan: plan.activation),
    "optimizer": _Parameter("optimizer", str, lambda plan: plan.optimizer),
    "rate": _Parameter(
        "learning_rate", _number, lambda plan: "auto" if plan.learning_rate is None else repr(plan.learning_rate)
    ),
    "batch": _Parameter("batch_size", _whole, lambda plan: str(plan.batch_size)),
    "epochs": _Parameter("epochs", _whole, lambda plan: str(plan.epochs)),
    "scale": _Parameter("scale", _switch, lambda plan: str(int(plan.scale))),
    "validation": _Parameter("validation", _switch, lambda plan: str(int(plan.validation))),
}
