"""Packs: what is in them, that they are made once, and that nothing that happens to them does harm."""

import mmap
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet
from glassnet import Dataset, InputError, datasets
from glassnet.datasets import Preparation, blocks, packed
from glassnet.datasets.blocks import Packing
from glassnet.datasets.items import Arrays, Files, Item
from glassnet.datasets.sources.opening import from_arrays, open_source


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "glassnet" / "packed"


def draw(folder: Path, each: int = 20, side: int = 20) -> dict[str, np.ndarray]:
    """Make PNG files of noise, a folder for each of three classes; return the pixels by name."""
    rng = np.random.default_rng(0)
    pixels = {}
    for label in ("cat", "dog", "owl"):
        (folder / label).mkdir(parents=True)
        for k in range(each):
            image = rng.integers(0, 256, (side, side), np.uint8)
            Image.fromarray(image).save(folder / label / f"{k}.png")
            pixels[f"{label}/{k}.png"] = image
    return pixels


def images_of(data: Dataset) -> dict[str, np.ndarray]:
    """The images of all splits, by their names in the source."""
    assert data.source
    return {
        name: image
        for split in data.splits
        for name, image in zip(data.source.names[split.name], split.images, strict=True)
    }


def made_anew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a pack is written."""
    calls: list[int] = []
    write = packed._write
    monkeypatch.setattr(packed, "_write", lambda *arguments: (calls.append(1), write(*arguments)))
    return calls


def test_a_pack_holds_every_picture_under_its_label(tmp_path: Path) -> None:
    pixels = draw(tmp_path / "pets")
    data = datasets.load(tmp_path / "pets")
    found = images_of(data)
    assert found.keys() == pixels.keys()
    assert all(np.array_equal(found[name], pixels[name]) for name in pixels)
    assert data.source
    assert data.validation
    for split in data.splits:
        labels = [name.split("/")[0] for name in data.source.names[split.name]]
        assert [data.classes[label] for label in split.labels] == labels
        assert data.source.sizes[split.name].tolist() == [[20, 20]] * len(split)
    assert [len(split) for split in data.splits] == [42, 12, 6]
    assert [np.bincount(split.labels).tolist() for split in data.splits] == [[14] * 3, [4] * 3, [2] * 3]
    assert data.train.labels.tolist() != sorted(data.train.labels)


def test_its_sha256_is_the_one_computed_from_its_arrays(tmp_path: Path) -> None:
    draw(tmp_path / "pets")
    data = datasets.load(tmp_path / "pets")
    again = Dataset("copy", data.classes, data.train, data.test, validation=data.validation)
    assert again.sha256 == data.sha256


def test_the_second_start_only_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "pets")
    events: list[Packing] = []
    first = datasets.load(tmp_path / "pets", on_progress=events.append)
    assert events[-1] == Packing("pets", 60, 60)
    monkeypatch.setattr(blocks, "decode", None)
    monkeypatch.setattr(blocks, "measure", None)
    second = datasets.load(tmp_path / "pets", on_progress=events.append)
    assert second.sha256 == first.sha256
    assert np.array_equal(second.train.images, first.train.images)
    assert not second.train.images.flags.writeable
    assert second.source
    assert first.source
    datasets.load(tmp_path / "pets", first.source.preparation)  # what a passport keeps opens the same pack


def test_what_changes_in_the_source_makes_a_new_pack_and_removes_the_old(tmp_path: Path, cache: Path) -> None:
    draw(tmp_path / "pets")
    before = datasets.load(tmp_path / "pets")
    small = datasets.load(tmp_path / "pets", Preparation(size=(8, 8)))
    assert small.image_shape == (8, 8)
    assert len(list(cache.glob("*/*/pack.json"))) == 2
    (tmp_path / "pets" / "cat" / "0.png").unlink()
    after = datasets.load(tmp_path / "pets")
    assert sum(map(len, after.splits)) == 59
    assert after.sha256 != before.sha256
    assert len(list(cache.glob("*/*/pack.json"))) == 1
    assert before.train.images.sum() > 0  # who has it open keeps it


def test_bad_pictures_are_named_and_stop_nothing(tmp_path: Path) -> None:
    draw(tmp_path / "pets")
    good = (tmp_path / "pets" / "cat" / "0.png").read_bytes()
    (tmp_path / "pets" / "cat" / "cut.png").write_bytes(good[:200])
    (tmp_path / "pets" / "dog" / "no.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    data = datasets.load(tmp_path / "pets")
    assert sum(map(len, data.splits)) == 60
    assert data.source
    assert {problem.name for problem in data.source.problems} == {"cat/cut.png", "dog/no.png"}
    assert all(problem.reason for problem in data.source.problems)
    again = datasets.load(tmp_path / "pets")
    assert again.source
    assert again.source.problems == data.source.problems


def test_reading_may_fail_in_any_way(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise RuntimeError("the archive\nis encrypted")

    pixels = draw(tmp_path / "pets")
    good = tuple(Item(name, name.split("/")[0], None, (tmp_path / "pets" / name).read_bytes, name) for name in pixels)
    bad = tuple(Item(f"{k}.png", "cat", None, fail, str(k)) for k in range(400))
    source = Files("pets", tmp_path, "by hand", (*bad, *good), ("cat", "dog", "owl"))
    data = packed.pack(source, Preparation())
    assert images_of(data).keys() == pixels.keys()
    assert data.source
    assert data.source.problems[0].reason == "the archive is encrypted"
    with pytest.raises(InputError, match="none of the 400 pictures"):
        packed.pack(Files("bad", tmp_path / "bad", "by hand", bad, ("cat",)), Preparation())


def test_equal_pictures_are_on_one_side(tmp_path: Path) -> None:
    draw(tmp_path / "pets")
    for k in range(20):
        for copy in range(3):
            shutil.copy(tmp_path / "pets" / "cat" / f"{k}.png", tmp_path / "pets" / "cat" / f"{k} copy {copy}.png")
    data = datasets.load(tmp_path / "pets")
    seen = [{image.tobytes() for image in split.images} for split in data.splits]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert len(seen[1]) < len(data.test)


def test_group_by_keeps_a_part_of_the_name_on_one_side(tmp_path: Path) -> None:
    draw(tmp_path / "pets")
    data = datasets.load(tmp_path / "pets", Preparation(group_by=r"/(\d)"))
    assert data.source
    digits = [{name.split("/")[1][0] for name in names} for names in data.source.names.values()]
    assert not digits[0] & digits[1]
    assert not digits[0] & digits[2]


def test_group_by_that_finds_nothing_is_refused_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: Dataset
) -> None:
    draw(tmp_path / "pets", each=2)
    (tmp_path / "pets" / "cat" / "Patient3_1.png").write_bytes((tmp_path / "pets" / "cat" / "0.png").read_bytes())
    events: list[Packing] = []
    with pytest.raises(
        InputError, match=r"--group-by 'patient.* finds nothing .* such as 'cat/0.png'; .*capitals"
    ) as error:
        datasets.load(tmp_path / "pets", Preparation(group_by=r"patient(\d+)"), on_progress=events.append)
    assert "\n" not in str(error.value)
    assert not events
    with pytest.raises(InputError, match="such as 'image 0'"):
        packed.pack(from_arrays((few.train.images, few.train.labels)), Preparation(group_by="patient"))
    data = datasets.load(tmp_path / "pets", Preparation(group_by=r"Patient(\d+)"))
    assert data.source
    assert not data.source.problems


def test_groups_that_stated_splits_part_are_named(tmp_path: Path) -> None:
    for split, patients in (("train", (1, 2, 3)), ("test", (2, 4))):
        pixels = draw(tmp_path / "pets" / split, each=0)
        assert not pixels
        for label, patient in ((label, patient) for label in ("cat", "dog") for patient in patients):
            draw_one(tmp_path).rename(tmp_path / "pets" / split / label / f"p{patient}.png")
    data = datasets.load(tmp_path / "pets", Preparation(group_by=r"p(\d)\.png"))
    assert data.source
    assert [(one.name, one.reason.split(", because")[0]) for one in data.source.problems] == [
        ("--group-by", "1 groups are in several splits (2)")
    ]
    assert data.source.left_out == 0
    assert [len(split) for split in data.splits] == [6, 4]


def test_arrays_keep_their_order_and_splits(few: Dataset) -> None:
    pairs = ((split.images, split.labels) for split in (few.train, few.test))
    data = packed.pack(from_arrays(*pairs, classes=few.classes), Preparation())
    for split, same in zip(data.splits, (few.train, few.test), strict=True):
        assert np.array_equal(split.images, same.images)
        assert np.array_equal(split.labels, same.labels)
    assert data.sha256 == few.sha256
    shrunk = packed.pack(from_arrays((few.train.images, few.train.labels)), Preparation(size=(14, 14)))
    assert shrunk.image_shape == (14, 14)
    assert [len(split) for split in shrunk.splits] == pytest.approx([1400, 400, 200], abs=10)
    colour = np.repeat(few.train.images[..., None], 3, -1)
    assert packed.pack(from_arrays((colour, few.train.labels)), Preparation()).image_shape == (28, 28)


def test_a_set_in_an_array_file_is_mapped_again(few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.npz"
    np.savez(path, x_train=few.train.images, y_train=few.train.labels, x_test=few.test.images, y_test=few.test.labels)
    assert isinstance(open_source(path), Arrays)
    calls = made_anew(monkeypatch)
    assert datasets.load(path).sha256 == datasets.load(str(path)).sha256 == few.sha256
    assert len(calls) == 1


@pytest.mark.parametrize("damage", ["images.u8", "labels.npz", "pack.json"])
@pytest.mark.parametrize("how", ["cut", "missing", "nonsense"])
def test_a_damaged_pack_is_made_anew(
    tmp_path: Path, cache: Path, damage: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "pets", each=3)
    first = datasets.load(tmp_path / "pets")
    sha256 = first.sha256
    file = next(cache.glob(f"*/*/{damage}"))
    raw = file.read_bytes()
    file.unlink()
    if how != "missing":
        file.write_bytes(raw[: len(raw) // 2] if how == "cut" else b"{}")
    calls = made_anew(monkeypatch)
    assert datasets.load(tmp_path / "pets").sha256 == sha256
    assert len(calls) == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, cache: Path) -> None:
    pixels = draw(tmp_path / "pets")
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    assert images_of(datasets.load(tmp_path / "pets")).keys() == pixels.keys()


def test_without_a_cache_nothing_is_left_behind(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for the moment of the exit, which the command line does not wait for."""
    draw(tmp_path / "pets", each=3)
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    data = datasets.load(tmp_path / "pets")
    assert not list((tmp_path / "temporary").iterdir())
    assert len(images_of(data)) == 9
    assert data.train.images.any(axis=(1, 2)).all()


def test_who_has_a_pack_open_keeps_its_names_and_sizes(tmp_path: Path) -> None:
    draw(tmp_path / "pets", each=3)
    before = datasets.load(tmp_path / "pets")
    (tmp_path / "pets" / "cat" / "0.png").unlink()
    datasets.load(tmp_path / "pets")  # in a lab, or elsewhere: removes what the folder held before
    assert before.source
    assert not (before.source.folder or tmp_path).exists()
    assert "cat/0.png" in {name for names in before.source.names.values() for name in names}
    assert before.source.sizes["train"].tolist() == [[20, 20]] * len(before.train)


def test_a_pack_that_vanishes_while_it_is_opened_is_made_anew(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "pets", each=3)
    sha256 = datasets.load(tmp_path / "pets").sha256
    opened = mmap.mmap

    def vanish(*arguments: Any, **options: Any) -> mmap.mmap:
        monkeypatch.setattr(packed.mmap, "mmap", opened)
        shutil.rmtree(next(cache.glob("*/*/pack.json")).parent)
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(packed.mmap, "mmap", vanish)
    assert datasets.load(tmp_path / "pets").sha256 == sha256


def test_packs_of_an_earlier_format_are_removed(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "pets", each=3)
    datasets.load(tmp_path / "pets")
    monkeypatch.setattr(packed, "FORMAT", packed.FORMAT + 1)
    datasets.load(tmp_path / "pets")
    assert len(list(cache.glob("*/*/pack.json"))) == 1


@pytest.mark.parametrize("name", ["mnist", "cifar-10"])
def test_images_of_ones_own_are_never_taken_for_a_set_with_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    draw(tmp_path / name, each=3)
    monkeypatch.chdir(tmp_path)
    data = datasets.load(f"./{name}")
    assert data.name == f"own-{name}"
    assert data.source
    assert data.source.path == name
    assert datasets.load_again(data.source.record()).sha256 == data.sha256
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(InputError, match="start from the folder in which the run was trained"):
        datasets.load_again(data.source.record())


def test_a_set_with_a_name_takes_no_preparation() -> None:
    with pytest.raises(InputError, match="a preparation is for images of your own, and mnist is what it is"):
        datasets.load("mnist", Preparation(size=(20, 20)))


def test_a_packing_that_is_killed_leaves_what_the_next_one_mends(tmp_path: Path, cache: Path) -> None:
    pixels = draw(tmp_path / "pets", each=700, side=28)
    program = textwrap.dedent(
        f"""
        import sys
        from glassnet import datasets
        def tell(event):
            print(event.done, flush=True)
        datasets.load({str(tmp_path / "pets")!r}, on_progress=tell)
        """
    )
    for lines in (1, 6):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout
            for _ in range(lines):
                assert process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        assert not list(cache.glob("*/*/pack.json"))
    assert [one for one in cache.glob("*/.*") if one.is_dir()]
    assert len(images_of(datasets.load(tmp_path / "pets"))) == len(pixels)
    assert not [one for one in cache.glob("*/.*") if one.is_dir()]


def test_two_packers_at_once_do_the_work_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    draw(tmp_path / "pets", each=100)
    calls = made_anew(monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: datasets.load(tmp_path / "pets").sha256, range(3)))
    assert len(set(found)) == len(calls) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_stays_small_whatever_the_size_of_the_set(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import io, re, resource
        from pathlib import Path
        import numpy as np
        import scipy.sparse.csgraph
        from PIL import Image
        from glassnet.datasets import Preparation
        from glassnet.datasets.items import Files, Item
        from glassnet.datasets.packed import pack
        files = []
        for k in range(20):
            stream = io.BytesIO()
            Image.fromarray(np.random.default_rng(k).integers(0, 256, (64, 64, 3), np.uint8)).save(stream, "BMP")
            files.append(stream.getvalue())
        items = tuple(
            Item(str(k), "ab"[k % 2], ("train", "test")[k % 2], lambda k=k: files[k % 20], str(k)) for k in range(1600)
        )
        taken = int(re.search(r"VmData:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (taken + 220_000_000,) * 2)
        source = Files("many", Path({str(tmp_path)!r}), "by hand", items, ("a", "b"))
        data = pack(source, Preparation(size=(256, 512), colour="colour", fit="stretch"))
        print(sum(split.images.nbytes for split in data.splits))
        """
    )
    said = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert int(said.stdout) > 600e6


def test_packs_are_opened_again_without_reading_a_picture(tmp_path: Path) -> None:
    raw = (Path(draw_one(tmp_path))).read_bytes()
    read: list[int] = []

    def item(k: int) -> Item:
        return Item(f"c{k % 5}/{k}.png", f"c{k % 5}", None, lambda: read.append(k) or raw, str(k))

    items = tuple(map(item, range(10_000)))
    source = Files("many", tmp_path, "by hand", items, tuple(f"c{k}" for k in range(5)))
    first = packed.pack(source, Preparation())
    assert set(read) == set(range(10_000))
    read.clear()
    second = packed.pack(source, Preparation())
    assert not read
    assert second.sha256 == first.sha256
    assert second.source
    assert len(second.source.problems) == 5  # each class is one picture in many copies


def draw_one(folder: Path) -> Path:
    path = folder / "one.png"
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(path)
    return path


def test_names_that_do_not_exist_are_explained() -> None:
    with pytest.raises(glassnet.InputError, match=r"no data set named 'minst'; did you mean 'mnist'.*folder"):
        glassnet.load("minst")
