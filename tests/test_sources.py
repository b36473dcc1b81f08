"""Sources of images: every form is told by looking at it, and gives the same pictures, labels and splits."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import socket
import sys
import tarfile
import time
import types
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glassnet.datasets import PUBLISHED, Preparation
from glassnet.datasets.blocks import blocks
from glassnet.datasets.dataset import idx_header
from glassnet.datasets.items import Arrays, Files
from glassnet.datasets.sources import parquet, unpacking
from glassnet.datasets.sources.names import clean, name_classes
from glassnet.datasets.sources.opening import from_arrays, open_source
from glassnet.datasets.sources.unpacking import Tape
from glassnet.errors import InputError

PICTURES = {
    "train/cat/1.png": 10,
    "train/cat/2.png": 20,
    "train/dog/3.png": 30,
    "test/cat/4.png": 40,
    "test/dog/5.png": 50,
}


def png(value: int = 0, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("L", (6, 5), value).save(stream, kind)
    return stream.getvalue()


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def folder_of(path: Path, *names: str) -> Path:
    return fill(path, {name: png(number) for number, name in enumerate(names)})


def files(path: Path | str) -> Files:
    source = open_source(path)
    assert isinstance(source, Files)
    return source


def arrays(path: Path | str) -> Arrays:
    source = open_source(path)
    assert isinstance(source, Arrays)
    return source


def facts(source: Files) -> dict[str, tuple[str, str | None]]:
    return {item.name: (item.label, item.split) for item in source.items}


def brightness(source: Files) -> dict[str, int]:
    """The pictures as they are read, each told by its gray."""
    return {item.name: Image.open(io.BytesIO(item.read())).getpixel((0, 0)) for item in source.items}  # type: ignore[misc]


# Folders


def test_folder_for_each_class(tmp_path: Path) -> None:
    folder_of(tmp_path / "my pets", "cat/1.png", "cat/deep/2.png", "dog/3.png")
    source = files(tmp_path / "my pets")
    assert facts(source) == {"cat/1.png": ("cat", None), "cat/deep/2.png": ("cat", None), "dog/3.png": ("dog", None)}
    assert (source.name, source.classes, source.problems) == ("my-pets", ("cat", "dog"), ())
    assert brightness(source) == {"cat/1.png": 0, "cat/deep/2.png": 1, "dog/3.png": 2}


@pytest.mark.parametrize("word", ["val", "valid", "validation", "Val"])
def test_splits_above_the_classes(tmp_path: Path, word: str) -> None:
    folder_of(tmp_path, "things/train/cat/1.png", f"things/{word}/cat/2.png", "things/test/dog/3.png")
    assert list(facts(files(tmp_path)).values()) == sorted(
        [("cat", "train"), ("cat", "validation"), ("dog", "test")],
        key=lambda pair: {"train": "train", "validation": word, "test": "test"}[pair[1]],
    )


def test_splits_below_the_classes(tmp_path: Path) -> None:
    folder_of(tmp_path, "cat/train/1.png", "cat/test/2.png", "dog/train/3.png")
    assert facts(files(tmp_path)) == {
        "cat/test/2.png": ("cat", "test"),
        "cat/train/1.png": ("cat", "train"),
        "dog/train/3.png": ("dog", "train"),
    }


def test_folders_whose_names_hold_more_than_the_split(tmp_path: Path) -> None:
    folder_of(tmp_path / "a", "train_images/cat/1.png", "train_images/dog/2.png", "PublicTest/cat/3.png")
    assert set(facts(files(tmp_path / "a")).values()) == {("cat", "train"), ("dog", "train"), ("cat", "validation")}
    folder_of(tmp_path / "b", "test tube/1.png", "mug/2.png", "training shoe/3.png")
    assert files(tmp_path / "b").classes == ("mug", "test tube", "training shoe")


def test_trains_may_be_a_class(tmp_path: Path) -> None:
    folder_of(tmp_path, "car/1.png", "train/2.png", "bus/3.png")
    assert files(tmp_path).classes == ("bus", "car", "train")
    folder_of(tmp_path, "train/night/4.png")
    assert set(facts(files(tmp_path)).values()) == {("car", None), ("train", None), ("bus", None)}


def test_folders_in_common_say_nothing(tmp_path: Path) -> None:
    folder_of(tmp_path, *(f"a/b/train/images/{label}/{k}.png" for label in ("x", "y") for k in range(12)))
    folder_of(tmp_path, "a/left-over.png")
    source = files(tmp_path)
    assert source.classes == ("x", "y")
    assert {item.split for item in source.items} == {"train"}
    assert [(one.name, one.reason) for one in source.problems] == [
        ("a/left-over.png", "lies in no folder that could be its class")
    ]


def test_only_a_test_folder_says_nothing_about_splits(tmp_path: Path) -> None:
    folder_of(tmp_path, "test/cat/1.png", "test/dog/2.png")
    assert {item.split for item in files(tmp_path).items} == {None}


def test_one_class_is_accepted(tmp_path: Path) -> None:
    folder_of(tmp_path, "cat/1.png", "cat/2.png")
    assert files(tmp_path).classes == ("cat",)


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    folder_of(tmp_path, *(f"{label}/x.png" for label in (10, 9, 2, 1)))
    assert files(tmp_path).classes == ("1", "2", "9", "10")


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    folder_of(tmp_path, "cat/1.png", "dog/2.png", "stray.png")
    fill(tmp_path, {"cat/empty.jpg": b"", "cat/notes.txt": b"meow", "README.md": b"#", "dog/hidden-picture": png()})
    fill(tmp_path, {".DS_Store": b"x", "cat/.hidden.png": b"x", "__MACOSX/cat/._1.png": b"x", "dog/Thumbs.db": b"x"})
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "dog" / "s.png"))
    (tmp_path / "cat" / "gone.png").symlink_to(tmp_path / "nowhere")
    source = files(tmp_path)
    assert list(facts(source)) == ["cat/1.png", "dog/2.png", "dog/hidden-picture"]
    assert {one.name: one.reason for one in source.problems} == {
        "stray.png": "lies in no folder that could be its class",
        "cat/empty.jpg": "empty (0 bytes)",
        "cat/notes.txt": "no picture",
        "README.md": "no picture",
        "cat/pipe.png": "no file, but a pipe, a socket or a device",
        "dog/s.png": "no file, but a pipe, a socket or a device",
        "cat/gone.png": "cannot be opened: no such file or directory",
    }


def test_links_are_followed_once(tmp_path: Path) -> None:
    folder_of(tmp_path / "data", "cat/1.png", "dog/2.png")
    folder_of(tmp_path / "elsewhere", "3.png")
    (tmp_path / "data" / "bird").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "cat" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "dog" / "self").symlink_to("self")
    source = files(tmp_path / "data")
    assert list(facts(source)) == ["bird/3.png", "cat/1.png", "dog/2.png"]
    assert {one.name: one.reason for one in source.problems} == {
        "cat/loop/": "a link to a folder that is listed already",
        "dog/self": "cannot be opened: too many levels of symbolic links",
    }


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    folder_of(tmp_path, "cat/1.png", "dog/2.png")
    before = [item.stamp for item in files(tmp_path).items]
    os.utime(tmp_path / "cat" / "1.png", ns=(0, time.time_ns() + 1))
    after = [item.stamp for item in files(tmp_path).items]
    assert before[0] != after[0]
    assert before[1] == after[1]


# Names


def test_names_are_made_fit_to_be_shown(tmp_path: Path) -> None:
    folder_of(tmp_path, "ca\nt\x1b[2J/1.png", "👩‍🔬 Müller/2.png", f"{'x' * 200}/3.png")
    folder_of(tmp_path, "cafe\u0301/4.png", "caf\u00e9/5.png", "evil\u202egnp/6.png", "evil\u202dgnp/7.png")
    fill(tmp_path, {os.fsdecode(b"broken\xff/8.png"): png()})
    source = files(tmp_path)
    assert set(source.classes) == {
        "broken�", "café", "ca�t�[2J", "evil�gnp", "evil�gnp (2)", "x" * 79 + "…", "👩‍🔬 Müller",
    }  # fmt: skip
    assert sum(item.label == "café" for item in source.items) == 2
    assert all(item.label in source.classes for item in source.items)
    assert all("\n" not in item.name and len(item.read()) > 20 for item in source.items)
    "".join(item.name for item in source.items).encode()


def test_clean_keeps_good_names_and_shortens_long_ones() -> None:
    assert clean("Ünïcode 猫 é") == "Ünïcode 猫 é"
    assert clean("a" * 10, 5) == "aaaa…"


def test_more_classes_than_anybody_means() -> None:
    with pytest.raises(InputError, match="10,001 different labels, and at most 10,000"):
        name_classes(str(number) for number in range(10_001))


# Archives


def make_zip(path: Path, members: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:  # type: ignore[arg-type]
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: dict[str, bytes], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> Path:
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


MAKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "zip": lambda path, members: make_zip(path, members, compression=zipfile.ZIP_DEFLATED),
    "stored.zip": make_zip,
    "tar": make_tar,
    "gnu.tar": lambda path, members: make_tar(path, members, tarfile.GNU_FORMAT),
    "old.tar": lambda path, members: make_tar(path, members, tarfile.USTAR_FORMAT),
    "tar.gz": lambda path, members: make_tar(path, members, mode="w:gz"),
    "tar.bz2": lambda path, members: make_tar(path, members, mode="w:bz2"),
    "tar.xz": lambda path, members: make_tar(path, members, mode="w:xz"),
}


@pytest.mark.parametrize("ending", MAKERS)
@pytest.mark.parametrize("called", ["pets", "pets.bin"])
def test_archives_give_what_the_folder_gives(tmp_path: Path, ending: str, called: str) -> None:
    long = "dog-" + "x" * 120
    members = {name.replace("dog", long): png(value) for name, value in PICTURES.items()}
    path = MAKERS[ending](tmp_path / (f"pets.{ending}" if called == "pets" else called), members)
    source = files(path)
    order = list if ending.startswith("tar.") else sorted
    assert [item.name for item in source.items] == order(members)
    expected = files(fill(tmp_path / "folder", members))
    assert facts(source) == facts(expected)
    assert source.classes == expected.classes == ("cat", clean(long, 80))
    assert brightness(source) == brightness(expected)
    assert [item.read() for item in reversed(source.items)] == [members[item.name] for item in reversed(source.items)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda item: item.read(), source.items)) == [members[item.name] for item in source.items]
    again = pickle.loads(pickle.dumps(source))  # another process reads them, too
    assert brightness(again) == brightness(expected)
    assert {one.name for one in tmp_path.iterdir()} == {path.name, "folder"}


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_members_that_lead_out_are_left_out(tmp_path: Path, ending: str) -> None:
    good = {"cat/1.png": png(1), "dog/2.png": png(2)}
    bad = {"../cat/3.png": png(), "/cat/4.png": png(), "cat/../../5.png": png(), "C:\\cat\\6.png": png()}
    source = files(MAKERS[ending](tmp_path / f"x.{ending}", {**good, **bad, "__MACOSX/cat/._1.png": b"x"}))
    assert list(facts(source)) == list(good)
    assert [one.reason for one in source.problems] == ["its name leads out of the archive"] * 4


def test_links_devices_and_locked_members_of_archives(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "x.tar", {"cat/1.png": png(), "dog/2.png": png()})
    with tarfile.open(path, "a") as archive:
        for name, kind in {
            "cat/link.png": tarfile.SYMTYPE,
            "cat/hard.png": tarfile.LNKTYPE,
            "d.png": tarfile.CHRTYPE,
        }.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert [one.name for one in files(path).problems] == ["cat/link.png", "cat/hard.png", "d.png"]
    path = make_zip(tmp_path / "x.zip", {"cat/1.png": png(), "dog/2.png": png()})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("cat/lzma.png", png(), compress_type=zipfile.ZIP_LZMA)
        archive.writestr("cat/1.png", png())
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\1\2", 0, data.find(b"dog/2.png", data.find(b"PK\1\2"))) + 8] |= 1  # "encrypted"
    path.write_bytes(data)
    assert {one.name: one.reason for one in files(path).problems} == {
        "cat/link.png": "a link or a device, not a file",
        "cat/lzma.png": "compressed in an unusual way; unpack it yourself",
        "cat/1.png": "a second one of that name; the first is used",
        "dog/2.png": "encrypted; unpack it yourself",
    }


def test_a_bomb_among_pictures_is_left_out(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(1 << 19)
    members = {"cat/1.png": png() + noise, "cat/bomb.png": bytes(40 << 20), "dog/2.png": png()}
    source = files(make_zip(tmp_path / "x.zip", members, compression=zipfile.ZIP_DEFLATED))
    assert list(facts(source)) == ["cat/1.png", "dog/2.png"]
    assert "bomb" in source.problems[0].reason


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_bombs_are_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    tar = make_tar(tmp_path / "x.tar", {"cat/1.png": bytes(60 << 20)})
    (tmp_path / "x.tgz").write_bytes(pack(tar.read_bytes()))
    with pytest.raises(InputError, match="more than 200 times"):
        open_source(tmp_path / "x.tgz")


def test_a_broken_off_archive_keeps_what_came_before(tmp_path: Path) -> None:
    path = make_tar(
        tmp_path / "x.tar.gz", {f"{label}/{k}.png": png(k) for label in "ab" for k in range(50)}, mode="w:gz"
    )
    raw = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(raw[: 80 * 1024 + 540]))
    source = files(path)
    assert len(source.items) == 80
    assert [one.reason for one in source.problems] == ["the archive breaks off: cut off inside of b/30.png"]


def test_a_tape_goes_back(tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(40 << 20)
    (tmp_path / "x.gz").write_bytes(gzip.compress(data, 0))
    tape = Tape(tmp_path / "x.gz")
    for place in (0, 39 << 20, 38 << 20, 5, 20 << 20, 0):
        assert tape.read(place, 1000).read() == data[place : place + 1000]
    with pytest.raises(ValueError, match="cut off"):
        tape.read(40 << 20, 1)


@pytest.mark.parametrize("table", [False, True])
def test_a_compressed_archive_is_read_from_its_start_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: bool
) -> None:
    """Not again for every picture, because threads read in several places, or because a table has another order."""
    starts: list[int] = []
    unpack = unpacking.unpack
    monkeypatch.setattr(unpacking, "unpack", lambda stream: (starts.append(1), unpack(stream))[1])
    monkeypatch.setattr(unpacking, "_WINDOW", 1 << 16)  # as small beside these pictures as it is beside photos
    members = {}
    for k in range(40):
        stream = io.BytesIO()
        Image.fromarray(np.random.default_rng(k).integers(0, 256, (300, 300), np.uint8)).save(stream, "BMP")
        members[f"{'all' if table else k % 2}/{k}.bmp"] = stream.getvalue()
    names = list(members)
    if table:
        members["t.csv"] = ("file,label\n" + "".join(f"{name},{len(name)}\n" for name in reversed(names))).encode()
    source = files(make_tar(tmp_path / "x.tgz", members, mode="w:gz"))
    assert [item.name for item in source.items] == names
    starts.clear()
    done = sum(len(block.labels) for block in blocks(source, Preparation(size=(512, 1024), colour="gray")))
    assert (done, len(starts)) == (40, 1)


def test_an_archive_of_too_many_files_is_called_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.datasets.sources.archives.MOST_FILES", 1)
    with pytest.raises(InputError, match="x.zip holds more than 1 files; pack those of one data set"):
        open_source(make_zip(tmp_path / "x.zip", {"a/1.png": png(), "b/2.png": png()}))


# Tables of names


TABLES = {
    "header": "file_name,label,split\n1.png,cat,train\nsub/2.png,dog,train\n3.png,cat,test\n",
    "other order": "split;class;path\ntrain;cat;1.png\ntrain;dog;sub/2.png\ntest;cat;3.png\n",
    "tabs": "image\tset\tspecies\n./1.png\ttraining\tcat\nsub\\2.png\ttrain\tdog\n3.png\ttest\tcat\n",
    "without endings": "id_code,breed,split\n1,cat,train\nsub/2,dog,train\n3,cat,test\n",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_table_of_names(tmp_path: Path, table: str, encoding: str) -> None:
    folder_of(tmp_path, "1.png", "sub/2.png", "3.png")
    (tmp_path / "labels.csv").write_text(TABLES[table], encoding)
    for path in (tmp_path / "labels.csv", tmp_path):
        source = files(path)
        assert facts(source) == {"1.png": ("cat", "train"), "sub/2.png": ("dog", "train"), "3.png": ("cat", "test")}
        assert list(brightness(source).values()) == [0, 1, 2]


def test_table_without_header_in_cp1252(tmp_path: Path) -> None:
    folder_of(tmp_path, "1.png", "2.png")
    (tmp_path / "x.csv").write_bytes("1.png,Käfer\n2.png,Blüte\n".encode("cp1252"))
    assert facts(files(tmp_path / "x.csv")) == {"1.png": ("Käfer", None), "2.png": ("Blüte", None)}


def test_tables_beside_folders_of_pictures(tmp_path: Path) -> None:
    folder_of(tmp_path, "train/1.png", "train/2.png", "test/1.png")
    fill(
        tmp_path,
        {"train.csv": b"id,label\n1,cat\n2,dog\n", "test.csv": b"id,label\n1,dog\n", "readme.csv": b"a,b\n1,2\n"},
    )
    source = files(tmp_path)
    expected = {"test/1.png": ("dog", "test"), "train/1.png": ("cat", "train"), "train/2.png": ("dog", "train")}
    assert facts(source) == expected
    assert brightness(source) == {"train/1.png": 0, "train/2.png": 1, "test/1.png": 2}
    assert [one.name for one in source.problems] == ["readme.csv"]
    members = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert facts(files(make_zip(tmp_path / "x.zip", members))) == expected
    (tmp_path / "test.csv").unlink()
    for path in (tmp_path, tmp_path / "train.csv"):  # the pictures in test/ have no labels then
        assert {item.name: item.label for item in files(path).items} == {"train/1.png": "cat", "train/2.png": "dog"}


@pytest.mark.parametrize("folders", [("train", "test"), ("images/train_images", "images/test_images")])
def test_a_column_of_splits_tells_the_folder(tmp_path: Path, folders: tuple[str, str]) -> None:
    train, test = folders
    folder_of(tmp_path, f"{train}/1.png", f"{train}/2.png", f"{test}/1.png")
    (tmp_path / "labels.csv").write_text("id,label,split\n1,cat,train\n1,dog,eval\n2,dog,train\n2,cat,test\n")
    source = files(tmp_path)
    assert facts(source) == {f"{train}/1.png": ("cat", "train"), f"{train}/2.png": ("dog", "train"),
                             f"{test}/1.png": ("dog", "test")}  # fmt: skip
    assert [(one.name, one.reason) for one in source.problems] == [("2", "there is no such file")]


def test_a_name_in_several_folders_is_not_guessed(tmp_path: Path) -> None:
    folder_of(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/3.png")
    (tmp_path / "labels.csv").write_text("id,label\n1.png,cat\n2.png,dog\n3.png,cat\nb/1.png,dog\n")
    source = files(tmp_path / "labels.csv")
    assert facts(source) == {"a/2.png": ("dog", None), "b/3.png": ("cat", None), "b/1.png": ("dog", None)}
    assert [(one.name, one.reason) for one in source.problems] == [
        ("1.png", "it is in 2 folders (a/1.png, b/1.png); write the folder before the name in the table")
    ]


def test_a_table_of_all_splits_finds_pictures_in_all_their_folders(tmp_path: Path) -> None:
    folder_of(tmp_path, "train/1.png", "test/2.png")
    (tmp_path / "train_test_labels.csv").write_text("id,label\n1,cat\n2,dog\n")
    source = files(tmp_path / "train_test_labels.csv")
    assert facts(source) == {"train/1.png": ("cat", None), "test/2.png": ("dog", None)}


@pytest.mark.parametrize("below", ["", "images/"])
def test_tables_in_the_folders_of_their_splits(tmp_path: Path, below: str) -> None:
    folder_of(tmp_path, f"train/{below}1.png", f"train/{below}2.png", f"test/{below}1.png")
    fill(tmp_path, {"train/labels.csv": b"id,label\n1,cat\n2,dog\n", "test/labels.csv": b"id,label\n1,dog\n"})
    assert facts(files(tmp_path)) == {
        f"test/{below}1.png": ("dog", "test"),
        f"train/{below}1.png": ("cat", "train"),
        f"train/{below}2.png": ("dog", "train"),
    }


def test_words_for_splits_in_a_column_are_known_or_named(tmp_path: Path) -> None:
    folder_of(tmp_path, *(f"{k}.png" for k in range(5)))
    (tmp_path / "labels.csv").write_text("id,label,split\n0,a,train\n1,b,dev\n2,a,holdout\n3,a,fold 7\n4,b,\n")
    source = files(tmp_path)
    assert [item.split for item in source.items] == ["train", "validation", "test", None, None]
    (problem,) = source.problems
    assert problem.name == "labels.csv"
    assert problem.reason.startswith("its column of splits says 'fold 7' in 1 rows, which is no split")


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", "1.png", "2.png", "5.png")
    folder_of(tmp_path, "out.png")
    fill(tmp_path / "in", {"empty.png": b""})
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "out.png")
    rows = ["file,label", "1.png,cat", "../out.png,cat", "link.png,cat", "/etc/passwd,cat", "missing.png,cat", "2.png"]
    rows += ["5.png,", "empty.png,dog"]
    (tmp_path / "in" / "t.csv").write_text("\n".join(rows))
    source = files(tmp_path / "in" / "t.csv")
    assert facts(source) == {"1.png": ("cat", None)}
    assert [(one.name, one.reason) for one in source.problems] == [
        ("../out.png", "its name leads out of the folder of the table"),
        ("link.png", "it is a link that leads out of the folder"),
        ("/etc/passwd", "its name leads out of the folder of the table"),
        ("missing.png", "there is no such file"),
        ("t.csv, line 7", "too few columns"),
        ("5.png", "no label"),
        ("empty.png", "empty (0 bytes)"),
    ]


def test_a_table_whose_first_pictures_are_all_missing(tmp_path: Path) -> None:
    folder_of(tmp_path / "in", "1.png", "2.png")
    rows = [f"missing{k},cat" for k in range(1200)]
    (tmp_path / "in" / "t.csv").write_text("\n".join(["id,label", *rows, "1,cat", "2,dog"]))
    source = files(tmp_path / "in" / "t.csv")
    assert facts(source) == {"1.png": ("cat", None), "2.png": ("dog", None)}
    assert len(source.problems) == 1200


def test_why_a_table_beside_a_single_folder_is_not_used(tmp_path: Path) -> None:
    folder_of(tmp_path, "pictures/1.png", "pictures/2.png")
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    source = files(tmp_path)
    assert source.classes == ("pictures",)
    (problem,) = source.problems
    assert problem.name == "labels.csv"
    assert "has no column of file names" in problem.reason
    assert problem.reason.endswith("it has 2 columns without names, and begins with: a, b")


@pytest.mark.parametrize("start", ["PK,label", "P1\tlabel"])
def test_tables_whose_first_column_is_called_as_archives_and_pictures_begin(tmp_path: Path, start: str) -> None:
    folder_of(tmp_path, "1.png", "2.png")
    (tmp_path / "t.csv").write_text(f"{start}\n1.png,cat\n2.png,dog\n".replace(",", start[2]))
    assert facts(files(tmp_path / "t.csv")) == {"1.png": ("cat", None), "2.png": ("dog", None)}


def test_what_is_not_decoded_counts_as_no_picture(tmp_path: Path) -> None:
    folder_of(tmp_path, "cat/1.png", "dog/2.png")
    fill(tmp_path, {"cat/x.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n", "cat/x.h5": b"\x89HDF\r\n\x1a\n"})
    assert [(one.name, one.reason) for one in files(tmp_path).problems] == [
        ("cat/x.eps", "no picture"), ("cat/x.h5", "no picture"),
    ]  # fmt: skip


# Tables of pixels


def pixels(count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (count, 5, 5), np.uint8), draw.integers(0, 3, count)


def rows_of(images: np.ndarray, labels: np.ndarray, header: bool, last: bool = False) -> str:
    names = [f"pixel{k}" for k in range(images[0].size)]
    flat = images.reshape(len(images), -1).tolist()
    lines = [[*row, label] if last else [label, *row] for label, row in zip(labels, flat, strict=True)]
    first = [[*names, "label"] if last else ["label", *names]] if header else []
    return "".join(",".join(map(str, line)) + "\n" for line in [*first, *lines])


@pytest.mark.parametrize("header", [True, False])
def test_csv_of_pixels(tmp_path: Path, header: bool) -> None:
    images, labels = pixels()
    (tmp_path / "digits.csv").write_text(rows_of(images, labels, header))
    source = arrays(tmp_path / "digits.csv")
    np.testing.assert_array_equal(source.splits[""][0], images)
    np.testing.assert_array_equal(source.splits[""][1], labels)
    assert (source.name, source.classes) == ("digits", ("0", "1", "2"))


def test_csv_of_pixels_with_text_labels_last_gzipped(tmp_path: Path) -> None:
    images, labels = pixels()
    names = np.array(["cat", "dog", "fox"])[labels]
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(rows_of(images, names, True, last=True).encode()))
    source = arrays(tmp_path / "x.csv.gz")
    np.testing.assert_array_equal(source.splits[""][0], images)
    np.testing.assert_array_equal(np.array(source.classes)[source.splits[""][1]], names)


def test_csv_of_pixels_in_a_folder_with_one_file_for_each_split(tmp_path: Path) -> None:
    train, test = pixels(9), pixels(5, seed=1)
    (tmp_path / "mnist_train.csv").write_text(rows_of(*train, True))
    (tmp_path / "mnist_test.csv").write_text(rows_of(*test, True))
    (tmp_path / "unlabelled.csv").write_text(rows_of(*test, True).split("\n", 1)[0].removeprefix("label,") + "\n")
    source = arrays(tmp_path)
    assert {split: len(pair[0]) for split, pair in source.splits.items()} == {"train": 9, "test": 5}
    np.testing.assert_array_equal(source.splits["test"][0], test[0])


def test_csv_with_all_pixels_in_one_cell(tmp_path: Path) -> None:
    images, _ = pixels(3)
    rows = [
        f"{k},{' '.join(map(str, one.ravel()))},{use}"
        for k, (one, use) in enumerate(zip(images, ("Training", "PublicTest", "PrivateTest"), strict=True))
    ]
    (tmp_path / "faces.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows))
    source = arrays(tmp_path / "faces.csv")
    assert {split: pair[1].tolist() for split, pair in source.splits.items()} == {
        "train": [0],
        "validation": [1],
        "test": [2],
    }
    np.testing.assert_array_equal(source.splits["test"][0][0], images[2])


def test_tables_of_pixels_in_the_folders_of_their_splits(tmp_path: Path) -> None:
    for split, count in (("train", 9), ("test", 5)):
        (tmp_path / split).mkdir()
        (tmp_path / split / "digits.csv").write_text(rows_of(*pixels(count), True))
    assert {split: len(pair[0]) for split, pair in arrays(tmp_path).splits.items()} == {"train": 9, "test": 5}
    before = arrays(tmp_path).stamp
    (tmp_path / "train").rename(tmp_path / "validation")
    assert arrays(tmp_path).stamp != before  # the same bytes mean another split


def test_words_that_are_no_split_are_named_for_pixels_too(tmp_path: Path) -> None:
    images, _ = pixels(3)
    rows = [
        f"{k},{' '.join(map(str, one.ravel()))},{use}" for k, (one, use) in enumerate(zip(images, "AAB", strict=True))
    ]
    (tmp_path / "faces.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows))
    (problem,) = arrays(tmp_path / "faces.csv").problems
    assert "says 'A', 'B' in 3 rows, which is no split" in problem.reason


def test_rows_of_pixels_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    images, labels = pixels(8)
    lines = rows_of(images, labels, True).splitlines()
    lines[2] = lines[2][:40]
    lines[4] = lines[4].replace(",", ",x", 1)
    lines[6] = lines[6].split(",", 1)[1].join([",", ""])
    (tmp_path / "x.csv").write_text("\n".join(lines))
    source = arrays(tmp_path / "x.csv")
    np.testing.assert_array_equal(source.splits[""][0], images[[0, 2, 4, 6, 7]])
    assert [(one.name, one.reason) for one in source.problems] == [
        ("x.csv, line 3", "not 25 numbers"), ("x.csv, line 5", "not 25 numbers"), ("x.csv, line 7", "no label"),
    ]  # fmt: skip


def test_rows_of_pixels_that_are_not_named_are_counted(tmp_path: Path) -> None:
    header, *rows = rows_of(*pixels(60), True).splitlines()
    bad = [row.replace(",", ",x", 1) for row in rows]
    (tmp_path / "x.csv").write_text("\n".join([header, *bad, *rows[:2]]))
    problems = arrays(tmp_path / "x.csv").problems
    assert (len(problems), sum(one.count for one in problems)) == (51, 60)
    assert problems[-1].reason == "10 more lines like these"


def test_a_table_of_pixels_without_names_may_have_its_labels_last(tmp_path: Path) -> None:
    images, labels = pixels(40)
    images[:, 0, 0] = 0  # the corner of a scan is ground
    (tmp_path / "scans.tra").write_text(rows_of(images, labels, False, last=True))
    source = arrays(tmp_path / "scans.tra")
    np.testing.assert_array_equal(source.splits[""][1], labels)
    np.testing.assert_array_equal(source.splits[""][0], images)
    order = np.argsort(labels, kind="stable")
    half = order[: int((labels == 0).sum())]  # labels first, and sorted: the sample has a single one
    (tmp_path / "sorted.csv").write_text(rows_of(images[half], labels[half], False))
    np.testing.assert_array_equal(arrays(tmp_path / "sorted.csv").splits[""][0], images[half])


def test_tables_of_pixels_of_several_sizes_are_refused(tmp_path: Path) -> None:
    images, labels = pixels(8)
    (tmp_path / "a.csv").write_text(rows_of(images, labels, True))
    (tmp_path / "b.csv").write_text(rows_of(images[:, :4, :4], labels, True))
    with pytest.raises(InputError, match=r"hold images of 5 × 5 and 4 × 4 pixels; pass those of one size"):
        open_source(tmp_path)


# IDX


def idx(array: np.ndarray) -> bytes:
    return idx_header(array.shape) + array.astype(np.uint8).tobytes()


def idx_files(images: np.ndarray, labels: np.ndarray, prefix: str = "", split: str = "train") -> dict[str, bytes]:
    return {f"{prefix}{split}-images-idx3-ubyte": idx(images), f"{prefix}{split}-labels-idx1-ubyte": idx(labels)}


@pytest.mark.parametrize("packed", [True, False])
def test_four_idx_files(tmp_path: Path, packed: bool) -> None:
    train, test = pixels(9), pixels(5, seed=1)
    made = idx_files(*train) | idx_files(*test, split="t10k")
    fill(tmp_path, {f"{name}.gz": gzip.compress(data) for name, data in made.items()} if packed else made)
    for path in (tmp_path, next(tmp_path.iterdir())):
        source = arrays(path)
        np.testing.assert_array_equal(source.splits["train"][0], train[0])
        np.testing.assert_array_equal(source.splits["test"][0], test[0])
        np.testing.assert_array_equal(source.splits["test"][1], test[1])
        assert source.form == "IDX files"


@pytest.mark.parametrize("mapping", [True, False])
def test_emnist_letters(tmp_path: Path, mapping: bool) -> None:
    images, _ = pixels(26)
    images = images[:, :4]
    fill(tmp_path, idx_files(images.transpose(0, 2, 1), np.arange(1, 27), "emnist-letters-"))
    fill(tmp_path, idx_files(images, np.arange(26), "emnist-mnist-"))
    if mapping:
        table = "".join(f"{k} {64 + k} {96 + k}\n" for k in range(1, 27))
        (tmp_path / "emnist-letters-mapping.txt").write_text(table)
    source = arrays(tmp_path / "emnist-letters-train-labels-idx1-ubyte")
    np.testing.assert_array_equal(source.splits["train"][0], images)
    np.testing.assert_array_equal(source.splits["train"][1], np.arange(26))
    assert source.classes[:2] == (("A/a", "B/b") if mapping else ("A", "B"))
    assert source.name == "emnist-letters"
    with pytest.raises(InputError, match=r"several sets of IDX files \(emnist-letters, emnist-mnist\); pass a file"):
        open_source(tmp_path)


def test_the_classes_of_emnist_are_the_same_downloaded_and_by_hand(tmp_path: Path) -> None:
    images, _ = pixels(26)
    fill(tmp_path, idx_files(images, np.arange(1, 27), "emnist-letters-"))
    assert arrays(tmp_path).classes == PUBLISHED["emnist-letters"].classes


@pytest.mark.parametrize("words", [("train", "test"), ("training", "t10k"), ("mnist-train", "eval")])
def test_idx_files_in_the_folders_of_their_splits(tmp_path: Path, words: tuple[str, str]) -> None:
    train, test = pixels(9), pixels(5, seed=1)
    for word, pair in zip(words, (train, test), strict=True):
        fill(tmp_path / word, {name.removeprefix("train-"): data for name, data in idx_files(*pair).items()})
    source = arrays(tmp_path)
    assert source.splits.keys() == {"train", "test"}
    np.testing.assert_array_equal(source.splits["train"][0], train[0])
    np.testing.assert_array_equal(source.splits["test"][1], test[1])


def test_idx_files_for_the_same_part_must_be_copies(tmp_path: Path) -> None:
    made = idx_files(*pixels(9))
    fill(tmp_path, made | {f"{name}.gz": gzip.compress(data) for name, data in made.items()})
    fill(tmp_path / "raw", made)
    assert len(arrays(tmp_path).splits["train"][0]) == 9
    fill(tmp_path / "other", idx_files(*pixels(9, seed=1)))
    with pytest.raises(InputError, match=r"two IDX files for the same images, other/train-images\S+ and raw/train-im"):
        open_source(tmp_path)
    assert len(arrays(tmp_path / "train-images-idx3-ubyte").splits["train"][0]) == 9


def test_qmnist_labels(tmp_path: Path) -> None:
    images, labels = pixels(6)
    wide = np.stack([labels, *[np.arange(6)] * 7], axis=1).astype(">i4")
    fill(tmp_path, {
        "qmnist-train-images-idx3-ubyte": idx(images),
        "qmnist-train-labels-idx2-int": bytes([0, 0, 0x0C, 2]) + np.array([6, 8], ">u4").tobytes() + wide.tobytes(),
    })  # fmt: skip
    np.testing.assert_array_equal(arrays(tmp_path).splits["train"][1], labels)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (idx_header((60_000, 28, 28)) + bytes(100), "says 47,040,000 bytes .* but it holds 100"),
        (idx_header((2**32 - 1, 2**31, 2**31)) + bytes(100), "more than 4 GB"),
        (idx_header((3, 5, 5)) + bytes(99), "holds more"),
        (idx_header((0, 5, 5)), "there are none"),
        (b"\0\0\x08\x03\0\0", "ends within its header"),
    ],
)
def test_idx_files_that_lie(tmp_path: Path, data: bytes, reason: str) -> None:
    fill(tmp_path, idx_files(*pixels(3)))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    with pytest.raises(InputError, match=reason):
        open_source(tmp_path)


# NumPy


NAMES = {
    "keras": ("x_train", "y_train", "x_test", "y_test"),
    "medmnist": ("train_images", "train_labels", "test_images", "test_labels"),
    "camel": ("trainImages", "trainLabels", "testImages", "testLabels"),
    "none": ("arr_0", "arr_1", "arr_2", "arr_3"),
}


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, names: str, save: Callable[..., None]) -> None:
    train, test = pixels(9), pixels(5, seed=1)
    save(tmp_path / "x.npz", **dict(zip(NAMES[names], (*train, *test), strict=True)))
    for path in (tmp_path / "x.npz", tmp_path):
        source = arrays(path)
        np.testing.assert_array_equal(source.splits["train"][0], train[0])
        np.testing.assert_array_equal(source.splits["test"][1], test[1])


def test_npy_files_and_npz_of_one_array_each(tmp_path: Path) -> None:
    images, labels = pixels()
    fill(tmp_path / "a", {})
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "images.npy", np.asfortranarray(images))
    np.save(tmp_path / "a" / "labels.npy", labels.astype(">i4")[:, None])
    (tmp_path / "b").mkdir()
    np.savez(tmp_path / "b" / "kmnist-train-imgs.npz", images)
    np.savez(tmp_path / "b" / "kmnist-train-labels.npz", labels)
    for path, split in ((tmp_path / "a", ""), (tmp_path / "a" / "images.npy", ""), (tmp_path / "b", "train")):
        source = arrays(path)
        np.testing.assert_array_equal(source.splits[split][0], images)
        np.testing.assert_array_equal(source.splits[split][1], labels)


@pytest.mark.parametrize("form", ["npz", "nameless npz", "npy", "names npy"])
def test_numpy_files_whose_path_states_the_split(tmp_path: Path, form: str) -> None:
    parts = {"train": pixels(9), "test": pixels(5, seed=1)}
    for split, (images, labels) in parts.items():
        (tmp_path / split).mkdir()
        if form == "npz":
            np.savez(tmp_path / f"{split}.npz", images=images, labels=labels)
        elif form == "nameless npz":
            np.savez(tmp_path / f"digits_{split}.npz", images, labels)
        else:
            prefix = f"{split}/" if form == "npy" else f"{split}/x_{split}_"
            np.save(tmp_path / f"{prefix}images.npy", images)
            np.save(tmp_path / f"{prefix}labels.npy", labels)
    source = arrays(tmp_path)
    assert source.splits.keys() == parts.keys()
    for split, (images, labels) in parts.items():
        np.testing.assert_array_equal(source.splits[split][0], images)
        np.testing.assert_array_equal(source.splits[split][1], labels)
    assert source.problems == ()


def test_arrays_for_the_same_part_are_refused_or_named(tmp_path: Path) -> None:
    (images, labels), others = pixels(9), pixels(5, seed=1)
    np.savez(tmp_path / "a.npz", images=images, labels=labels, image_masks=images // 2, x_test=images)
    assert [(one.name, one.reason) for one in arrays(tmp_path / "a.npz").problems] == [
        ("a.npz, image_masks", "a.npz, images is used for the images already"),
        ("a.npz, x_test", "no labels with it"),
    ]
    np.savez(tmp_path / "b.npz", images=others[0], labels=others[1])
    with pytest.raises(InputError, match=r"two arrays for the same images, a.npz, images and b.npz, images; name the"):
        open_source(tmp_path)


def test_arrays_without_a_split_are_for_training_beside_those_for_the_test(tmp_path: Path) -> None:
    (images, labels), test = pixels(9), pixels(5, seed=1)
    few = {"images": images, "labels": labels, "test_images": test[0], "test_labels": test[1]}
    np.savez(tmp_path / "x.npz", **few)
    assert {split: len(pair[0]) for split, pair in arrays(tmp_path / "x.npz").splits.items()} == {"train": 9, "test": 5}
    np.savez(tmp_path / "x.npz", **few, train_images=images, train_labels=labels)
    source = arrays(tmp_path / "x.npz")
    assert source.splits.keys() == {"train", "test"}
    assert [one.reason for one in source.problems] == ["names no split, where others do"] * 2


@pytest.mark.parametrize("called", ["class_names", "label_names", "target_names", "classes"])
def test_names_of_classes_beside_arrays(tmp_path: Path, called: str) -> None:
    images, labels = pixels()
    held = {called: np.array(["cat", "dog", "fox"]), "images": images, "labels": labels}
    np.savez(tmp_path / "x.npz", **held)
    (tmp_path / "npy").mkdir()
    for name, array in held.items():
        np.save(tmp_path / "npy" / f"{name}.npy", array)
    for path in (tmp_path / "x.npz", tmp_path / "npy"):
        assert arrays(path).classes == ("cat", "dog", "fox")


def test_names_of_files_are_no_names_of_classes(tmp_path: Path) -> None:
    images, labels = pixels()
    for given in (labels, np.array(["cat", "dog", "fox"])[labels]):
        np.savez(tmp_path / "x.npz", images=images, labels=given, names=np.array([f"{k}.png" for k in range(12)]))
        assert len(arrays(tmp_path / "x.npz").classes) == 3


def test_text_labels_beside_names_of_classes(tmp_path: Path) -> None:
    images, labels = pixels()
    names = np.array(["fox", "cat", "dog", "owl"])
    np.savez(tmp_path / "x.npz", images=images, labels=names[labels], classes=names)
    source = arrays(tmp_path / "x.npz")
    assert source.classes == tuple(names)
    np.testing.assert_array_equal(source.splits[""][1], labels)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return os.mkdir, (str(tmp_path / "trap"),)

    images, labels = pixels()
    trap = np.array([Trap()] * len(labels), object)
    np.savez(tmp_path / "bad.npz", images=images, labels=trap)
    np.savez(tmp_path / "good.npz", images=images, labels=labels, extra=trap)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "alone").mkdir()
    np.save(tmp_path / "alone" / "images.npy", trap)
    for name in ("bad.npz", "plain.pkl", "alone/images.npy"):
        with pytest.raises(InputError, match="pickle.*could run any program"):
            open_source(tmp_path / name)
    assert [one.name for one in arrays(tmp_path / "good.npz").problems] == ["extra"]
    assert not (tmp_path / "trap").exists()


# Arrays


def test_scales_are_told_by_the_largest_value() -> None:
    images, labels = pixels()
    images[0, 0, 0] = 255
    for given in (
        images,
        images.astype(np.int64),
        images.astype(np.float32),
        images / 255,
        images.astype(np.uint16) * 257,
    ):
        np.testing.assert_array_equal(from_arrays((given, labels)).splits[""][0], images)
    black = (images > 99).astype(np.uint8)
    for given in (black, black.astype(bool), black.astype(float)):
        np.testing.assert_array_equal(from_arrays((given, labels)).splits[""][0], black * 255)
    faint = from_arrays((np.array([[[0.25]], [[1.0]]]), np.arange(2)), (np.array([[[0.5]]]), np.arange(1)))
    assert faint.splits["test"][0].item() == 128  # the same scale for both splits
    for bad in (images / 127.5 - 1, images.astype(np.int64) * 3):
        with pytest.raises(InputError, match="expected 0 to 255 or 0 to 1"):
            from_arrays((bad, labels))


def test_shapes() -> None:
    images, labels = pixels()
    colour = np.stack([images, images // 2, images // 3], axis=-1)
    for given, expected in {
        "flat": (images.reshape(12, 25), images),
        "one channel": (images[..., None], images),
        "colour": (colour, colour),
        "channels first": (colour.transpose(0, 3, 1, 2), colour),
        "opaque": (np.concatenate([colour, np.full_like(images, 255)[..., None]], axis=-1), colour),
        "transparent": (np.concatenate([colour, np.zeros_like(images)[..., None]], axis=-1), np.full_like(colour, 255)),
    }.values():
        np.testing.assert_array_equal(from_arrays((given, labels)).splits[""][0], expected)
    for bad in (images[0], images.reshape(12, 25)[:, :7], colour[..., :2], images.astype(str), images[:0]):
        with pytest.raises(InputError, match="expected"):
            from_arrays((bad, labels[: len(bad)]))


def test_labels() -> None:
    images, labels = pixels()
    for given in (labels, labels.astype(np.uint8), labels.astype(float), labels[:, None], np.eye(3, dtype=int)[labels]):
        source = from_arrays((images, given))
        np.testing.assert_array_equal(source.splits[""][1], labels)
        assert source.splits[""][1].dtype == np.int64
    assert from_arrays((images, np.where(labels == 2, 7, labels))).classes == ("0", "1", "7")
    assert from_arrays((images, np.array(["cat", "dog", "fox"], object)[labels])).classes == ("cat", "dog", "fox")
    named = from_arrays((images, labels), classes=["c", "b", "a"])
    assert named.classes == ("c", "b", "a")
    np.testing.assert_array_equal(named.splits[""][1], labels)
    for bad in (labels[:5], labels + 0.5, np.stack([labels] * 3, axis=1), labels.astype(object)):
        with pytest.raises(InputError, match="labels"):
            from_arrays((images, bad))
    with pytest.raises(InputError, match="with 2 classes they must be 0 to 1"):
        from_arrays((images, labels), classes=["a", "b"])


def test_images_that_are_no_numbers_are_named() -> None:
    images, labels = pixels()
    broken = images / 255
    broken[3, 2, 2] = np.nan
    source = from_arrays((broken, labels))
    np.testing.assert_array_equal(source.splits[""][0], np.delete(images, 3, axis=0))
    np.testing.assert_array_equal(source.splits[""][1], np.delete(labels, 3))
    assert [(one.name, one.reason) for one in source.problems] == [("image 3", "a pixel in it is no number")]


def test_the_stamp_of_arrays_is_their_content() -> None:
    images, labels = pixels()
    before = from_arrays((images, labels)).stamp
    assert from_arrays((images.copy(), labels)).stamp == before
    images[1, 1, 1] ^= 1
    assert from_arrays((images, labels)).stamp != before


# Parquet


class _Column(list):
    def column(self, _: int) -> "_Column":
        return self

    def to_pylist(self) -> list:
        return list(self)

    def __getitem__(self, row):
        return types.SimpleNamespace(as_py=lambda: list.__getitem__(self, row))


def _stand_in() -> types.ModuleType:
    """What is used of pyarrow, on files of JSON: for machines without it."""

    class ParquetFile:
        def __init__(self, path: Path) -> None:
            raw = Path(path).read_bytes()
            try:
                self.content = json.loads(raw[4:])
            except ValueError as error:
                raise ValueError("Couldn't deserialize thrift: \nTProtocolException") from error
            groups = self.content["groups"]
            schema = {k.encode(): v.encode() for k, v in self.content["metadata"].items()}
            self.schema_arrow = types.SimpleNamespace(names=list(groups[0]), metadata=schema)
            facts = [types.SimpleNamespace(num_rows=len(one["label"]), total_byte_size=1000) for one in groups]
            self.metadata = types.SimpleNamespace(num_row_groups=len(facts), row_group=facts.__getitem__)

        def read(self, columns: list[str]) -> _Column:
            return _Column(cell for group in self.content["groups"] for cell in group[columns[0]])

        def read_row_group(self, number: int, columns: list[str]) -> _Column:
            cells = self.content["groups"][number][columns[0]]
            return _Column(cell and {**cell, "bytes": bytes.fromhex(cell["bytes"])} for cell in cells)

    package, module = types.ModuleType("pyarrow"), types.ModuleType("pyarrow.parquet")
    package.parquet, module.ParquetFile = module, ParquetFile  # type: ignore[attr-defined]
    return package


CATS = ("cat", "dog")


@pytest.fixture
def write_parquet(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write rows of pictures and labels as Hugging Face does: with pyarrow where it is, or else for a stand-in."""

    def metadata_for(names: tuple[str, ...]) -> dict[str, str]:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        return {"huggingface": json.dumps({"info": {"features": features}})} if names else {}

    try:
        import pyarrow  # pyright: ignore[reportMissingImports]
        from pyarrow import parquet  # pyright: ignore[reportMissingImports]
    except ImportError:
        package = _stand_in()
        monkeypatch.setitem(sys.modules, "pyarrow", package)
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", package.parquet)

        def write(path: Path, pictures: list, labels: list, group: int, names: tuple[str, ...] = CATS) -> None:
            cells = [one and {"bytes": one.hex(), "path": None} for one in pictures]
            starts = range(0, len(labels), group)
            groups = [{"image": cells[at : at + group], "label": labels[at : at + group]} for at in starts]
            path.write_bytes(b"PAR1" + json.dumps({"metadata": metadata_for(names), "groups": groups}).encode())

        return write

    def write_real(path: Path, pictures: list, labels: list, group: int, names: tuple[str, ...] = CATS) -> None:
        kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        cells = [one and {"bytes": one, "path": None} for one in pictures]
        table = pyarrow.table({"image": pyarrow.array(cells, kind), "label": pyarrow.array(labels, pyarrow.int64())})
        parquet.write_table(table.replace_schema_metadata(metadata_for(names)), path, row_group_size=group)

    return write_real


def test_parquet(tmp_path: Path, write_parquet: Callable[..., None]) -> None:
    write_parquet(tmp_path / "train-00000-of-00001.parquet", [png(k) for k in range(7)], [0, 1, 0, 1, 0, None, 5], 2)
    write_parquet(tmp_path / "test-00000-of-00001.parquet", [png(70), None], [1, 0], 2)
    source = files(tmp_path)
    assert source.classes == ("cat", "dog")
    assert [(item.label, item.split) for item in source.items] == [
        ("dog", "test"), ("cat", "test"), *[(label, "train") for label in ("cat", "dog", "cat", "dog", "cat")],
    ]  # fmt: skip
    assert [one.reason for one in source.problems] == ["no label", "its label is 5, no class"]
    good = [item for item in source.items if item.name != "test-00000-of-00001.parquet, row 1"]
    assert [Image.open(io.BytesIO(item.read())).getpixel((0, 0)) for item in good] == [70, 0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="no picture in this row"):
        source.items[1].read()
    assert {item.split for item in files(tmp_path / "train-00000-of-00001.parquet").items} == {None}


def test_parquet_in_the_folders_of_its_splits(tmp_path: Path, write_parquet: Callable[..., None]) -> None:
    for folder, count in (("partial-train", 3), ("test", 2)):
        (tmp_path / "default" / folder).mkdir(parents=True)
        write_parquet(
            tmp_path / "default" / folder / "0000.parquet", [png(k) for k in range(count)], [0, 1, 0][:count], 9
        )
    assert [item.split for item in files(tmp_path).items] == ["train"] * 3 + ["test"] * 2


def test_parquet_files_must_name_the_same_classes(tmp_path: Path, write_parquet: Callable[..., None]) -> None:
    write_parquet(tmp_path / "train.parquet", [png(1), png(2)], [0, 1], 9)
    write_parquet(tmp_path / "test.parquet", [png(3), png(4)], [0, 1], 9, names=("dog", "cat"))
    assert {item.name: item.label for item in files(tmp_path).items} == {
        "train.parquet, row 0": "cat", "train.parquet, row 1": "dog",
        "test.parquet, row 0": "dog", "test.parquet, row 1": "cat",
    }  # fmt: skip
    for names, said in ((("cat", "owl"), "names cat, dog|names cat, owl"), ((), "row 0 is called '0'")):
        write_parquet(tmp_path / "test.parquet", [png(3), png(4)], [0, 1], 9, names=names)
        with pytest.raises(InputError, match=rf"classes differ: .*({said}).*; write the same class names"):
            open_source(tmp_path)


def test_groups_of_parquet_are_read_once(
    tmp_path: Path, write_parquet: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again for almost every picture, because threads decode in several places."""
    write_parquet(tmp_path / "x.parquet", [png(k % 256) for k in range(600)], [k % 2 for k in range(600)], 2)
    source = files(tmp_path / "x.parquet")
    kind = parquet._pyarrow(tmp_path).ParquetFile
    reads: list[int] = []
    read = kind.read_row_group
    monkeypatch.setattr(
        kind,
        "read_row_group",
        lambda self, group, columns: (reads.append(group), read(self, group, columns=columns))[1],
    )
    done = list(blocks(source, Preparation(size=(5, 6), colour="gray")))
    assert [int(image[0, 0]) for block in done for image in block.images] == [k % 256 for k in range(600)]
    assert reads == list(range(300))


def test_damaged_parquet(tmp_path: Path, write_parquet: Callable[..., None]) -> None:
    write_parquet(tmp_path / "x.parquet", [png()], [0], 1)
    (tmp_path / "x.parquet").write_bytes((tmp_path / "x.parquet").read_bytes()[:-30])
    with pytest.raises(InputError, match=r"^cannot read the Parquet file x.parquet: [^\n]+$"):
        open_source(tmp_path / "x.parquet")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    fill(tmp_path, {"a.parquet": b"PAR1....PAR1", "b.parquet": b"PAR1....PAR1"})
    for path in (tmp_path, tmp_path / "a.parquet"):
        with pytest.raises(InputError, match=r"needs pyarrow; install it with: pip install 'glassnet\[parquet\]'"):
            open_source(path)


# What cannot be used at all


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("cat.png", png(), "a single picture"),
        ("x.h5", b"\x89HDF\r\n\x1a\n", "HDF5"),
        ("x.7z", b"7z\xbc\xaf\x27\x1c", "7z archive; pack it as zip"),
        ("x.bin", b"\1\2\0\3" * 50, "of an unknown kind"),
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n  \n", "empty"),
        ("x.csv", b"a,b\n1,2\n", "no column of file names"),
        ("x.csv", b"file,size\nx.png,1\ny.png,2\n", "none of the pictures"),
        ("x.zip", b"PK\3\4 nothing", "cannot read the archive"),
        ("x.csv", b"label," + b"1," * 20 + b"2\n", "no column|pixels in a row|empty|cannot|no row"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=reason) as caught:
        open_source(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, reason in {
        tmp_path / "nowhere": "there is nothing at",
        tmp_path / "empty": "holds no files; expected a folder for each class",
        folder_of(tmp_path / "flat", "1.png", "2.png"): r"no picture with a label \(such as 1.png: lies in no folder",
        folder_of(tmp_path / "splits", "train/1.png", "test/2.png"): "no picture with a label",
        fill(tmp_path / "texts", {"a/x.txt": b"x"}): r"a/x.txt: no picture",
        fill(tmp_path / "packed", {"pets.zip": b"PK"}): "but the archive pets.zip; name that instead",
        fill(tmp_path / "idx", {"x.idx": idx(np.zeros(3))}): "IDX files without names such as train-images-idx3-ubyte",
        fill(tmp_path / "half", {"train-images-idx3-ubyte": b"x"}): "a file like train-labels-idx1-ubyte beside",
        Path(os.devnull): "neither a file nor a folder",
    }.items():
        with pytest.raises(InputError, match=reason):
            open_source(path)
