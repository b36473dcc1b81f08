"""What several suites share: a small data set, a run on disk, and the command line inside this process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jaxtyping
import pytest

import glassnet
from glassnet import Dataset, Run, Split, recipes
from glassnet.cli import main as cli
from tests.browser import browser  # noqa: F401  (a fixture, one for all suites)


def part(data: Dataset, train: int, test: int) -> Dataset:
    """The first images of a data set, under another name."""
    return Dataset(
        name="a-few",
        classes=data.classes,
        train=Split("train", data.train.images[:train], data.train.labels[:train]),
        test=Split("test", data.test.images[:test], data.test.labels[:test]),
    )


RECIPES = [name for name, recipe in recipes.RECIPES.items() if not recipe.filters or name == "cnn"]
"""The recipes that are built differently; the others are wider or deeper ones of `cnn`, and cost minutes."""


@pytest.fixture(scope="session")
def fashion() -> Dataset:
    return glassnet.load("fashion-mnist")


@pytest.fixture(scope="session")
def few(fashion: Dataset) -> Dataset:
    return part(fashion, train=2000, test=500)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The baseline, trained for an epoch on all of Fashion-MNIST, saved."""
    return glassnet.train("baseline", epochs=1, out=tmp_path_factory.mktemp("runs") / "baseline")


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Call `glassnet` with arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        code = cli._run([str(argument) for argument in arguments])
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Types are not checked at run time, as for users: what they get instead is glassnet's own errors."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
