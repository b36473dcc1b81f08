"""What one process at a time may do."""

import subprocess
import sys
from pathlib import Path

import pytest

import glassnet
from glassnet import Dataset, InputError
from glassnet.locks import held, is_held
from glassnet.runs import unfinished_of
from glassnet.training.unfinished import claimed, is_being_trained, lock_of

HOLD = """
import sys
from pathlib import Path
from glassnet.locks import held
with held(Path(sys.argv[1]), wait=False) as alone:
    print(alone, flush=True)
    sys.stdin.read()
"""


def test_only_one_holds_a_file_and_a_killed_one_no_more(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    assert not is_held(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert is_held(path)
        with held(path, wait=False) as alone:
            assert not alone
        other.kill()
    with held(path, wait=True) as alone:
        assert alone and is_held(path)
    assert not is_held(path)


def test_a_run_that_is_being_trained_is_left_alone(few: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with claimed(out) as folder:
        kept = folder / "plan.json"
        kept.write_text("{}")
        assert is_being_trained(out)
        with pytest.raises(InputError, match="run is being trained at this moment"):
            glassnet.train("baseline", few, epochs=1, out=out, replace=True)
        with pytest.raises(InputError, match="run is being trained at this moment"), claimed(out):
            pass
        assert kept.read_text() == "{}"
    assert not is_being_trained(out) and not unfinished_of(out).exists()


def test_ctrl_c_after_the_last_epoch_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt) as caught, claimed(out) as folder:
        (folder / "checkpoint-000001-000000000.npz").touch()
        raise KeyboardInterrupt
    assert f"--resume {out}" in caught.value.__notes__[0]
    assert lock_of(out).exists() and not is_being_trained(out)


def test_ctrl_c_before_anything_was_learned_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), claimed(tmp_path / "runs" / "run"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
