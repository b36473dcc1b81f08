"""Links: how the state of a tab stands in the address of the page and on the command line."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from glassnet.augmentation import LIMITS
from glassnet.errors import InputError, UnknownNameError
from glassnet.lab.levels import read_level, write_level
from glassnet.lab.sets import find_own, set_facts, set_names
from glassnet.lab.state import ALL_ANSWERS, CONTROLS, ERRORS, MOST_REPEATS, PANELS, VIEWS, State, is_run_name
from glassnet.recipes import RECIPES, SCHEDULES, Recipe, find
from glassnet.sharing.command import FLAGS, LISTS, SWITCHES

MOST_NOTES = 5
MOST_CHARACTERS = 40


def to_query(state: State) -> str:
    """Return the state as the query of a link, without what is as the recipe and a new tab have it.

    Example:
        >>> to_query(State().changed(epochs=3))
        'epochs=3'
    """
    base = find(state.plan.name)
    start = replace(State(), data=base.dataset)
    recipe = {"recipe": base.name} if base.name != start.plan.name else {}
    settings = _written(state.plan, base, _SETTINGS)
    for name in _chosen(state.plan, base):
        settings.setdefault(name, _SETTINGS[name].write(getattr(state.plan, name)))
    others = _written(state, start, _PLACES)
    return urlencode(recipe | settings | others, safe=",:")


def from_query(query: Mapping[str, str]) -> tuple[State, list[str]]:
    """Return the state that a link asks for, and what of it makes no sense and is ignored.

    Example:
        >>> state, notes = from_query({"recipe": "digits-32", "epochs": "many"})
        >>> state.plan.name, state.data, notes
        ('digits-32', 'mnist', ['epochs=many is ignored: it must be a whole number'])
    """
    notes: list[str] = []
    state = State()
    known = ("recipe", "set", *_SETTINGS, *_PLACES)
    for name in dict.fromkeys(known):  # in this order: the recipe comes before what changes it
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
    taken = (*LISTS, "learning_rate")
    if any(getattr(base, name) and not getattr(plan, name) for name in taken):
        # The command line gives values, but does not take a recipe's own away: it starts from one without any. That
        # one neither adapts nor fits itself to the images, for which there are no options; so what comes of it is said.
        plan = state.plan_to_train
        bare = (one for one in RECIPES.values() if not any(getattr(one, name) for name in taken))
        base = next(one for one in bare if one.output == plan.output)
    elif not plan.least_steps:  # no larger batch than there are images; those that fit themselves do so there, too
        plan = replace(plan, batch_size=state.plan_to_train.batch_size)
    words = ["glassnet", "train", base.name]
    if state.data != base.dataset:
        words += ["--data", state.data]
    for name in LISTS:
        if (widths := getattr(plan, name)) != getattr(base, name):
            words += [word for width in widths for word in (f"--{name}", str(width))]
    for option in FLAGS:
        value = getattr(plan, option)
        if (value != getattr(base, option) or option in _chosen(plan, base)) and value is not None:
            words += [f"--{option.replace('_', '-')}", str(value)]
    for switch in SWITCHES:
        if getattr(plan, switch) != getattr(base, switch):
            words.append(f"--{'' if getattr(plan, switch) else 'no-'}{switch.replace('_', '-')}")
    if state.seed:
        words += ["--seed", str(state.seed)]
    return shlex.join(words)


@dataclass(frozen=True)
class _Parameter:
    """How one attribute of a recipe or of a state stands in a link."""

    attribute: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _applied(state: State, name: str, text: str) -> State:
    if name == "recipe":
        plan = find(text)
        return replace(state, plan=plan, data=plan.dataset)
    if name in _SETTINGS:
        return state.changed(**{_SETTINGS[name].attribute: _SETTINGS[name].read(text)})
    return replace(state, **{_PLACES[name].attribute: _PLACES[name].read(text)})


def _written(owner: State | Recipe, usual: State | Recipe, parameters: "dict[str, _Parameter]") -> dict[str, str]:
    """Write those parameters that are not as usual."""
    values = {name: (getattr(owner, one.attribute), getattr(usual, one.attribute)) for name, one in parameters.items()}
    return {name: parameters[name].write(own) for name, (own, other) in values.items() if own != other}


def _chosen(plan: Recipe, base: Recipe) -> list[str]:
    """Name what must be said although it is as in the recipe: saying it keeps the recipe from fitting itself."""
    fits = {"shift": (base.adapts, plan.adapts), "epochs": (base.least_steps, plan.least_steps)}
    return [name for name, (usual, own) in fits.items() if usual and not own]


def _one_of(kind: str, known: Any) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise UnknownNameError(kind, _short(text), known)
        return text

    return read


def _data_set(text: str) -> str:
    name = _one_of("data set", set_names())(text)
    set_facts(name)  # a set that cannot be opened any more is said here
    return name


def _own_set(text: str) -> str:
    if find_own(text) is None:
        raise InputError("there is no such set of images any more")
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise InputError("it must be a whole number")
    return int(text)


def _seed(text: str) -> int:
    if (seed := _whole(text)) >= 2**32:
        raise InputError(f"it must be at most {2**32 - 1}")
    return seed


def _repeats(text: str) -> int:
    if not 1 <= (repeats := _whole(text)) <= MOST_REPEATS:
        raise InputError(f"it must be from 1 to {MOST_REPEATS}")
    return repeats


def _run_name(text: str) -> str:
    if not is_run_name(text):
        raise InputError("no run has such a name")
    return text


def _run_names(text: str) -> tuple[str, str]:
    first, comma, second = text.partition(",")
    if not comma:
        raise InputError("it must be the names of two runs, such as baseline,baseline-2")
    return _run_name(first), _run_name(second)


def _rate(text: str) -> float | None:
    return None if text == "auto" else _number(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError("it must be a number, such as 0.001") from None


def _error(text: str) -> float:
    if (error := _number(text)) not in (*ERRORS, ALL_ANSWERS):
        raise InputError(f"it must be one of {', '.join(map(_write_number, (*ERRORS, ALL_ANSWERS)))}")
    return error


def _write_number(number: float) -> str:
    return repr(number).removesuffix(".0")


def _write_switch(on: bool) -> str:
    return str(int(on))


def _write_widths(widths: Sequence[int]) -> str:
    return "-".join(map(str, widths)) or "0"


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise InputError("it must be 1 or 0")
    return text == "1"


def _widths(text: str) -> tuple[int, ...]:
    return () if text == "0" else tuple(_whole(one) for one in text.split("-"))


def _controls(text: str) -> frozenset[str]:
    return frozenset(_one_of("control", CONTROLS)(one) for one in text.split(",") if one)


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


_SETTINGS = {
    "filters": _Parameter("filters", _widths, _write_widths),
    "layers": _Parameter("hidden", _widths, _write_widths),
    "members": _Parameter("members", _whole, str),
    "activation": _Parameter("activation", str, str),
    "norm": _Parameter("batch_norm", _switch, _write_switch),
    "dropout": _Parameter("dropout", _number, _write_number),
    "optimizer": _Parameter("optimizer", str, str),
    "rate": _Parameter("learning_rate", _rate, lambda rate: "auto" if rate is None else repr(rate)),
    "schedule": _Parameter("schedule", _one_of("schedule", SCHEDULES), str),
    "batch": _Parameter("batch_size", _whole, str),
    "epochs": _Parameter("epochs", _whole, str),
    "scale": _Parameter("scale", _switch, _write_switch),
    "validation": _Parameter("validation", _switch, _write_switch),
    **{name: _Parameter(name, _number, _write_number) for name in LIMITS},
    "flip": _Parameter("flip", _switch, _write_switch),
}
"""What a link changes in its recipe."""

_PLACES = {
    "set": _Parameter("data", _data_set, str),
    "seed": _Parameter("seed", _seed, str),
    "repeats": _Parameter("repeats", _repeats, str),
    "panel": _Parameter("panel", _one_of("panel", PANELS), str),
    "run": _Parameter("run", _run_name, str),
    "view": _Parameter("view", _one_of("view", VIEWS), str),
    "worse": _Parameter("worse", read_level, write_level),
    "lots": _Parameter("lots", _seed, str),
    "error": _Parameter("max_error", _error, _write_number),
    "compare": _Parameter("pair", _run_names, ",".join),
    "own": _Parameter("own", _own_set, str),
    "hide": _Parameter("hide", _controls, lambda controls: ",".join(sorted(controls))),
}
"""What a link says besides."""
