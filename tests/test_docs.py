"""The docs are code: examples run, references are current, imports run down the pipeline."""

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import glassnet
from scripts.write_cli_reference import TARGET, reference

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glassnet"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_first_example_fits_in_eight_lines_and_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = blocks("python")[0]
    assert len(code.strip().splitlines()) <= 8
    exec(compile(code, "README.md", "exec"), {})
    assert "Ankle boot" in capsys.readouterr().out
    assert (tmp_path / "runs/first/model.keras").exists()


def test_commands_of_the_readme_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from glassnet.cli.main import _run

    monkeypatch.chdir(tmp_path)
    lines = [line.split("#")[0].split() for block in blocks("sh") for line in block.splitlines()]
    commands = [words[1:] for words in lines if words and words[0] == "glassnet"]
    commands.remove(["lab"])  # runs until Ctrl-C; test_lab_page.py opens it
    assert len(commands) >= 10
    for words in commands:
        assert _run(words) == 0, (words, capsys.readouterr().err)


def test_cli_reference_is_current() -> None:
    assert TARGET.read_text() == reference(), "run `make docs`"


def modules() -> list[str]:
    names = [module.name for module in pkgutil.walk_packages([str(SOURCE)], "glassnet.")]
    return [name for name in names if "__main__" not in name and ".runners" not in name]


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


def test_public_names_exist_and_are_sorted() -> None:
    assert glassnet.__all__ == sorted(glassnet.__all__, key=lambda name: (name.islower(), name))
    for name in glassnet.__all__:
        assert getattr(glassnet, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        glassnet.tarin  # noqa: B018


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return found


LIBRARY = [
    path
    for path in SOURCE.rglob("*.py")
    if not {"cli", "lab", "runners"} & set(path.parts) and path.name != "__main__.py"
]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(SOURCE)))
def test_library_does_not_import_its_shells_and_never_prints(path: Path) -> None:
    assert not {name for name in imported(path) if name.startswith(("glassnet.cli", "glassnet.lab", "typer", "rich"))}
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


PIPELINE = [
    "errors",
    "datasets",
    "augmentation",
    "recipe",
    "recipes",
    "audit",
    "network",
    "photos",
    "prediction",
    "figures",
    "runs",
    "confidence",
    "evaluation",
    "training",
    "replay",
    "explanation",
    "sharing",
]


@pytest.mark.parametrize("room", PIPELINE)
def test_imports_run_down_the_pipeline(room: str) -> None:
    later = tuple(f"glassnet.{name}" for name in PIPELINE[PIPELINE.index(room) + 1 :])
    files = (SOURCE / room).rglob("*.py") if (SOURCE / room).is_dir() else [SOURCE / f"{room}.py"]
    for path in files:
        tree = ast.parse(path.read_text())
        top = [node.module for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
        assert not [name for name in top if name.startswith(later)], path


def test_only_one_module_imports_keras_and_jax_keras_first() -> None:
    for path in LIBRARY:
        tree = ast.parse(path.read_text())
        names = [one.name for node in tree.body if isinstance(node, ast.Import) for one in node.names]
        assert "keras" not in names or path.name == "_keras.py", path
