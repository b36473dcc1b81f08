"""The benchmark: statistics of made-up runs, tables and files, environments, and real runs on little data."""

import dataclasses
import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import glassnet
from glassnet import Dataset
from glassnet.benchmark import (
    Failure,
    Plan,
    Result,
    Run,
    Skipped,
    environments,
    figure,
    machine,
    measure,
    photo_scores,
    reports,
    rounds,
)
from glassnet.benchmark.environments import Built, Environment
from glassnet.benchmark.networks import NETWORKS
from glassnet.benchmark.peers import PEERS
from glassnet.benchmark.processes import RUNNERS, RunnerError
from glassnet.benchmark.processes import run as run_process
from glassnet.benchmark.records import Machine
from glassnet.benchmark.summaries import Spread, spread, summarize, warm_epoch
from glassnet.benchmark.tables import headings, progress, remarks, rows, to_markdown
from glassnet.cli.bench import bench
from glassnet.errors import InputError, OutputError, UnknownNameError
from tests.conftest import part

SOURCE = str(Path(glassnet.__file__).parents[1])


def made_up(**changes: Any) -> Result:
    """Two rounds of glassnet and PyTorch on one dense network, and one run of PyTorch in bfloat16 on the CNN."""
    result = Result(
        settings=Plan(peers=("glassnet", "torch", "torch-bfloat16"), models=("dense-10", "cnn"), rounds=2).settings(),
        images={"train": 1000, "test": 100},
        machine=Machine("a processor", 2, "Linux", "3.11", 0.1, {"jax": {"float32": 2e9}, "torch": {"float32": 4e9}}),
        versions={"torch": {"torch": "2.13.0+cpu", "numpy": "2.4.6"}},
        runs=(
            Run("torch", "dense-10", 1, 6.0, (9.0, 2.0, 4.0, 2.0), 0.83, 400_000_000),
            Run("glassnet", "dense-10", 1, 2.0, (5.0, 1.0), 0.84, 300_000_000),
            Run("glassnet", "dense-10", 2, 3.0, (5.0, 0.5), 0.85, None),
            Run("torch", "dense-10", 2, 4.0, (9.0, 1.0, 1.0, 7.0), 0.83, 600_000_000),
            Run("torch-bfloat16", "cnn", 1, 70.0, (30.0,), 0.9, None),
        ),
    )
    return dataclasses.replace(result, **changes)


def peaked(flops: float) -> Machine:
    return Machine("a processor", 2, "Linux", "3.11", None, {"jax": {"bfloat16": flops}})


# Statistics


def test_a_spread_is_the_middle_and_the_ends() -> None:
    assert spread([4.0, 1.0, 2.0]) == Spread(2.0, 1.0, 4.0, 3)
    assert spread([1, 2]) == Spread(1.5, 1.0, 2.0, 2)


def test_a_warm_epoch_is_the_median_of_those_after_the_first() -> None:
    run = made_up().runs[0]
    assert warm_epoch(run) == 2.0
    assert warm_epoch(dataclasses.replace(run, epoch_seconds=(1.0,))) is None


def test_summaries_are_medians_over_the_rounds_and_ratios_to_glassnet() -> None:
    own, torch, cnn = summarize(made_up())
    assert (own.peer, torch.peer, cnn.peer) == ("glassnet", "torch", "torch-bfloat16")
    assert torch.cold_seconds == Spread(5.0, 4.0, 6.0, 2)
    assert torch.epoch_seconds == Spread(1.5, 1.0, 2.0, 2)
    assert own.epoch_seconds == Spread(0.75, 0.5, 1.0, 2)
    assert (own.cold_ratio, own.epoch_ratio, torch.cold_ratio, torch.epoch_ratio) == (1.0, 1.0, 2.0, 2.0)
    assert own.peak_bytes == Spread(3e8, 3e8, 3e8, 1)
    assert torch.flops == pytest.approx(1000 * 2 * 2 * 7840 / 1.5)
    assert torch.share_of_peak == pytest.approx(1000 * 2 * 2 * 7840 / 1.5 / 4e9)  # the faster framework's peak
    # One epoch is never warm, nobody measured bfloat16, and glassnet has not run this network.
    assert (cnn.epoch_seconds, cnn.flops, cnn.share_of_peak, cnn.cold_ratio) == (None, None, None, None)


def test_flops_agree_with_the_parameters_and_with_a_count_by_hand() -> None:
    assert NETWORKS["dense-128"].training_flops == 2 * (2 * 784 * 128 + 3 * 128 * 10)
    first, second = 28 * 28 * 9 * 32, 14 * 14 * 9 * 32 * 64
    dense = 7 * 7 * 64 * 128 + 128 * 10
    assert NETWORKS["cnn"].training_flops == 2 * (2 * first + 3 * second + 3 * dense)


# Tables and files


def test_a_row_has_median_range_ratio_and_accuracy() -> None:
    own, torch = rows(summarize(made_up()), "dense-10")
    assert len(own) == len(headings("dense-10")) == 7
    assert torch == (
        "PyTorch by hand", "5.00 (4.00–6.00)", "2.00", "1.50 (1.00–2.00)", "2.00", "83.00 (83.00–83.00)",
        "500 (400–600)",
    )  # fmt: skip
    assert rows(summarize(made_up()), "cnn") == [
        ("PyTorch by hand, bfloat16", "70.0", "–", "–", "–", "90.00", "–", "–", "–")
    ]
    faster = dataclasses.replace(made_up().runs[-1], epoch_seconds=(30.0, 0.5))
    speed = NETWORKS["cnn"].training_flops * 1000 / 0.5
    (row,) = rows(summarize(made_up(runs=(faster,), machine=peaked(2 * speed))), "cnn")
    assert row[-2:] == (f"{speed / 1e9:.1f}", "50.0")


def test_the_markdown_has_a_table_for_each_network_and_names_who_is_missing() -> None:
    missing = {
        "skipped": (Skipped("keras-torch", "no matching distribution"),),
        "failures": (Failure("torch", "cnn", 2, "MemoryError: too | large"),),
    }
    text = to_markdown(made_up(**missing))
    assert "## dense-10: Dense(10); Adam, batch 32, 5 epochs, 1,000 training and 100 test images, 2 rounds" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len(tables) == 2 * 2 + 3
    assert [line.replace("\\|", "").count("|") for line in tables] == [8, 8, 8, 8, 10, 10, 10]
    assert "- Keras on PyTorch is left out: no matching distribution" in text
    assert "- PyTorch by hand failed on cnn in round 2: MemoryError" in text
    assert "torch 2.13.0+cpu" in text


def test_progress_is_one_line() -> None:
    assert progress(made_up().runs[1]) == "  2.00 s cold, 1.00 s a warm epoch, test accuracy 84.00 %"
    assert progress("round 1") == "round 1"
    assert "before the first round: no" in progress(Failure("torch", "cnn", 0, "no"))


def test_the_folder_has_results_table_and_figure(tmp_path: Path) -> None:
    written = reports.save(made_up(), tmp_path / "new")
    assert sorted(path.name for path in written) == sorted(path.name for path in (tmp_path / "new").iterdir())
    document = json.loads((tmp_path / "new" / "results.json").read_text())
    assert document["runs"][0]["epoch_seconds"] == [9.0, 2.0, 4.0, 2.0]
    assert document["summaries"][1]["cold_ratio"] == 2.0
    assert document["machine"]["cores"] == 2
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")
    first = (tmp_path / "new" / "figure.svg").read_bytes()
    reports.save(made_up(), tmp_path / "new")
    assert (tmp_path / "new" / "figure.svg").read_bytes() == first
    assert figure.draw(made_up(runs=())).axes == []


def test_a_place_that_cannot_be_written_is_known_before_the_measurement(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        reports.check_writable(tmp_path / "file")
    with pytest.raises(OutputError, match="--environments"):
        measure(Plan(environments=tmp_path / "file"), dataset=None)


# Plans


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'keras-torch'"):
        Plan(peers=("keras-torhc",))
    with pytest.raises(UnknownNameError, match="known: dense-10, dense-32, dense-128, cnn"):
        Plan(models=("resnet",))
    with pytest.raises(InputError, match="rounds is 0"):
        Plan(rounds=0)
    with pytest.raises(
        InputError, match="sklearn cannot train dense-10, cnn; choose a model among dense-128, dense-32"
    ):
        Plan(peers=("sklearn",), models=("dense-10", "cnn"))


def test_a_plan_without_names_has_all_of_them_once() -> None:
    assert Plan().peers == tuple(PEERS)
    assert Plan(models=("cnn", "dense-10", "cnn")).models == ("dense-10", "cnn")
    assert [peer.name for peer in Plan(peers=("sklearn", "glassnet")).peers_of(NETWORKS["dense-10"])] == ["glassnet"]
    assert Plan().epochs_of(NETWORKS["cnn"]) == 3
    assert Plan(epochs=7).epochs_of(NETWORKS["cnn"]) == 7


def test_every_round_has_every_peer_once_and_begins_with_the_next() -> None:
    peers = [PEERS[name] for name in ("glassnet", "torch", "sklearn")]
    order = [(peer.name, number) for peer, number in rounds.schedule(peers, 2)]
    assert order[:3] == [("glassnet", 0), ("torch", 0), ("sklearn", 0)]
    assert order[3:] == [
        ("torch", 1), ("sklearn", 1), ("glassnet", 1), ("sklearn", 2), ("glassnet", 2), ("torch", 2),
    ]  # fmt: skip
    assert not list(rounds.schedule([], 2))


def test_every_peer_has_a_runner_and_an_environment() -> None:
    for peer in PEERS.values():
        assert (RUNNERS / peer.runner).is_file()
        assert peer.environment in environments.NAMES


# Environments


def test_the_environment_of_glassnet_has_what_glassnet_depends_on() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    names = {requirement.split(">")[0].split(";")[0].split("[")[0].strip() for requirement in project["dependencies"]}
    assert names == set(environments.OWN_REQUIREMENTS)


def test_every_environment_pins_what_it_is_about() -> None:
    for name in environments.NAMES:
        requirements = environments.find(name).requirements
        assert all("==" in line for line in requirements if line != "numpy"), name
    with pytest.raises(UnknownNameError):
        environments.find("conda")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An environment without packages."""
    return environments.build(Environment("empty", ()), tmp_path_factory.mktemp("environments"))


def test_an_environment_is_built_once(empty: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    root = empty.python.parents[2]
    assert empty.versions == {}
    assert [path.name for path in root.iterdir()] == ["empty"]
    commands: list[list[str]] = []
    monkeypatch.setattr(environments, "_command", lambda environment, command: commands.append(command) or "[]")
    assert environments.build(Environment("empty", ()), root) == empty
    assert commands == []


def test_other_pins_and_damaged_markers_build_anew(
    empty: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(environments, "_command", lambda environment, command: commands.append(command) or "[]")
    shutil.copytree(empty.python.parents[1], tmp_path / "empty", symlinks=True)
    environments.build(Environment("empty", ("numpy==2.4.6",)), tmp_path)
    assert [command[-1] for command in commands][1:] == ["numpy==2.4.6", "json"]
    for text in ("", "{", "[]", '{"installed": 3}'):
        commands.clear()
        (tmp_path / "empty" / environments.MARKER).write_text(text)
        environments.build(Environment("empty", ()), tmp_path)
        assert len(commands) == 1


def test_an_environment_that_cannot_be_built_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def command(environment: Environment, words: list[str]) -> str:
        asked.append(" ".join(words))
        if "install" not in words:
            return "[]"
        raise InputError("ERROR: no matching distribution")

    monkeypatch.setattr(environments, "_command", command)
    with pytest.raises(InputError, match="no matching distribution"):
        environments.build(Environment("torch", ("torch==0",), "https://example.invalid"), tmp_path)
    assert not list(tmp_path.iterdir())
    assert "--extra-index-url" not in asked[1]
    assert "--extra-index-url https://example.invalid torch==0" in asked[2]


def test_what_pip_says_is_one_line() -> None:
    words = [sys.executable, "-c", "import sys; print('a\\nERROR: the reason\\nb', file=sys.stderr); sys.exit(1)"]
    with pytest.raises(InputError, match="^the environment torch cannot be built: ERROR: the reason$"):
        environments._command(Environment("torch", ()), words)


# Processes


def script(folder: Path, text: str) -> Path:
    path = folder / "runner.py"
    path.write_text(text)
    return path


def run_script(folder: Path, text: str, **options: Any) -> Any:
    options = {"variables": {}, "scratch": folder} | options
    return run_process(Path(sys.executable), script(folder, text), {"one": 1}, **options)


def test_a_run_is_timed_to_its_answer_in_a_clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    done = run_script(
        tmp_path,
        "import json, os, sys, time\n"
        "print('chatter')\n"
        "names = [n for n in ('OMP_NUM_THREADS', 'KERAS_BACKEND', 'MINE') if n in os.environ]\n"
        "print(json.dumps({'job': json.loads(sys.argv[1]), 'names': names}), flush=True)\n"
        "time.sleep(4)\n",
        variables={"MINE": "yes"},
    )
    assert done.answer == {"job": {"one": 1}, "names": ["MINE"]}
    assert 0 < done.seconds < 4  # until the answer, not until the end


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_the_peak_is_the_runner_s_own(tmp_path: Path) -> None:
    here = np.ones(
        60_000_000, np.uint8
    )  # seen failing without the small launcher: a child began with this process's size
    small = run_script(tmp_path, "print('{}')")
    large = run_script(tmp_path, "a = bytearray(b'1') * 100_000_000; print('{}')")
    assert small.peak_bytes < 40_000_000 < here.nbytes
    assert large.peak_bytes > 100_000_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit(3)", "ended with status 3 and without a result"),
        ("print('nothing')", "ended with status 0 and without a result"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9 (out of memory?)"),
        ("import time; time.sleep(9)", "stopped after 0.5 seconds"),
    ],
)
def test_a_failing_run_says_why_on_one_line(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as caught:
        run_script(tmp_path, text, timeout=0.5 if "sleep" in text else 30.0)
    assert str(caught.value) == reason


def test_peaks_are_measured_where_a_framework_is(empty: Built, tmp_path: Path) -> None:
    here = Built("glassnet", Path(sys.executable), {})
    found = machine.peaks({"glassnet": here, "torch": empty}, tmp_path, sizes=(32, 64), seconds=0.01)
    assert set(found) == {"jax"}
    assert min(found["jax"].values()) > 0


# The whole, on little data


@pytest.fixture
def built(empty: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """Glassnet's environment is this one, scikit-learn's has nothing in it, PyTorch's cannot be built."""
    known = {"glassnet": Built("glassnet", Path(sys.executable), {"keras": "3"}), "sklearn": empty}

    def build(environment: Environment, root: Path) -> Built:
        if environment.name not in known:
            raise InputError(f"the environment {environment.name} cannot be built: no network")
        return known[environment.name]

    monkeypatch.setattr(environments, "build", build)
    monkeypatch.setattr(machine, "peaks", lambda built, scratch: {"jax": {"float32": 1e12}})


@pytest.mark.usefixtures("built")
def test_a_benchmark_from_end_to_end(fashion: Dataset, tmp_path: Path) -> None:
    events: list[Any] = []
    plan = Plan(peers=("glassnet", "torch", "sklearn"), models=("dense-32",), rounds=1, epochs=2, environments=tmp_path)
    result = measure(plan, dataset=part(fashion, train=640, test=200), on_event=events.append)
    (run,) = result.runs
    assert (run.peer, run.model, run.round) == ("glassnet", "dense-32", 1)
    assert run.accuracy > 0.3
    assert len(run.epoch_seconds) == 2
    assert sum(run.epoch_seconds) < run.cold_seconds
    assert result.skipped == (Skipped("torch", "the environment torch cannot be built: no network"),)
    (failure,) = result.failures
    assert (failure.peer, failure.round) == ("sklearn", 0)
    assert failure.reason == "ModuleNotFoundError: No module named 'numpy'"
    assert [event for event in events if not isinstance(event, str)] == [*result.skipped, failure, run]
    assert any("scikit-learn MLPClassifier failed on dense-32" in line for line in remarks(result))
    assert summarize(result)[0].share_of_peak is not None


def test_the_runner_of_glassnet_trains_the_convolutional_network(fashion: Dataset, tmp_path: Path) -> None:
    data = part(fashion, train=64, test=32)
    arrays = {f"{split.name}_images": split.images for split in (data.train, data.test)}
    arrays |= {f"{split.name}_labels": split.labels for split in (data.train, data.test)}
    np.savez(tmp_path / "data.npz", **arrays)  # pyright: ignore[reportArgumentType]
    job = {
        "data": str(tmp_path / "data.npz"), "hidden": (), "filters": (2,), "batch_size": 32, "epochs": 1,
        "test_batch_size": 32, "seed": 1, "steps_per_execution": 1, "precision": "float32",
    }  # fmt: skip
    variables = {"PYTHONPATH": SOURCE, "KERAS_HOME": str(tmp_path)}
    python = Path(sys.executable)
    done = run_process(python, RUNNERS / "run_glassnet.py", job, variables=variables, scratch=tmp_path)
    assert 0 <= done.answer["accuracy"] <= 1
    assert len(done.answer["epoch_seconds"]) == 1


# The command


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """`glassnet bench` by itself, with a measurement that took place already."""
    monkeypatch.setattr("glassnet.cli.output.console.width", 200)  # wherever the tests run, tables do not wrap
    monkeypatch.setattr("glassnet.benchmark.measure", lambda plan, on_event: made_up(settings=plan.settings()))
    app = typer.Typer()
    app.command()(bench)
    return app


def test_the_command_prints_tables_and_writes_the_folder(
    app: typer.Typer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    out = tmp_path / "results"
    assert app(["--rounds", "2", "--out", str(out)], standalone_mode=False) == 0
    said = capsys.readouterr().out
    assert "PyTorch by hand" in said
    assert "5.00 (4.00–6.00)" in said
    assert f"written: {out / 'results.json'}" in said
    assert len(list(out.iterdir())) == 4


def test_the_command_prints_one_json_document(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--peer", "glassnet", "--peer", "torch", "--model", "dense-10", "--epochs", "1", "--json"]
    assert app(arguments, standalone_mode=False) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["settings"]["peers"] == ["glassnet", "torch"]
    assert document["settings"]["epochs"] == {"dense-10": 1}
    assert said.err == ""


def test_the_command_refuses_unknown_peers(app: typer.Typer) -> None:
    with pytest.raises(UnknownNameError, match="no peer named 'tensorflow'"):
        app(["--peer", "tensorflow"], standalone_mode=False)


def test_photos_are_made_of_what_is_light_on_dark_and_not_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = part(glassnet.load("mnist"), 1000, 40)
    inverted = [glassnet.Split(one.name, 255 - one.images, one.labels) for one in (digits.train, digits.test)]
    inverted[1].images[3] = 255
    run = glassnet.train("baseline", Dataset("dark-on-light", digits.classes, *inverted), epochs=1)
    seen: list[np.ndarray] = []

    def render(kind: str, style: str, image: np.ndarray, seed: int) -> np.ndarray:
        seen.append(image)
        return np.repeat(image[..., None], 3, axis=-1)

    monkeypatch.setattr(photo_scores, "render", render)
    with pytest.raises(InputError, match="from 1 to 39"):
        photo_scores.score_photos(run, count=40)
    photo_scores.score_photos(run, count=39, styles=["pen"])
    originals = {one.tobytes() for one in np.delete(digits.test.images, 3, axis=0)}
    assert {one.tobytes() for one in seen} == originals


def test_the_load_of_the_machine_is_read_before_environments_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(machine, "describe", lambda: order.append("describe") or made_up().machine)
    monkeypatch.setattr(rounds, "_build", lambda plan, tell: order.append("build") or ({}, ()))
    monkeypatch.setattr(rounds, "_Bench", lambda *arguments: None)
    measure(Plan(peers=("glassnet",), models=("dense-10",), rounds=1))
    assert order == ["describe", "build"]
