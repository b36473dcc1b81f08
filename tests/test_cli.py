"""The command line as a person uses it: every command, its JSON, its mistakes, its speed to help."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import glassnet
from glassnet import Dataset, Run
from glassnet.cli.output import print_json
from tests.conftest import Said

Command = Callable[..., Said]
GLASSNET = [sys.executable, "-m", "glassnet"]


def test_datasets(command: Command) -> None:
    said = command("datasets", "--json")
    assert said.code == 0
    assert [row["name"] for row in said.json][:3] == ["fashion-mnist", "mnist", "emnist-letters"]
    assert [row["kind"] for row in said.json][:3] == ["embedded", "embedded", "download"]
    assert said.json[1]["classes"] == list("0123456789")
    assert said.json[0]["sha256"] == glassnet.load("fashion-mnist").sha256
    assert "CC BY-SA 3.0" in command("datasets").out


def test_look(command: Command) -> None:
    said = command("look", "fashion-mnist", "--index", 42, "--out", "look.svg")
    assert "Ankle boot" in said.out
    rows = [line for line in said.out.splitlines() if re.fullmatch(r"( +\d+){28}", line)]
    image = glassnet.load("fashion-mnist").train.images[42]
    assert [[int(value) for value in row.split()] for row in rows] == image.tolist()
    assert any("█" in line for line in said.out.splitlines())
    assert Path("look.svg").read_text().startswith("<?xml")
    found = command("look", "mnist", "--split", "test", "--json").json
    assert (found["label"], found["index"], found["split"], found["dtype"]) == (7, 0, "test", "uint8")
    assert found["pixels"] == glassnet.load("mnist").test.images[0].tolist()
    assert len(command("look", "mnist", "--grid", "--json").json) == 25


def test_recipes(command: Command) -> None:
    rows = {row["name"]: row for row in command("recipes", "--json").json}
    assert len(rows) >= 5
    assert rows["baseline"]["parameters"] == 7850
    assert rows["digits-128"]["expected_test_accuracy"]["mnist"] == [0.973, 0.978]
    assert rows["digits-128"]["seconds"]["mnist"] > 0
    said = command("recipes")
    assert all(name in said.out for name in rows)


def test_summary(command: Command, run: Run) -> None:
    assert "784 × 10 + 10 = 7,850" in command("summary", "baseline", "--out", "model.svg").out
    assert "7,850 parameters" in Path("model.svg").read_text()
    assert command("summary", run.path, "--json").json["parameters"] == 7850
    assert command("summary", "baseline", "--hidden", 3, "--json").json["layers"][2]["output_shape"] == [3]


def test_train_json_is_the_passport(command: Command) -> None:
    said = command("train", "raw-neurons", "--epochs", 1, "--batch-size", 600, "--seed", 5, "--out", "a/b", "--json")
    assert said.code == 0 and said.err.startswith("warning the pixels go in as 0 to 255") and said.err.count("\n") == 1
    passport = said.json
    fields = {
        "run", "recipe", "dataset", "dataset_sha256", "classes", "parameters", "epochs", "batch_size", "seed", "device",
        "history", "train_accuracy", "test_loss", "test_accuracy", "seconds", "versions",
    }  # fmt: skip
    assert fields <= set(passport)
    assert set(passport["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert set(passport["seconds"]) == {"import", "load", "compile", "train", "evaluate", "total"}
    assert (passport["run"], passport["seed"], passport["batch_size"]) == ("a/b", 5, 600)
    assert passport["test_accuracy"] == pytest.approx(passport["history"]["val_accuracy"][0])
    assert glassnet.open_run("a/b").passport.test_loss == passport["test_loss"]


def test_train_evaluate_predict_show(command: Command) -> None:
    said = command("train", "digits-32", "--epochs", 1, "--hidden", 16, "--hidden", 8, "--validation")
    assert said.code == 0
    assert "test accuracy" in said.out
    assert "runs/digits-32" in said.out
    command("train", "digits-32", "--epochs", 1, "--batch-size", 6000, "--no-scale")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["digits-32", "digits-32-2"]

    scores = command("evaluate", "runs/digits-32", "--json").json
    passport = command("show", "runs/digits-32", "--json").json
    assert scores["accuracy"] == passport["test_accuracy"]
    assert sum(map(sum, scores["confusion"])) == scores["n"] == 10_000
    assert command("evaluate", "runs/digits-32", "--split", "train", "--json").json["n"] == 60_000
    assert passport["settings"]["hidden"] == [16, 8]

    answers = command("predict", "runs/digits-32", "--index", 0, "--index", 7, "--top", 2, "--out", "p.png", "--json")
    assert [answer["true_label"] for answer in answers.json] == ["7", "9"]
    assert set(answers.json[0]) == {"source", "label", "probability", "top", "true_label"}
    assert len(answers.json[0]["top"]) == 2
    assert Path("p.png").stat().st_size > 5000
    (answer,) = command("predict", "runs/digits-32", "p.png", "--json").json
    assert "true_label" not in answer

    shown = command("show", "runs/digits-32", "--out", "c.png")
    assert "accuracy" in shown.out
    assert Path("c.png").exists()


def test_show_tells_of_a_learning_rate_that_was_changed(command: Command, run: Run) -> None:
    assert run.path and "as it was set" not in command("show", run.path).out
    passport = run.passport.model_copy(update={"learning_rates": ((0, 0.001), (1500, 0.01))})
    Path("steered").mkdir()
    Path("steered/run.json").write_text(passport.model_dump_json(by_alias=True))
    assert "0.001, 0.01 after 1,500 batches" in command("show", "steered").out


def test_names_are_printed_as_they_are(command: Command, run: Run, fashion: Dataset) -> None:
    Image.fromarray(fashion.test.images[0]).save("my [red] :heart: photo [edited].png")
    assert command("predict", run.path, "my [red] :heart: photo [edited].png").out.startswith(
        "my [red] :heart: photo [edited].png: "
    )
    Path("[old]").symlink_to(run.path)
    for verb in ("evaluate", "show", "summary"):
        assert command(verb, "[old]").out.startswith("[old]")
    compared = command("compare", "[old]", "[old]").out
    assert compared.count("[old]") == 2


def test_an_answer_alone_promises_no_other(command: Command, run: Run) -> None:
    assert "then" not in command("predict", run.path, "--index", 0, "--top", 1).out


def test_a_comparison_is_printed_even_where_there_is_nothing_to_draw(command: Command, run: Run) -> None:
    said = command("compare", run.path, run.path, "--out", "same.png")
    assert said.out.startswith("On the 10,000 test images") and said.code == 2


def test_json_holds_every_character_wherever_it_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("cp1252", "utf-8"):
        printed = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding, errors="replace"))
        print_json({"class": "猫"})
        sys.stdout.flush()
        assert json.loads(printed.getvalue().decode(encoding)) == {"class": "猫"}


def test_logits_are_shown(command: Command) -> None:
    command("train", "raw-neurons", "--epochs", 1, "--batch-size", 600)
    assert "raw outputs" in command("predict", "runs/raw-neurons", "--index", 0).out


MISTAKES = [
    ("train basline", "did you mean 'baseline'"),
    ("train baseline --data minst", "did you mean 'mnist'"),
    ("train baseline --epochs 0", "epochs is 0"),
    ("train baseline --epochs many", "--epochs"),
    ("train baseline --batch-size 0", "batch size is 0"),
    ("train baseline --batch-size 70000", "only 60000 training images"),
    ("train baseline --learning-rate 0", "learning rate is 0"),
    ("train baseline --learning-rate inf", "learning rate is inf"),
    ("train baseline --hidden 0", "width of a hidden layer is 0"),
    ("train baseline --optimizer addam", "did you mean 'adam'"),
    ("train baseline --out taken.txt", "is a file"),
    ("train baseline --out full", "not empty"),
    ("train baseline --out full --replace", "not empty"),
    ("train baseline --out /proc/glassnet", "cannot write"),
    ("train baseline --epoch 3", "--epochs"),
    ("train", "name a recipe"),
    ("train baseline --resume run", "pass nothing else"),
    ("train --resume run", "no unfinished training of run"),
    ("train --resume run --seed 5", "--seed cannot go with --resume"),
    ("train baseline --out .", ". is the folder that you are in"),
    ("train --resume .", ". is the folder that you are in"),
    ("train baseline --checkpoint-seconds -1", "--checkpoint-seconds"),
    ("evaluate full", "is no run"),
    ("evaluate nowhere", "no run at nowhere"),
    ("evaluate taken.txt", "is no run"),
    ("evaluate RUN --split tset", "did you mean 'test'"),
    ("evaluate RUN --split validation", "no split named 'validation'"),
    ("predict RUN", "nothing to predict"),
    ("predict RUN --index 10000", "numbered 0 to 9999"),
    ("predict RUN --index -1", "numbered 0 to 9999"),
    ("predict RUN missing.png", "no picture missing.png"),
    ("predict RUN full", "has no picture"),
    ("predict RUN taken.txt", "no picture, or is damaged"),
    ("predict RUN --index 0 --top 0", "top is 0"),
    ("predict RUN --index 0 --out p.doc", "must end in"),
    ("look mnist --index 60000", "numbered 0 to 59999"),
    ("look mnist --grid --index 3", "--index names one image"),
    ("look mnist --split all", "no split named 'all'"),
    ("look mnst", "did you mean 'mnist'"),
    (f"look {'long' * 100}", "no data set named 'longlong"),
    ("look ~nobody-of-that-name/images", "no data set named '~nobody-of-that-name/images'"),
    (f"predict RUN {'long' * 100}.png", "no picture longlong"),
    (f"evaluate {'long' * 100}", "no run at longlong"),
    ("summary RUN --hidden 3", "--hidden is for recipes"),
    ("explain RUN --index 0 --photo p.png", "two things to explain"),
    ("explain RUN --index 0 --why occlusion --digits 3", "--digits is for the arithmetic"),
    ("bench photos RUN --rounds 2", "--rounds is for peers"),
    ("bench --count 3", "--count is for photos"),
    ("summary basline", "did you mean 'baseline'"),
    ("show full", "is no run"),
    ("shw runs", "did you mean 'show'"),
]


@pytest.mark.parametrize(("line", "text"), MISTAKES, ids=[line[:60] for line, _ in MISTAKES])
def test_mistakes_cost_one_line_and_leave_nothing(command: Command, run: Run, line: str, text: str) -> None:
    Path("taken.txt").write_text("mine")
    Path("full").mkdir()
    Path("full/letter.txt").write_text("mine")
    said = command(*(str(run.path) if word == "RUN" else word for word in line.split()))
    assert said.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("glassnet: ")
    assert text.lower() in said.err.lower()
    assert sorted(str(path) for path in Path().rglob("*")) == ["full", "full/letter.txt", "taken.txt"]


def test_a_full_disk_costs_one_line_that_says_how_to_go_on(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "run")

    monkeypatch.setattr(Run, "save", fail)
    said = command("train", "baseline", "--epochs", 1, "--out", "run")
    assert said.code == 1
    line = said.err.splitlines()[-1]
    assert line.startswith("glassnet: run: No space left on device; what it had learned is kept in run.unfinished")
    assert "--resume run" in line


def test_divergence_is_explained(command: Command) -> None:
    said = command("train", "raw-neurons", "--optimizer", "sgd", "--learning-rate", 1e35, "--hidden", 8, "--json")
    assert said.code == 1
    assert said.out == ""
    assert "diverged in epoch 1" in said.err
    assert list(Path().iterdir()) == []


def test_ctrl_c_keeps_what_was_learned_and_exits_130(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*GLASSNET, "train", "digits-128", "--epochs", "500", "--out", "run", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    passport = json.loads(out)
    assert passport["interrupted"]["epoch"] >= 1
    assert passport["test_accuracy"] > 0.8
    assert glassnet.open_run(tmp_path / "run").passport.interrupted is not None
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_a_killed_training_leaves_no_half_run(tmp_path: Path) -> None:
    process = subprocess.Popen([*GLASSNET, "train", "baseline", "--epochs", "500", "--out", "run"], cwd=tmp_path)
    time.sleep(4)
    process.kill()
    process.wait()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["", "train", "look"])
def test_help_imports_no_heavy_library(name: str) -> None:
    code = (
        "import sys; from glassnet.cli import main; code = main._run(sys.argv[1:]);"
        "print(sorted({'keras', 'jax', 'numpy', 'matplotlib'} & set(sys.modules)), code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *name.split(), "--help"], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[] 0"
    assert "Usage" in result.stdout


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m glassnet look mnist | head -1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stderr == ""
    assert result.stdout.splitlines()[-1] == "0"


def test_home_that_cannot_be_written_still_works(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file, where even root cannot make folders")
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": ""}
    result = subprocess.run(
        [*GLASSNET, "train", "baseline", "--epochs", "1", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **home},
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["test_accuracy"] > 0.78


def test_documented_fields_are_the_real_ones(command: Command, run: Run) -> None:
    page = (Path(__file__).parents[1] / "docs" / "json.md").read_text()
    command("train", "baseline", "--epochs", 1, "--batch-size", 6000, "--snapshots", "--out", "kept")
    replayed = command("replay", "kept", "--json")
    examples: dict[str, Any] = {
        "datasets": command("datasets", "--json").json[0],
        "look": command("look", "mnist", "--json").json,
        "recipes": command("recipes", "--json").json[0],
        "summary": command("summary", "baseline", "--json").json,
        "train": command("show", run.path, "--json").json,
        "evaluate": command("evaluate", run.path, "--json").json,
        "compare": command("compare", run.path, run.path, "--json").json,
        "predict": command("predict", run.path, "--index", 0, "--json").json[0],
        "explain": command("explain", run.path, "--index", 0, "--json").json,
        "neuron": command("neuron", "--json").json,
        "units": command("units", run.path, "--json").json,
        "map": command("map", run.path, "--images", 50, "--json").json,
        "replay": replayed.json,
        "report": command("report", run.path, "--out", "report.html", "--json").json,
    }
    for name, document in examples.items():
        section = page.split(f"## glassnet {name}\n")[1].split("\n## ")[0]
        documented = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        assert documented == set(document), name
