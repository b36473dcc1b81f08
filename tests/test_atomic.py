"""Files and folders take their places whole, or not at all."""

from pathlib import Path

import pytest

from glassnet.atomic import new_folder
from glassnet.errors import OutputError


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    (path / "model").write_text("old")
    return path


def test_a_folder_is_replaced_when_the_new_one_is_complete(old: Path) -> None:
    with new_folder(old, replace=True) as beside:
        (beside / "model").write_text("new")
        assert (old / "model").read_text() == "old"
    assert (old / "model").read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


def test_a_replacement_that_fails_leaves_the_old_folder_in_its_place(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if target == old and (self / "model").read_text() == "new":
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="Input/output error"), new_folder(old, replace=True) as beside:
        (beside / "model").write_text("new")
    assert (old / "model").read_text() == "old"
    assert list(old.parent.iterdir()) == [old]
