"""Images of one's own in the lab: how they come in, what is kept of them, and what can be mended with a click."""

import asyncio
import io
import json
import re
import signal
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

import glassnet
from glassnet.datasets import Dataset, Problem, load
from glassnet.errors import InputError
from glassnet.lab import arrivals, files, ownset, ownsets, telling
from glassnet.lab.desk import Desk
from glassnet.lab.jobs import Crew
from glassnet.lab.ownset import OwnSet, describe
from glassnet.lab.ownsets import OwnSets
from glassnet.lab.parts.findings import write_findings
from glassnet.lab.remedies import Remedy, find_remedies
from glassnet.lab.tab import Lab
from glassnet.runs import read_passport
from tests.browser import CHROMIUM, SWITCHES, run_apart
from tests.test_lab_page import PATIENCE, Served, open_page, serve, step  # noqa: F401  (a fixture)

SIDE = 16


def picture(kind: str, number: int) -> Picture.Image:
    """A ball or a box, each at another place."""
    generator = np.random.default_rng(number + 1000 * len(kind))
    pixels = generator.integers(0, 40, (SIDE, SIDE, 3)).astype(np.uint8)
    x, y = generator.integers(6, 10, 2)
    across, down = np.abs(np.mgrid[:SIDE, :SIDE] - np.array([y, x])[:, None, None])
    shape = across**2 + down**2 < 20 if kind == "ball" else np.maximum(across, down) < 5
    pixels[shape] = (230, 120, 60) if kind == "ball" else (60, 120, 230)
    return Picture.fromarray(pixels)


def png(image: Picture.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def write_folder(folder: Path, count: int = 12) -> Path:
    for kind in ("ball", "box"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            picture(kind, number).save(folder / kind / f"{number}.png")
    return folder


def write_zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@pytest.fixture
def sets(tmp_path: Path) -> OwnSets:
    return OwnSets(tmp_path / "runs" / "sets")


def fill(own: OwnSet, count: int = 8) -> list[str]:
    return [
        own.add_image(label, picture(kind, k)) for k in range(count) for label, kind in (("c1", "ball"), ("c2", "box"))
    ]


def files_in(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_a_set_is_whole_when_it_is_read_again(sets: OwnSets) -> None:
    own = sets.create()
    images = fill(own)
    own.rename("Toys")
    own.leave_out(images[:2], ownset.REMOVED)
    own.note_refused("a.txt", "it is no picture")
    own.remove_class(own.add_class("Empty"))
    table = own.write_version()
    (own.folder / "images" / "c1" / ".half-written.png").write_bytes(b"what a killed lab leaves")
    again = OwnSets(sets.folder).find(own.key)
    assert again is not None
    assert describe(again, 100) == describe(own, 100)
    assert (again.left_out, again.refused) == (own.left_out, own.refused)
    assert again.write_version() == table
    assert "images/c1/.half-written.png" not in files_in(own.folder)
    assert again.add_image("c1", picture("ball", 99)) > images[-1]


def test_what_is_kept_of_a_small_picture_is_its_pixels_and_nothing_else(sets: OwnSets, tmp_path: Path) -> None:
    own = sets.create()
    exif = Picture.Exif()
    exif[0x010E] = "at home, 1 Example Street"
    file = tmp_path / "photo.png"
    picture("ball", 0).save(file, exif=exif)
    kept = own.path("c1", arrivals.keep_picture(own, "c1", file, "photo.png")["image"])
    assert kept is not None
    assert (np.asarray(Picture.open(kept)) == np.asarray(picture("ball", 0))).all()
    assert b"Example Street" not in kept.read_bytes()
    Picture.new("L", (4000, 1000), 90).save(file)
    large = own.path("c1", arrivals.keep_picture(own, "c1", file, "photo.png")["image"])
    assert large is not None
    with Picture.open(large) as shrunk:
        assert shrunk.size == (320, 80)
        assert shrunk.mode == "L"


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_names_from_the_browser_decide_no_path(tmp_path_factory: pytest.TempPathFactory, title: str, name: str) -> None:
    folder = tmp_path_factory.mktemp("names")
    own = OwnSets(folder / "sets").create()
    try:
        own.rename_class("c1", name)
        own.rename(title)
    except InputError as error:
        assert re.search("is empty|already", str(error))
        return
    fill(own, 2)
    table = own.write_version()
    assert table.parent == own.folder
    assert re.fullmatch(r"[\w-]+-1\.csv", table.name)
    assert all(one.startswith(f"sets/{own.key}/") for one in files_in(folder))
    data = load(table)
    assert set(data.classes) == {one.name for one in own.shown}
    assert sum(map(len, data.splits)) == 4


def test_versions_are_kept_and_equal_ones_are_one(sets: OwnSets) -> None:
    own = sets.create()
    images = fill(own)
    first = own.write_version()
    before = first.read_text()
    assert own.leave_out([images[0], "no such image"], "copies") == 1
    second = own.write_version()
    assert (second != first, first.read_text()) == (True, before)
    assert images[0] not in second.read_text()
    assert own.put_back("copies") == 1
    assert own.write_version() == first
    own.remove_class("c1")
    with pytest.raises(InputError, match="1 class with images; at least 2"):
        own.write_version()
    own.remove_class("c1", removed=False)
    assert own.write_version() == first
    packed = load(first).source
    assert packed is not None
    assert packed.folder is not None
    sets.delete(own.key)
    assert not own.folder.exists()
    assert not packed.folder.exists()
    assert sets.all() == []


def test_a_class_needs_two_images_and_a_name_of_its_own(sets: OwnSets) -> None:
    own = sets.create()
    assert "no classes with images" in own.why_not()
    fill(own, 1)
    assert own.why_not() == "Class 1 has 1 image; at least 2 are needed, one to learn from and one for the test"
    for act in (lambda: own.rename_class("c1", "Class 2"), lambda: own.add_class("Class 1"), lambda: own.rename(" ")):
        with pytest.raises(InputError):
            act()
    fill(own, 1)
    assert own.why_not() == ""


def test_what_is_deleted_stays_deleted(sets: OwnSets) -> None:
    own = sets.create()  # as another page still shows it
    sets.delete(own.key)
    acts = (
        lambda: own.rename("Toys"),
        lambda: own.add_class("ball"),
        lambda: own.add_image("c1", picture("ball", 0)),
        lambda: own.note_refused("a.txt", "it is no picture"),
    )
    for act in acts:
        with pytest.raises(InputError, match="was deleted; open another one"):
            act()
    assert not own.folder.exists()
    assert OwnSets(sets.folder).all() == sets.all() == []


def test_a_set_with_a_name_or_without_a_class_is_not_taken_for_a_new_one(sets: OwnSets) -> None:
    named, smaller, new = sets.create(), sets.create(), sets.create()
    named.rename("Toys")
    smaller.remove_class("c2")
    assert [one.is_untouched for one in (named, smaller, new)] == [False, False, True]


def test_limits(sets: OwnSets, monkeypatch: pytest.MonkeyPatch) -> None:
    own = sets.create()
    monkeypatch.setattr(ownset, "MOST_IMAGES", 3)
    monkeypatch.setattr(ownset, "MOST_CLASSES", 2)
    monkeypatch.setattr(ownsets, "MOST_SETS", 1)
    with pytest.raises(InputError, match="3 images at most"):
        fill(own)
    with pytest.raises(InputError, match="2 classes at most"):
        own.add_class()
    with pytest.raises(InputError, match="1 sets of images at most"):
        sets.create()
    with pytest.raises(InputError, match="no longer there"):
        own.add_image("c9", picture("ball", 0))
    monkeypatch.setattr(ownset, "LEAST_FREE_BYTES", 10**18)
    monkeypatch.setattr(ownset, "MOST_IMAGES", 100)
    with pytest.raises(InputError, match="disk of the lab is full"):
        own.add_image("c1", picture("ball", 0))


def test_frames_of_a_second_stay_on_one_side(sets: OwnSets, monkeypatch: pytest.MonkeyPatch) -> None:
    own = sets.create()
    now = [1_700_000_000_000]
    monkeypatch.setattr(ownset.time, "time_ns", lambda: now[0] * 1_000_000)
    for number in range(80):  # eight seconds of a ball, half a second of a box
        now[0] += 100
        own.add_image("c1", picture("ball", number), camera=True)
    for number in range(5):
        now[0] += 100
        own.add_image("c2", picture("box", number), camera=True)
    data = load(own.write_version())
    assert data.source is not None
    sides: dict[int, set[str]] = {}
    for split, names in data.source.names.items():
        for name in names:
            if "/c1/" in name:
                sides.setdefault(int(name.rpartition("/")[2][:12], 16) // 1000, set()).add(split)
    assert len(sides) >= 8
    assert {len(one) for one in sides.values()} == {1}
    assert {split for one in sides.values() for split in one} == {"train", "test", "validation"}
    for split in (data.train, data.test):
        assert set(split.labels.tolist()) == {0, 1}


# -- how it comes in ---------------------------------------------------------------------------------------------------


def test_a_zip_makes_classes_and_says_what_could_not_be_used(sets: OwnSets, tmp_path: Path) -> None:
    own = sets.create()
    members = {f"things/train/{kind}/{k}.png": png(picture(kind, k)) for kind in ("ball", "box") for k in range(4)}
    members |= {f"things/test/{kind}/{k}.png": png(picture(kind, k)) for kind in ("ball", "box") for k in (8, 9)}
    members |= {"things/train/ball/cut.png": png(picture("ball", 1))[:60], "../../out.png": png(picture("ball", 2))}
    told = arrivals.keep_archive(own, write_zip(tmp_path / ".arriving-1", **members), "things.zip")
    assert told == {"taken": 12, "refused": 2}
    assert [(one.name, len(own.used(one.key))) for one in own.shown] == [("ball", 6), ("box", 6)]
    assert {name.rpartition("/")[2] for name, _ in own.refused} == {"cut.png", "out.png"}
    data = load(own.write_version())
    assert sorted(data.test.labels.tolist()) == [0, 0, 1, 1]  # as the zip states
    assert {one.split("/")[0] for one in files_in(tmp_path)} == {"runs", ".arriving-1"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no archive", "my.zip"),
        (png(picture("ball", 0)), "my.zip is a single picture"),
        (b"PK\x05\x06" + bytes(18), "my.zip holds no files"),
    ],
)
def test_what_is_no_archive_costs_one_line(sets: OwnSets, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / ".arriving-1").write_bytes(data)
    own = sets.create()
    with pytest.raises(InputError, match=words) as caught:
        arrivals.keep_archive(own, tmp_path / ".arriving-1", "my.zip")
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not any(own.images.values())


def test_a_zip_bomb_is_refused(sets: OwnSets, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / ".arriving-1", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/bomb.png", bytes(60_000_000))
    with pytest.raises(InputError, match="bomb"):
        arrivals.keep_archive(sets.create(), tmp_path / ".arriving-1", "bomb.zip")


def test_names_that_are_one_when_they_are_cut_are_refused(sets: OwnSets, tmp_path: Path) -> None:
    own, long = sets.create(), "a class with a name that is longer than forty letters, "
    members = {f"{long}{end}/{k}.png": png(picture("ball", k)) for end in ("left", "right") for k in range(2)}
    with pytest.raises(InputError, match=r"left and .*right would both be called .* here; rename"):
        arrivals.keep_archive(own, write_zip(tmp_path / ".arriving-1", **members), "long.zip")
    assert not any(own.images.values())
    assert [one.name for one in own.shown] == ["Class 1", "Class 2"]


def test_only_classes_that_nobody_has_named_give_way(sets: OwnSets, tmp_path: Path) -> None:
    own = sets.create()
    own.rename_class("c1", "Class A")
    members = {f"{kind}/{k}.png": png(picture(kind, k)) for kind in ("ball", "box") for k in range(2)}
    arrivals.keep_archive(own, write_zip(tmp_path / ".arriving-1", **members), "two.zip")
    assert [one.name for one in own.shown] == ["Class A", "ball", "box"]


def test_arrays_come_in_too(sets: OwnSets, tmp_path: Path) -> None:
    images = np.stack([np.asarray(picture("ball", k)) for k in range(6)])
    stream = io.BytesIO()
    np.savez(stream, x_train=images, y_train=np.array([0, 1] * 3))
    (tmp_path / ".arriving-1").write_bytes(stream.getvalue())
    own = sets.create()
    assert arrivals.keep_archive(own, tmp_path / ".arriving-1", "some.npz") == {"taken": 6, "refused": 0}
    assert [(one.name, len(own.used(one.key))) for one in own.shown] == [("0", 3), ("1", 3)]


def test_an_archive_tells_how_far_it_is_while_it_is_taken_apart(sets: OwnSets, tmp_path: Path) -> None:
    members = {f"{kind}/{k}.png": png(picture(kind, k)) for kind in ("ball", "box") for k in range(2)}
    path = write_zip(tmp_path / ".arriving-1", **members, **{"ball/cut.png": b"no picture"})
    own, told = sets.create(), []
    arrivals.keep_archive(
        own, path, "x.zip", lambda *news: told.append((*news, sum(map(len, own.images.values())), len(own.refused)))
    )
    assert [one[:2] for one in told] == [(k, 5) for k in range(6)]
    assert [one[2] for one in (told[0], told[-1])] == [0, 4]

    async def read() -> tuple[list[Any], list[Any]]:
        heard = asyncio.Event()

        async def work(tell: telling.Tell) -> Response:
            for done in range(1001):
                tell(done, 1000)
            await heard.wait()  # for ever, if the first line came with the last
            return PlainTextResponse("The disk is full.", 507)

        answer = await telling.tell_on_the_way(work)
        assert isinstance(answer, StreamingResponse)
        lines = []
        async for line in answer.body_iterator:
            assert isinstance(line, bytes)
            lines.append(json.loads(line))
            heard.set()

        async def refuse(tell: telling.Tell) -> Response:
            return PlainTextResponse("no", 404)

        assert (await telling.tell_on_the_way(refuse)).status_code == 404
        return lines[:-1], lines[-1]

    news, answer = run_apart(read())
    assert news == [{"done": k, "total": 1000} for k in range(0, 1001, 10)]
    assert answer == {"problem": "The disk is full."}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files are open")
def test_what_arrives_is_closed_before_it_is_read_and_gone_afterwards(
    sets: OwnSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows does not open a file again that is still open for writing."""
    own, seen, keep = sets.create(), [], arrivals.keep_picture

    def look_and_keep(own: OwnSet, label: str, path: Path, *rest: Any, **options: Any) -> dict[str, Any]:
        seen.extend(one for one in Path("/proc/self/fd").iterdir() if one.exists() and path.samefile(one))
        return keep(own, label, path, *rest, **options)

    monkeypatch.setattr(arrivals, "keep_picture", look_and_keep)
    app = FastAPI()
    lab, tab = Lab(sets.folder, Crew(sets.folder), Desk("none"), Desk("none")), SimpleNamespace(touch=lambda: None)
    lab.tabs |= {"tab": cast(Any, tab)}
    arrivals.add_routes(app, lab, sets)
    take: Any = next(one for one in app.routes if getattr(one, "path", "").endswith("/{label}"))

    def send(body: bytes) -> dict[str, Any]:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        request = Request({"type": "http", "headers": [], "query_string": b""}, receive)
        return json.loads(run_apart(take.endpoint("tab", own.key, "c1", request)).body)

    assert send(png(picture("ball", 0)))["count"] == 1
    assert "no picture" in send(b"no picture")["problem"]
    assert "0 bytes" in send(b"")["problem"]
    assert seen == []
    assert [one.name for one in sets.folder.iterdir() if one.name.startswith(arrivals.ARRIVING)] == []


@pytest.mark.usefixtures("unchecked")  # there is no page behind the tab
def test_a_page_that_goes_while_it_sends_is_no_failure(sets: OwnSets) -> None:
    own, app = sets.create(), FastAPI()
    lab = Lab(sets.folder, Crew(sets.folder), Desk("none"), Desk("none"))
    lab.tabs |= {"tab": cast(Any, SimpleNamespace(touch=lambda: None, receive_photo=print))}
    arrivals.add_routes(app, lab, sets)
    files.add_routes(app, lab)
    take: dict[str, Any] = {getattr(one, "path", ""): getattr(one, "endpoint", None) for one in app.routes}

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    for path, known in (("/own/{tab}/{key}/{label}", ("tab", own.key, "c1")), ("/photo/{key}", ("tab",))):
        request = Request({"type": "http", "headers": [], "query_string": b""}, receive)
        assert run_apart(take[path](*known, request)).status_code == 499


def test_a_program_is_called_as_its_run_in_any_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "find_run", lambda folder, name: folder / name)
    app, lab = FastAPI(), Lab(tmp_path, Crew(tmp_path), Desk("none"), Desk("none"))
    said: Future[str] = Future()
    said.set_result("import keras")
    lab.study = cast(Any, SimpleNamespace(ask=lambda *_: said))
    files.add_routes(app, lab)
    give: Any = next(one for one in app.routes if getattr(one, "path", "").endswith("/code.py"))
    answer = run_apart(give.endpoint("Ziffern-数字"))
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''Ziffern-%E6%95%B0%E5%AD%97.py"


def test_what_is_used_in_another_way_is_not_called_left_out() -> None:
    problems = [Problem("a.png", "it is truncated"), Problem("groups", "two are parted", left_out=False)]
    problems += [Problem(f"{k}.png", "it is empty", count=2) for k in range(3)]
    drawn = re.sub("<[^>]*>", " ", write_findings((), problems))
    assert "Left out: a.png: it is truncated" in drawn
    assert "Groups: two are parted" in drawn
    assert "And 2 more left out" in drawn


def test_the_places_of_files_say_their_classes(sets: OwnSets, tmp_path: Path) -> None:
    def place(*places: object) -> Any:
        (tmp_path / "list").write_text(json.dumps(places))
        return arrivals.place_files(own, tmp_path / "list", "a folder")

    own = sets.create()
    dogs = [f"pics/dog/{k}.png" for k in range(20)]
    assert place("pics/cat/in/../2.png", "pics/loose.png", *dogs) == [["c1", ""], None, *[["c2", ""]] * 20]
    assert [one.name for one in own.shown] == ["cat", "dog"]
    own = sets.create("Other")
    assert place("a/train/x/1.png", "a/test/y/2.png") == [["c1", "train"], ["c2", "test"]]
    own = sets.create("Third")
    for nonsense in (b"{", b"7", b"[" * 100_000):
        (tmp_path / "list").write_bytes(nonsense)
        with pytest.raises(InputError, match="cannot be read"):
            arrivals.place_files(own, tmp_path / "list", "a folder")
    with pytest.raises(InputError, match="a folder for each class"):
        place("1.png", "2.png")


# -- what is wrong with it ---------------------------------------------------------------------------------------------


def flawed(own: OwnSet) -> dict[str, set[str]]:
    """A set with a copy, a contradiction and a blank image, and which images these are."""
    fill(own, 24)
    copies = [own.add_image("c1", picture("ball", 1)), own.add_image("c2", picture("box", 2))]
    wrong = own.add_image("c2", picture("ball", 3))
    blank = own.add_image("c1", Picture.new("RGB", (SIDE, SIDE), (70, 70, 70)))
    right = own.images["c1"][3]
    return {
        "copies": {*copies, own.images["c1"][1], own.images["c2"][2]},
        "contradictions": {wrong, right},
        "blank": {blank},
    }


def chosen(data: Dataset, why: str) -> tuple[Remedy, ...]:
    return tuple(one for one in find_remedies(data) if one.why == why)


def test_remedies_name_exactly_the_images_that_must_go(sets: OwnSets) -> None:
    own = sets.create()
    expected = flawed(own)
    data = load(own.write_version())
    named = {why: {image.rpartition("/")[2] for one in chosen(data, why) for image in one.images} for why in expected}
    assert named["contradictions"] == expected["contradictions"]
    assert named["blank"] == expected["blank"]
    assert named["copies"] < expected["copies"]
    assert len(named["copies"]) == 2
    for why, images in named.items():
        buttons = [one.button for one in chosen(data, why)]
        assert sum(int(re.findall(r"\d+", one)[0]) for one in buttons) == len(images)
        assert own.leave_out(images, why) == len(images)
    mended = load(own.write_version())
    assert not any(one.button for one in find_remedies(mended))
    # By another way: no two images that are left are equal, and none is of one colour.
    pixels = [image.tobytes() for split in mended.splits for image in np.asarray(split.images)]
    assert len(set(pixels)) == len(pixels) == 24 * 2 - 1
    assert min(np.ptp(image) for split in mended.splits for image in split.images) > 0


def test_nothing_is_said_of_the_sets_of_the_package() -> None:
    assert find_remedies(glassnet.load("mnist")) == ()


# -- in the browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("intake")
    served = serve(folder / "runs", "--data", str(write_folder(folder / "shapes")))
    yield served
    assert end(served) == ""


def end(served: Served) -> str:
    served.process.send_signal(signal.SIGINT)
    _, errors = served.process.communicate(timeout=30)
    return errors


def open_own(page: Any) -> None:
    page.get_by_role("button", name=re.compile("Your own images|Add or remove")).click()
    page.get_by_role("heading", name="Your own images").wait_for()


def bring(page: Any, label: str, *files: tuple[str, bytes]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=f"Files for {label}", exact=True).click()
    chooser.value.set_files([{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files])


def own_sets(lab: Served) -> list[OwnSet]:
    return OwnSets(lab.runs / "sets").all()


def test_from_files_to_an_answer(open_page: Any, lab: Served) -> None:
    page = open_page()
    open_own(page)
    page.get_by_label("Name of the set").fill("Toys")
    page.get_by_label("Name of the set").press("Tab")
    page.get_by_role("status").filter(has_text="no classes with images").wait_for()
    for number, kind in enumerate(("ball", "box"), 1):
        page.get_by_label(f"Name of class {number}").fill(kind)
        page.get_by_label(f"Name of class {number}").press("Tab")
        files = [(f"{k} ‹ü›.png", png(picture(kind, k))) for k in range(12)]
        bring(page, kind, *files, ("notes.png", b"no picture"), ("empty.png", b""))
        page.locator(f"[data-class=c{number}] .card-head", has_text="12 images").wait_for()
        said = re.compile(r"12 images were added\. Not taken: (notes|empty)\.png: It is .* And 1 file more\.")
        page.get_by_text(said).wait_for()
    page.get_by_text("2 files could not be used and are left out").wait_for()
    page.get_by_role("group", name="Images of box").get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    page.get_by_text("1 image that you removed is left out").wait_for()
    page.reload()
    page.get_by_role("status").filter(has_text="23 images to use").wait_for()
    page.get_by_role("button", name="Put back: 1 image").click()
    page.get_by_role("status").filter(has_text="24 images to use").wait_for()
    page.get_by_role("button", name="Use these images").click()
    page.get_by_role("button", name=re.compile(r"^ball 9$")).wait_for()
    page.get_by_text("18 images of your own to learn from, 4 for the test, 2 for validation.").wait_for()
    assert page.get_by_label("Data set", exact=True).input_value().endswith("Toys-1.csv")
    step(page, "network")
    assert page.get_by_label("Recipe", exact=True).input_value() == "cnn"
    page.get_by_label("Recipe", exact=True).select_option("digits-32")
    page.wait_for_url(re.compile("recipe=digits-32.*Toys-1"))  # the images stay
    step(page, "training")
    page.get_by_label("Epochs", exact=True).fill("4")
    page.get_by_label("Epochs", exact=True).press("Tab")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(re.compile("of the test images are right; trained in")).wait_for()
    passport = read_passport(lab.runs / "digits-32")
    assert passport.source is not None
    data = load(passport.source.path)
    assert (passport.classes, passport.dataset_sha256) == (("ball", "box"), data.sha256)
    assert data.train.images.shape == (18, SIDE, SIDE, 3)
    step(page, "results")
    page.get_by_role("group", name="Test images").wait_for()
    page.locator(".confusion button").first.click()
    page.get_by_role("button", name="Beat the network").click()
    page.get_by_text("Image 1 of 4").wait_for()
    step(page, "tryit")
    page.get_by_role("button", name="Random test image").click()
    page.locator(".said-class small").wait_for()
    assert page.locator(".tryit .probabilities dt").count() == 2


def test_what_is_typed_survives_news_and_what_cannot_be_is_shown_as_it_was(open_page: Any, lab: Served) -> None:
    page = open_page(f"?own={OwnSets(lab.runs / 'sets').create('Typed').key}")
    name = page.get_by_label("Name of class 1")
    name.fill("ba")
    page.get_by_role("button", name="Add a class").evaluate("(button) => button.click()")  # the focus stays
    page.get_by_label("Name of class 3").wait_for()
    assert name.input_value() == "ba"
    name.press("Tab")
    page.get_by_role("button", name="Remove the class ba").wait_for()
    name.fill("Class 2")
    name.press("Tab")
    page.get_by_text("there is a class Class 2 already; choose another name").wait_for()
    page.wait_for_function("() => document.querySelector('.card-head input').value === 'ba'")


def drop(page: Any, where: Any, *files: Path) -> None:
    """Drop files as a user does; a script could not drop folders."""
    box = where.bounding_box()
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(one) for one in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


def test_folders_and_zips_make_classes(open_page: Any, lab: Served, tmp_path: Path) -> None:
    page = open_page()
    open_own(page)
    new = page.get_by_role("button", name="New set")
    new.click()
    page.get_by_role("status").filter(has_text="no classes with images").wait_for()
    said = page.locator(".intake .said")
    write_folder(tmp_path / "pics", 4)
    (tmp_path / "pics" / "ball" / "bad.png").write_bytes(b"no picture")
    drop(page, said, tmp_path / "pics" / "ball" / "1.png")
    page.get_by_text("Drop pictures on the class that they belong to").wait_for()
    drop(page, said, tmp_path / "pics")
    page.get_by_text("8 images were added. Not taken: bad.png").wait_for()
    names = page.locator(".card-head input")
    assert [one.input_value() for one in names.all()] == ["ball", "box"]
    members = {f"{kind}/{k}.png": png(picture(kind, 50 + k)) for kind in ("ball", "cone") for k in range(3)}
    drop(page, said, write_zip(tmp_path / "more.zip", **members))
    page.get_by_text("6 images from more.zip were added.").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.card-head input').length === 3")
    assert page.locator(".card-head .small").all_inner_texts() == ["7 images", "4 images", "3 images"]
    drop(page, page.locator("[data-class=c2]"), tmp_path / "pics" / "ball" / "1.png")
    page.get_by_text("1 image was added.").wait_for()
    (tmp_path / "fake.zip").write_bytes(b"no archive")
    drop(page, said, tmp_path / "fake.zip")
    page.get_by_text(re.compile("The table fake.zip has no column of file names")).wait_for()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Folder…", exact=True).click()
    chooser.value.set_files(tmp_path / "pics")
    page.get_by_text("8 images were added.").wait_for()
    page.get_by_role("button", name="Remove the class cone").click()
    page.get_by_text("The class cone is left out, with 3 images").wait_for()
    key = re.findall("own=([0-9a-f]+)", page.url)[0]
    assert key in {one.key for one in own_sets(lab)}
    page.get_by_role("button", name="Delete this set").click()
    page.get_by_role("button", name=re.compile(r"Really delete .* with 23 images\?")).click()
    page.get_by_label("Data set", exact=True).wait_for()
    assert key not in {one.key for one in own_sets(lab)}
    assert not (lab.runs / "sets" / key).exists()


def test_pictures_on_their_way_reach_the_set_that_they_were_given_to(open_page: Any, lab: Served) -> None:
    page = open_page(f"?own={OwnSets(lab.runs / 'sets').create('Slow').key}")
    held: list[Any] = []
    page.route(re.compile("/own/.*/c1$"), lambda one: held.append(one) if len(held) < 3 else one.continue_())
    bring(page, "Class 1", *((f"{k}.png", png(picture("ball", k))) for k in range(7)))
    while len(held) < 3:  # the others wait in the page
        page.wait_for_timeout(20)
    before = page.url
    page.get_by_role("button", name="New set").click()
    page.wait_for_url(lambda url: url != before)
    for one in held:
        one.continue_()
    page.get_by_text("7 images were added to the set that was open before.").wait_for()
    assert page.locator(".card-head .small").all_inner_texts() == ["0 images", "0 images"]
    assert page.locator(".thumbs").count() == 0
    kept = {key: OwnSets(lab.runs / "sets").find(key) for key in re.findall("own=([0-9a-f]+)", before + page.url)}
    assert [len(one.used("c1")) for one in kept.values() if one] == [7, 0]


def test_a_zip_shows_how_far_it_is(open_page: Any, lab: Served, tmp_path: Path) -> None:
    page = open_page(f"?own={OwnSets(lab.runs / 'sets').create('Zipped').key}")
    said = page.locator(".intake .said")
    said.wait_for(state="attached")
    page.evaluate(
        """() => {
            window.seen = [];
            const look = () => {
                const bar = document.querySelector('.intake progress');
                window.seen.push([document.querySelector('.intake .said').innerText, bar && bar.value]);
            };
            new MutationObserver(look).observe(document.querySelector('.intake'), {
                subtree: true, childList: true, characterData: true, attributes: true,
            });
        }"""
    )
    members = {f"{kind}/{k}.png": png(picture(kind, k)) for kind in ("ball", "box") for k in range(2)}
    with page.expect_response(re.compile("/archive$")) as answer:
        drop(page, page.locator(".intake"), write_zip(tmp_path / "four.zip", **members))
    # Anything else, and the lab's own compression would hold the news back until all is done.
    assert answer.value.headers["content-encoding"] == "identity"
    page.get_by_text("4 images from four.zip were added.").wait_for()
    assert page.locator(".intake progress").count() == 0
    seen = [tuple(one) for one in page.evaluate("window.seen")]
    steps = list(dict.fromkeys(one for one in seen if one[0].startswith(("Adding", "Reading"))))
    assert steps[-6:] == [
        ("Reading four.zip…", None),
        *((f"Adding {k} of 4 images from four.zip…", k / 4) for k in range(5)),
    ]


def test_findings_are_mended_by_a_click_and_back(open_page: Any, lab: Served) -> None:
    own = OwnSets(lab.runs / "sets").create("Flawed")
    flawed(own)
    page = open_page(f"?own={own.key}")
    page.get_by_role("button", name="Use these images").click()
    show = page.get_by_role("button", name=re.compile("Show: 1 picture has copies with different labels"))
    show.click()
    page.get_by_role("heading", name=re.compile("1 picture has copies")).wait_for()
    shown = page.get_by_role("group", name="Training images").get_by_role("button")
    assert shown.count() == 2
    assert {one.split(": ")[1] for one in shown.evaluate_all("all => all.map(e => e.ariaLabel)")} == {
        "Class 1",
        "Class 2",
    }
    page.get_by_role("button", name="Leave out 2 images with two labels").click()
    page.get_by_text("2 images with two labels are left out").wait_for()
    page.get_by_role("button", name="Leave out 1 blank image").click()
    page.get_by_text("1 blank image is left out").wait_for()
    copies = page.get_by_role("button", name=re.compile(r"Leave out \d cop"))
    while not page.get_by_text("2 copies are left out").count():
        copies.first.click()
        page.get_by_text(re.compile("cop(y is|ies are) left out")).wait_for()
        page.wait_for_timeout(300)
    page.wait_for_function("() => !document.querySelector('.finding [data-pick^=fix]')")
    page.get_by_role("button", name="Put back: 2 copies").click()
    copies.first.wait_for()
    page.get_by_role("button", name="Add or remove images").click()
    page.get_by_label("Name of class 1").fill("Balls")
    page.get_by_label("Name of class 1").press("Tab")
    page.get_by_role("button", name="Remove the class Balls").wait_for()
    page.get_by_role("button", name="Back", exact=True).click()
    page.get_by_text("The set was changed since").wait_for()
    page.get_by_role("button", name="Use the images as they are now").click()
    page.get_by_role("button", name=re.compile("^Balls ")).wait_for()
    assert page.get_by_text("The set was changed since").count() == 0
    page.get_by_label("Data set", exact=True).select_option(label="shapes")
    page.get_by_text("18 images of your own (a folder for each class)").wait_for()


def test_a_folder_that_the_lab_was_started_with_is_mended_in_a_copy(browser: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "shapes", 10)
    picture("ball", 2).save(folder / "ball" / "again.png")
    before = files_in(folder)
    served = serve(tmp_path / "runs", "--data", str(folder))
    try:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
        page.goto(f"{served.url}?set={folder}")
        page.get_by_role("button", name="Leave out 1 copy").click()
        page.get_by_text("1 copy is left out").wait_for()
        page.wait_for_function("() => !document.querySelector('.finding [data-pick^=fix]')")
        assert files_in(folder) == before
        page.wait_for_function("(set) => new URLSearchParams(location.search).get('set') !== set", arg=str(folder))
        address = page.url.partition("?")[2]
        served.process.kill()  # what was copied is kept
        served.process.wait()
        (own,) = own_sets(served)
        assert [(one.name, len(own.used(one.key))) for one in own.shown] == [("ball", 10), ("box", 10)]
        again = serve(tmp_path / "runs")
        try:
            page.goto(f"{again.url}?{address}")
            page.get_by_role("button", name="Add or remove images").click()
            page.get_by_role("status").filter(has_text="20 images to use").wait_for()
            page.close()
        finally:
            end(again)
    finally:
        served.process.kill()
        served.process.communicate()


# What is said when the last of the images is there is how many there are.
ALL_ADDED = """(group) => {
    const count = document.querySelector(`[aria-label="${group}"]`)?.children.length;
    return document.querySelector(".intake .said").textContent.trim() === `${count} images were added.`;
}"""


def test_the_camera_records_while_it_is_held(lab: Served) -> None:
    api = pytest.importorskip("playwright.async_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    switches = [*SWITCHES, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    own = OwnSets(lab.runs / "sets").create("Filmed")

    async def film() -> tuple[int, int]:
        async with api.async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=switches)
            page = await chromium.new_page()
            page.set_default_timeout(PATIENCE)
            await page.add_init_script("localStorage.setItem('glassnet-lab-tour', 'yes')")
            await page.goto(f"{lab.url}?own={own.key}")
            await page.get_by_role("button", name="Camera for Class 1").click()
            await page.wait_for_function("() => document.querySelector('.camera video')?.videoWidth > 0")
            hold = page.get_by_role("button", name="Hold to record into Class 1")
            await hold.hover()
            await page.mouse.down()
            await page.wait_for_timeout(1500)
            await page.mouse.up()
            await page.wait_for_function(ALL_ADDED, arg="Images of Class 1")
            first = await page.get_by_role("group", name="Images of Class 1").get_by_role("button").count()
            await page.wait_for_timeout(500)  # nothing more comes
            assert await page.get_by_role("group", name="Images of Class 1").get_by_role("button").count() == first
            await page.get_by_role("button", name="Camera for Class 2").click()
            await page.get_by_role("button", name="Hold to record into Class 2").focus()
            await page.wait_for_function("() => document.querySelector('.camera video')?.videoWidth > 0")
            await page.keyboard.down(" ")
            await page.wait_for_timeout(1000)
            await page.keyboard.up(" ")
            await page.wait_for_function(ALL_ADDED, arg="Images of Class 2")
            second = await page.get_by_role("group", name="Images of Class 2").get_by_role("button").count()
            await page.click("#step-network")
            await page.locator(".camera").wait_for(state="detached")  # nobody is filmed unseen
            await chromium.close()
            return first, second

    first, second = run_apart(film())
    assert 5 <= first <= 20  # about ten a second; a busy machine gives fewer
    assert 3 <= second <= 15
    kept = OwnSets(lab.runs / "sets").find(own.key)
    assert kept is not None
    assert [len(kept.images[label]) for label in ("c1", "c2")] == [first, second]
    assert all(ownset.second_of(image) for images in kept.images.values() for image in images)


def test_the_door_for_images_has_its_own_limits(open_page: Any, lab: Served) -> None:
    own = OwnSets(lab.runs / "sets").create("Behind the door")
    image = own.add_image("c1", picture("ball", 0))
    page = open_page(f"?own={own.key}")
    sent = page.locator(".thumbs img").first
    sent.wait_for()
    assert sent.get_attribute("src") == f"/own/{own.key}/c1/{image}"

    assert lab.status(f"own/{own.key}/c1/{image}") == 200
    assert (
        lab.status(f"own/{own.key}/c1/{image}", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
        == 403
    )
    for path in (f"{own.key}/c1/..%2f..%2fset.json", f"{own.key}/c2/{image}", f"..%2f{own.key}/c1/{image}", "x/c1/y"):
        assert lab.status(f"own/{path}") == 404
    assert lab.status(f"own/unknown/{own.key}/c1", b"x") == 404  # only open pages may send
    assert lab.status(f"own/unknown/{own.key}/c1", b"x", {"Origin": "http://evil.example"}) == 403
    before = files_in(own.folder)
    with page.expect_request(re.compile("/own/.*/c2$")) as sent_there:
        bring(page, "Class 2", ("x.png", b"no picture"))
    page.get_by_text("Not taken: x.png").wait_for()
    told = page.evaluate(
        """async ([url, most]) => {
            const post = async (path, body) => (await fetch(url + path, { method: 'POST', body })).json();
            return [
                await post('/c1', new Blob([new Uint8Array(most + 1)])),
                await post('/c1', 'no picture'),
                await post('/c9', 'no picture'),
                await post('/archive', 'no archive'),
                await post('/places', '[]'),
                await post('/c1', ''),
            ].map((one) => one.problem);
        }""",
        [sent_there.value.url.removesuffix("/c2"), arrivals.MOST_BYTES],
    )
    for said, words in zip(
        told, ("more than 20 MB", "no picture", "no picture", "no column", "for each class", "0 bytes"), strict=True
    ):
        assert words in said
        assert "\n" not in said
    assert files_in(own.folder) == before
    assert [one.name for one in (lab.runs / "sets").iterdir() if one.name.startswith(".")] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out(open_page: Any, lab: Served, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    own = OwnSets(lab.runs / "sets").create(f"Looks {scheme}")
    flawed(own)
    own.leave_out(own.images["c1"][:1], ownset.REMOVED)
    page = open_page(f"?own={own.key}", color_scheme=scheme)
    page.locator(".thumbs img").first.wait_for()
    for ready in ("Use these images", ""):
        page.wait_for_timeout(300)
        found = Axe().run(page).response["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollHeight") <= 800
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 800})
        if ready:
            page.get_by_role("button", name=ready).click()
            page.locator(".finding.serious").wait_for()
            page.mouse.move(0, 0)


def test_a_set_that_is_gone_is_said(open_page: Any) -> None:
    page = open_page("?own=0123456789abcdef")
    page.get_by_text("there is no such set of images any more").wait_for()
    hidden = open_page("?hide=set")
    assert hidden.get_by_role("button", name="Your own images").count() == 0
