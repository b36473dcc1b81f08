"""Images of one's own, from a folder to a report: the whole way, in colour and in grayscale."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import glassnet
from glassnet import Run, datasets
from glassnet.errors import InputError
from tests.conftest import Said

SHAPES = ("disc", "square", "two words")


def draw(folder: Path, each: int = 30, *, colour: bool = True, side: tuple[int, int] = (40, 150)) -> Path:
    """Draw shapes on plain ground, in many sizes and formats, a folder for each class."""
    rng = np.random.default_rng(0)
    for number, label in enumerate(SHAPES):
        (folder / label).mkdir(parents=True)
        for k in range(each):
            size = [int(one) for one in rng.integers(side[0], side[1] + 1, 2)]
            ground, ink = rng.integers(140, 256, 3), rng.integers(0, 120, 3)
            picture = Image.new("RGB", (size[0], size[1]), tuple(map(int, ground)))
            x, y, r = size[0] / 2, size[1] / 2, min(size) / 3
            pen, fill = ImageDraw.Draw(picture), tuple(map(int, ink))
            if number == 0:
                pen.ellipse([x - r, y - r, x + r, y + r], fill=fill)
            elif number == 1:
                pen.rectangle([x - r, y - r, x + r, y + r], fill=fill)
            else:
                pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=fill)
            kind = ("png", "jpg", "webp")[k % 3] if colour else "png"
            (picture if colour else picture.convert("L")).save(folder / label / f"{k} {label}.{kind}")
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("own") / "pictures")


@pytest.fixture(scope="module")
def own(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A convolutional network that was trained on the folder, opened again from its own folder."""
    out = tmp_path_factory.mktemp("runs") / "own"
    data = datasets.load(pictures, datasets.Preparation(size=(24, 24)))
    glassnet.train("cnn", data, filters=[8, 16], epochs=12, batch_size=8, out=out)
    return glassnet.open_run(out)


def test_a_convolutional_network_learns_from_a_folder(own: Run, pictures: Path) -> None:
    passport = own.passport
    assert passport.image_shape == (24, 24, 3)
    assert passport.classes == SHAPES
    assert passport.test_accuracy > 0.6
    assert passport.source
    assert passport.source.path == str(pictures)
    assert passport.source.preparation["size"] == [24, 24]
    assert passport.source.preparation["colour"] == "colour"
    assert passport.class_counts == {"train": (21,) * 3, "test": (6,) * 3, "validation": (3,) * 3}


def test_its_run_finds_its_images_again_and_evaluates(own: Run) -> None:
    data = own.dataset()
    assert data.sha256 == own.passport.dataset_sha256
    assert glassnet.evaluate(own).accuracy == pytest.approx(own.passport.test_accuracy)


def test_it_predicts_pictures_of_any_size(own: Run, pictures: Path) -> None:
    paths = sorted(pictures.glob("*/*"))[::7]
    predictions = glassnet.predict(own, paths)
    right = [one.label == path.parent.name for one, path in zip(predictions, paths, strict=True)]
    assert np.mean(right) > 0.6


def test_its_report_is_written(own: Run, tmp_path: Path) -> None:
    page = glassnet.write_report(own, tmp_path / "report.html")
    assert "two words" in Path(page).read_text("utf-8")


def test_a_folder_that_moved_or_changed_is_said(tmp_path: Path) -> None:
    folder = draw(tmp_path / "shapes", each=6, colour=False, side=(28, 28))
    run = glassnet.train("baseline", datasets.load(folder), epochs=1, batch_size=4, out=tmp_path / "run")
    assert run.passport.image_shape == (28, 28)
    again = glassnet.open_run(tmp_path / "run")
    assert again.dataset().sha256 == run.passport.dataset_sha256
    (folder / "disc" / "0 disc.png").unlink()
    with pytest.raises(InputError, match="has changed since"):
        again.dataset()
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="nothing is now"):
        again.dataset()


@pytest.mark.parametrize("colour", [True, False])
def test_the_command_line_trains_on_a_folder(command: Callable[..., Said], tmp_path: Path, colour: bool) -> None:
    draw(tmp_path / "shapes", each=8, colour=colour)
    (tmp_path / "shapes" / "disc" / "broken [1].png").write_bytes(b"\x89PNG\r\n\x1a\n")
    looked = command("look", "shapes", "--size", 16, "--grid")
    assert looked.code == 0, looked.err
    assert "shapes: 24 images of 3 classes, a folder for each class" in looked.out
    assert "left out disc/broken [1].png" in looked.out
    trained = command("train", "fashion-128", "--data", "shapes", "--size", 16, "--epochs", 1, "--batch-size", 4)
    assert trained.code == 0, trained.err
    assert f"16 × 16 pixels, {'colour' if colour else 'gray'}, letterbox; 15 train" in trained.out
    assert command("predict", "runs/fashion-128", "--index", 0).code == 0
    assert command("predict", "runs/fashion-128", "shapes/disc/0 disc.png", "--json").code == 0
    evaluated = command("evaluate", "runs/fashion-128", "--json")
    assert evaluated.json["n"] == 6


def test_the_audit_divides_the_images_as_a_training_with_the_same_options(
    command: Callable[..., Said], tmp_path: Path
) -> None:
    draw(tmp_path / "shapes", each=8)
    options = ("shapes", "--group-by", "disc", "--size", 16)  # all images of a class on one side
    counts, looked = command("audit", *options, "--json").json["images"], command("look", *options).out
    assert f"16 × 16 pixels, colour, letterbox; {counts['train']} train, {counts['test']} test" in looked
    assert counts != command("audit", "shapes", "--json").json["images"]


def test_groups_are_not_claimed_where_stated_splits_part_them(command: Callable[..., Said], tmp_path: Path) -> None:
    for split in ("train", "test"):
        draw(tmp_path / "shapes" / split, each=2)
    said = command("look", "shapes", "--group-by", r"\d").out
    assert "grouped by" not in said.replace("not grouped by", "")
    assert r"not grouped by \d: 2 groups are in several splits (0, 1), because" in " ".join(said.split())


def test_look_says_as_json_where_an_image_came_from(command: Callable[..., Said], tmp_path: Path) -> None:
    draw(tmp_path / "shapes", each=4, colour=False)
    said = command("look", "shapes", "--json", "--fit", "crop", "--color", "gray").json
    assert said["name"].startswith(said["class"])
    assert said["source"]["preparation"]["fit"] == "crop"
    assert said["source"]["form"] == "a folder for each class"


@pytest.mark.usefixtures("unchecked")  # users get glassnet's own errors
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "cnn", "--data", "nowhere"), "no data set named 'nowhere'"),
        (("train", "cnn", "--data", "mnist", "--size", "20"), "--size is for images of your own"),
        (("train", "cnn", "--data", "shapes", "--fit", "bend"), "no fit named 'bend'"),
        (("train", "cnn", "--data", "shapes", "--group-by", "("), "no regular expression"),
        (
            ("train", "cnn", "--data", "shapes", "--group-by", "Patient"),
            "finds nothing in any name of an image, such as",
        ),
        (("train", "cnn", "--data", "empty"), "empty"),
        (("audit", "shapes", "--group-by", "("), "no regular expression"),
        (("audit", "no.csv"), "2 columns without names, and begins with: a, b"),
        (("look", "shapes", "--split", "valid"), "no split named 'valid'; did you mean 'validation'"),
    ],
)
def test_mistakes_cost_one_line(
    command: Callable[..., Said], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    draw(tmp_path / "shapes", each=4)
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    answer = command(*arguments)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
