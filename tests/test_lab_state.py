"""A tab's state, its link and its command line."""

import shlex
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet import recipes
from glassnet.datasets import EMBEDDED
from glassnet.errors import InputError
from glassnet.lab.state import (
    CONTROLS,
    MOST_EPOCHS,
    MOST_LAYERS,
    MOST_WIDTH,
    PANELS,
    State,
    from_query,
    is_run_name,
    to_command,
    to_query,
)  # fmt: skip

NAMES = {
    *("set", "recipe", "layers", "activation", "optimizer", "rate", "batch"),
    *("epochs", "seed", "scale", "validation", "panel", "run", "hide"),
}

PARTS = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(list(recipes.RECIPES)),
        "data": st.sampled_from(list(EMBEDDED)),
        "seed": st.integers(0, 2**32 - 1),
        "panel": st.sampled_from(PANELS),
        "run": st.sampled_from(["", "baseline", "my-run_2.b"]),
        "hide": st.frozensets(st.sampled_from(CONTROLS)),
    }
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.lists(st.integers(1, MOST_WIDTH), max_size=MOST_LAYERS),
        "activation": st.sampled_from(recipes.ACTIVATIONS),
        "optimizer": st.sampled_from(recipes.OPTIMIZERS),
        "learning_rate": st.none() | st.floats(1e-9, 1e3),
        "batch_size": st.integers(1, 60_000),
        "epochs": st.integers(1, MOST_EPOCHS),
        "scale": st.booleans(),
        "validation": st.booleans(),
    },
)


def made(parts: dict[str, Any], settings: dict[str, Any]) -> State:
    return State(**parts | {"plan": recipes.find(parts["plan"])}).changed(**settings)


@given(PARTS, SETTINGS)
def test_a_link_restores_the_state(parts: dict[str, Any], settings: dict[str, Any]) -> None:
    state = made(parts, settings)
    query = parse_qsl(to_query(state), keep_blank_values=True)
    assert from_query(dict(query)) == (state, [])


@given(st.dictionaries(st.sampled_from(["epochs", "layers", "rate", "recipe", "x"]) | st.text(), st.text()))
def test_nonsense_never_fails_and_is_told(query: dict[str, str]) -> None:
    state, notes = from_query(query)
    assert isinstance(state, State)
    restored = dict(parse_qsl(to_query(state), keep_blank_values=True))
    assert from_query(restored) == (state, [])
    if not set(query) & NAMES:
        assert bool(notes) == bool(query)
    assert all(len(note) < 400 for note in notes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", "0"),
        ("epochs", "201"),
        ("epochs", "²"),
        ("layers", "100000"),
        ("layers", "1-2-3-4-5-6-7"),
        ("rate", "nan"),
        ("rate", "-1"),
        ("batch", "60001"),
        ("seed", "4294967296"),
        ("scale", "yes"),
        ("set", "cifar"),
        ("recipe", "basline"),
        ("panel", "admin"),
        ("run", "../../etc"),
        ("run", ".hidden"),
        ("hide", "everything"),
    ],
)
def test_what_cannot_be_is_ignored_with_a_word(name: str, text: str) -> None:
    state, notes = from_query({name: text, "panel": "network"} if name != "panel" else {name: text})
    assert len(notes) == 1
    assert notes[0].startswith(f"{name}={text} is ignored: ")
    assert state == State(panel="network" if name != "panel" else "data")


def test_notes_are_few() -> None:
    _, notes = from_query({f"x{k}": "1" for k in range(5000)})
    assert len(notes) == 6
    assert notes[-1] == "and 4995 more"


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "a b", "a\\b", "a\0b", "x" * 81, "~root", "C:x"])
def test_run_names_cannot_lead_elsewhere(name: str) -> None:
    assert not is_run_name(name)


@given(PARTS, SETTINGS)
def test_the_command_trains_the_same(parts: dict[str, Any], changes: dict[str, Any]) -> None:
    """What the command line makes of the command has every setting of the state."""
    state = made(parts, changes)
    words = shlex.split(to_command(state))
    assert words[:2] == ["glassnet", "train"]
    plan, rest = recipes.find(words[2]), words[3:]
    settings: dict[str, Any] = {}
    data, seed, hidden = plan.dataset, 0, []
    while rest:
        word = rest.pop(0)
        if word in ("--scale", "--no-scale", "--validation", "--no-validation"):
            settings[word.removeprefix("--no-").removeprefix("--")] = not word.startswith("--no-")
            continue
        value = rest.pop(0)
        if word == "--data":
            data = value
        elif word == "--seed":
            seed = int(value)
        elif word == "--hidden":
            hidden.append(int(value))
        else:
            name = word.removeprefix("--").replace("-", "_")
            kinds = {"epochs": int, "batch_size": int, "learning_rate": float}
            settings[name] = kinds.get(name, str)(value)
    if hidden:
        settings["hidden"] = hidden
    assert plan.changed(**settings).settings() == state.plan.settings()
    assert (data, seed) == (state.data, state.seed)


def test_too_much_for_the_lab_is_refused() -> None:
    with pytest.raises(InputError, match="at most 200"):
        State().changed(epochs=201)
    with pytest.raises(InputError, match="at most 6"):
        State().changed(hidden=[1] * 7)
