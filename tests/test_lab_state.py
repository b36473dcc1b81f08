"""A tab's state, its link and its command line."""

import math
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassnet import recipes
from glassnet.augmentation import LIMITS
from glassnet.datasets import EMBEDDED
from glassnet.errors import InputError
from glassnet.evaluation.robustness import CORRUPTIONS
from glassnet.lab import answers, sets
from glassnet.lab.levels import levels_of, read_level, untouched, write_level
from glassnet.lab.links import from_query, to_command, to_query
from glassnet.lab.looks import loaded
from glassnet.lab.pages.frame import BUILDERS
from glassnet.lab.pages.results import TITLES
from glassnet.lab.parts.knobs import say_fitted
from glassnet.lab.sets import set_facts
from glassnet.lab.state import (
    ALL_ANSWERS,
    CONTROLS,
    ERRORS,
    MOST_EPOCHS,
    MOST_FILTERS,
    MOST_LAYERS,
    MOST_REPEATS,
    MOST_WIDTH,
    PANELS,
    VIEWS,
    State,
    is_run_name,
)  # fmt: skip
from glassnet.training.runner import _fitted
from tests.test_lab_intake import write_folder

NAMES = {
    *("set", "recipe", "layers", "activation", "optimizer", "rate", "batch"),
    *("epochs", "seed", "scale", "validation", "panel", "run", "hide"),
    *("view", "worse", "lots", "repeats", "compare", "error"),
    *("filters", "norm", "dropout", "schedule", "shift", "rotate", "zoom", "elastic", "erase", "flip"),
}
LEVELS = [(name, level) for name in CORRUPTIONS for level in levels_of(name)]

PARTS = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(list(recipes.RECIPES)),
        "data": st.sampled_from(list(EMBEDDED)),
        "seed": st.integers(0, 2**32 - 1),
        "repeats": st.integers(1, MOST_REPEATS),
        "panel": st.sampled_from(list(PANELS)),
        "run": st.sampled_from(["", "baseline", "my-run_2.b"]),
        "view": st.sampled_from(VIEWS),
        "worse": st.sampled_from(LEVELS),
        "lots": st.integers(0, 2**32 - 1),
        "pair": st.sampled_from([("", ""), ("baseline", "my-run_2.b")]),
        "hide": st.frozensets(st.sampled_from(CONTROLS)),
        "max_error": st.sampled_from([*ERRORS, ALL_ANSWERS]),
    }
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "hidden": st.lists(st.integers(1, MOST_WIDTH), max_size=MOST_LAYERS),
        "filters": st.lists(st.integers(1, MOST_FILTERS), max_size=MOST_LAYERS),
        "activation": st.sampled_from(recipes.ACTIVATIONS),
        "batch_norm": st.booleans(),
        "dropout": st.floats(0, 0.99),
        "schedule": st.sampled_from(recipes.SCHEDULES),
        "flip": st.booleans(),
        **{name: st.floats(0, most) for name, (most, _) in LIMITS.items()},
        "optimizer": st.sampled_from(recipes.OPTIMIZERS),
        "learning_rate": st.none() | st.floats(1e-9, 1e3),
        "batch_size": st.integers(1, 60_000),
        "epochs": st.integers(1, MOST_EPOCHS),
        "scale": st.booleans(),
        "validation": st.booleans(),
    },
)


def made(parts: dict[str, Any], settings: dict[str, Any]) -> State:
    known: dict[str, Any] = parts | {"plan": recipes.find(parts["plan"])}
    return State(**known).changed(**settings)


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
        ("view", "all"),
        ("worse", "fog:3"),
        ("worse", "noise"),
        ("worse", "noise:nan"),
        ("lots", "-1"),
        ("repeats", "6"),
        ("repeats", "0"),
        ("filters", "16-x"),
        ("dropout", "1"),
        ("schedule", "up"),
        ("rotate", "181"),
        ("flip", "2"),
        ("compare", "baseline"),
        ("compare", "baseline,../x"),
        ("error", "0.03"),
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
    """What the command line makes of the command is trained with every setting that the lab trains the state with."""
    check_command(made(parts, changes))


@pytest.mark.parametrize("settings", [{"learning_rate": None}, {"filters": ()}, {"filters": (), "hidden": (32,)}])
@pytest.mark.parametrize("name", ["cnn", "tiny", "strong", "record"])
def test_the_command_trains_the_same_without_what_the_recipe_has(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """A recipe without it neither adapts nor fits itself, so the command says what this one does on these images."""
    state = State(plan=recipes.find(name), data="mnist").changed(**settings)
    assert ("--zoom" in to_command(state)) == recipes.find(name).adapts
    check_command(state)
    few = replace(state, data=str(write_folder(tmp_path / "few", 40)))
    assert few.plan_to_train.batch_size < state.plan_to_train.batch_size
    check_command(few)
    check_command(few.changed(epochs=3))


def test_small_sets_are_shown_as_they_are_trained(tmp_path: Path) -> None:
    """A batch is never larger than the set: in the command, in the program, and beside the knobs."""
    data = str(write_folder(tmp_path / "few"))
    images = set_facts(data).train
    assert images < 32
    walkthrough = State(data=data)
    assert to_command(walkthrough).endswith(f"--batch-size {images}")
    check_command(walkthrough)
    assert say_fitted(walkthrough) == f"With {images} training images, it trains 5 epochs in batches of {images}."
    assert say_fitted(State()) == ""
    fitted = State(plan=recipes.find("instant"), data=data).plan_to_train
    steps = math.ceil(images / fitted.batch_size) * fitted.epochs
    code = answers.draft_code(fitted, data, 0)
    assert f"epochs={fitted.epochs}" in code and f"batch_size={fitted.batch_size}" in code
    assert f" {steps - steps // 5}," in code  # what the schedule falls over


def test_sets_of_the_same_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "_admitted", {})
    paths = [write_folder(tmp_path / parent / "shapes", 4 + len(parent)) for parent in ("one", "other")]
    for path in paths:
        sets.admit(path)
    titles = sets.set_titles("mnist")
    assert titles["mnist"] == "MNIST"
    assert [titles[str(path)] for path in paths] == [f"shapes ({path})" for path in paths]
    facts, data = set_facts(str(paths[0])), loaded(str(paths[0]))
    assert data.validation is not None
    assert (facts.train, facts.validation, facts.test) == tuple(map(len, (data.train, data.validation, data.test)))


def check_command(state: State) -> None:
    words = shlex.split(to_command(state))
    assert words[:2] == ["glassnet", "train"]
    plan, rest = recipes.find(words[2]), words[3:]
    settings: dict[str, Any] = {}
    data, seed = plan.dataset, 0
    lists: dict[str, list[int]] = {"--hidden": [], "--filters": []}
    while rest:
        word = rest.pop(0)
        switch = word.removeprefix("--no-").removeprefix("--").replace("-", "_")
        if switch in ("scale", "validation", "principal", "batch_norm", "flip", "mirrored"):
            settings[switch] = not word.startswith("--no-")
            continue
        value = rest.pop(0)
        if word == "--data":
            data = value
        elif word == "--seed":
            seed = int(value)
        elif word in lists:
            lists[word].append(int(value))
        else:
            name = word.removeprefix("--").replace("-", "_")
            texts = ("optimizer", "activation", "schedule")
            whole = ("epochs", "batch_size", "depth", "members")
            settings[name] = value if name in texts else int(value) if name in whole else float(value)
    settings |= {word.removeprefix("--"): widths for word, widths in lists.items() if widths}
    trained = _fitted(plan.changed(**settings), loaded(data))
    assert trained.settings() == state.plan_to_train.settings()
    assert (data, seed) == (state.data, state.seed)


def test_too_much_for_the_lab_is_refused() -> None:
    with pytest.raises(InputError, match="at most 200"):
        State().changed(epochs=201)
    with pytest.raises(InputError, match="at most 6"):
        State().changed(hidden=[1] * 7)
    with pytest.raises(InputError, match="7 convolutional blocks"):
        State().changed(filters=[1] * 7)
    with pytest.raises(InputError, match="at most 256"):
        State().changed(filters=[257])


def test_a_new_tab_has_no_link_and_a_full_one_a_short_one() -> None:
    assert to_query(State()) == ""
    assert to_query(State(panel="results", view="worse", worse=("rotation", 30.0), lots=3, repeats=2)) == (
        "repeats=2&panel=results&view=worse&worse=rotation:30&lots=3"
    )
    assert to_query(State(panel="experiments", pair=("a", "b"))) == "panel=experiments&compare=a,b"


@pytest.mark.parametrize("level", LEVELS)
def test_levels_survive_a_link(level: tuple[str, float]) -> None:
    assert read_level(write_level(level)) == level


def test_a_level_in_between_becomes_the_nearest() -> None:
    assert read_level("rotation:31.2") == ("rotation", 32.0)
    assert read_level("noise:1e9") == ("noise", 100.0)
    for name, one in CORRUPTIONS.items():
        assert untouched(name)[1] == one.untouched in levels_of(name)


def test_every_panel_and_view_that_a_link_knows_is_built() -> None:
    assert list(BUILDERS) == list(PANELS)
    assert tuple(TITLES) == VIEWS
