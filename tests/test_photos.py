"""Photos become what the network was trained on: what each step does, several subjects, folders, bad photos."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pillow_heif
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

import glassnet
from glassnet import Dataset, Run, photos
from glassnet.benchmark import foreign
from glassnet.benchmark.photo_scores import score_photos
from glassnet.benchmark.photos import STYLES, render
from glassnet.datasets import Preparation
from glassnet.datasets.decoding import decode
from glassnet.datasets.preparation import fitted
from glassnet.doctor import examine_photo
from glassnet.errors import InputError, PhotoError, UnknownNameError
from glassnet.figures.canvas import save
from glassnet.figures.photos import draw_examination
from glassnet.photos import DataFacts, data_facts, develop, develop_files, develop_many, develop_otherwise
from glassnet.photos import files as photo_files
from glassnet.photos.facts import stroke_thickness
from glassnet.photos.framing import draw_strokes
from glassnet.photos.light import contrast_weights, flatten, is_dark_on_light, otsu
from glassnet.photos.lines import TILTS, _chords, remove_lines
from glassnet.photos.medians import median_around
from glassnet.photos.opening import open_photo
from glassnet.photos.pieces import fill_hull
from glassnet.photos.steps import resize, to_bytes
from glassnet.photos.strokes import find_strokes
from glassnet.photos.subjects import SOFT, Subject, find_subjects, own_ink
from glassnet.prediction import Prediction, Unreadable, answer_photos, photo_facts, predict_developed, predict_photos
from glassnet.prediction.second_look import DOUBTFUL, second_look
from tests.conftest import Said, part


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    return glassnet.load("mnist")


@pytest.fixture(scope="module")
def digits(mnist: Dataset) -> Run:
    return glassnet.train(glassnet.recipes.find("digits-128").changed(epochs=3, held_out=0.05), mnist)


@pytest.fixture(scope="module")
def facts(mnist: Dataset) -> DataFacts:
    return data_facts(mnist.train.images)


def mask_of(paper: np.ndarray, degrees: float) -> Image.Image:
    """Where paper is in a picture of it that was turned."""
    return Image.new("L", (paper.shape[1], paper.shape[0]), 255).rotate(degrees, expand=True)


def page(*digits: np.ndarray, size: int = 180, ink: int = 160) -> np.ndarray:
    """Digits side by side, dark on light gray paper."""
    sheet = np.full((size + 120, 40 + (size + 60) * len(digits), 3), 225, np.uint8)
    for k, digit in enumerate(digits):
        large = np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)).astype(int)
        left = 30 + (size + 60) * k
        sheet[60 : 60 + size, left : left + size] -= (large * ink // 255).astype(np.uint8)[..., None]
    return sheet


def agreement(images: list[np.ndarray], truth: np.ndarray) -> float:
    """How alike two sets of images are, as the mean correlation of their pixels."""
    return float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(images, truth, strict=True)]))


def test_facts_are_those_the_sets_were_made_with(mnist: Dataset, fashion: Dataset, facts: DataFacts) -> None:
    assert (facts.kind, facts.background, facts.subject_size, facts.centring) == ("drawings", 0, 20, "mass")
    assert facts.centre == pytest.approx((14, 14), abs=0.05)
    things = data_facts(fashion.train.images)
    assert (things.kind, things.subject_size, things.centring) == ("items", 28, "box")
    turned = data_facts(255 - mnist.train.images[:500])
    assert (turned.kind, turned.background) == ("drawings", 255)
    noise = np.random.default_rng(0).integers(0, 255, (50, 16, 16, 3), np.uint8)
    assert data_facts(noise).kind == "scenes"
    assert DataFacts.of_record(facts.record()) == facts


@pytest.mark.parametrize("thickness", [2, 3, 5, 8])
def test_stroke_thickness_is_that_of_a_bar(thickness: int) -> None:
    bar = np.zeros((60, 90), np.uint8)
    bar[20 : 20 + thickness, 5:85] = 255
    assert stroke_thickness(bar) == pytest.approx(thickness, rel=0.12)


def test_otsu_separates_two_classes_and_agrees_with_trying_every_threshold() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(60, 8, 4000), rng.normal(180, 10, 1000)])
    spread = [
        (values < t).mean() * values[values < t].var() + (values >= t).mean() * values[values >= t].var()
        for t in np.arange(40, 200)
    ]
    found = otsu(values)
    within = (values < found).mean() * values[values < found].var() + (values >= found).mean() * values[
        values >= found
    ].var()
    assert within <= min(spread) * 1.01


def test_gray_is_taken_from_the_channel_that_carries_the_contrast() -> None:
    yellow = np.full((200, 200, 3), 240, np.float32)
    yellow[90:100, 40:160] = (235, 225, 40)
    assert contrast_weights(yellow)[2] > 0.9
    assert contrast_weights(np.full((50, 50, 3), 200, np.float32)).sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [16, 28, 64, 300])
def test_polarity_is_that_of_the_ground(mnist: Dataset, size: int) -> None:
    right = 0
    for image in mnist.test.images[:30]:
        large = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)).astype(np.float32)
        right += is_dark_on_light(255 - large) + (not is_dark_on_light(large))
    assert right == 60


def test_even_light_takes_a_shadow_away_and_leaves_the_stroke() -> None:
    paper = np.full((240, 320), 230.0, np.float32)
    paper[:, 200:] *= 0.55
    paper[100:108, 40:290] *= 0.3
    ink = flatten(paper)
    stroke = ink[102:106, 50:280]
    assert np.median(ink) < 0.03
    assert np.quantile(stroke, 0.1) > 0.6
    away = np.ones(ink.shape, bool)
    away[90:118] = False
    away[:, 190:212] = False
    assert np.quantile(ink[away], 0.99) < 0.1


def test_printed_lines_go_and_the_digit_stays(mnist: Dataset) -> None:
    digit = np.asarray(Image.fromarray(mnist.test.images[0]).resize((200, 200))) / 255.0
    ink = np.zeros((300, 400))
    ink[50:250, 100:300] = digit * 0.8
    lined = ink.copy()
    lined[::30] = np.maximum(lined[::30], 0.5)
    lined[:, ::30] = np.maximum(lined[:, ::30], 0.5)
    cleaned, count = remove_lines(lined)
    assert count > 15
    assert np.abs(cleaned - ink).sum() < 0.35 * np.abs(lined - ink).sum()
    untouched, none = remove_lines(ink)
    assert none == 0
    assert np.array_equal(untouched, ink)


def test_a_page_of_paper_gives_back_the_training_image(mnist: Dataset, facts: DataFacts) -> None:
    images = mnist.test.images[:40]
    developed = [develop(page(one), (28, 28), facts) for one in images]
    assert agreement([one.image for one in developed], images) > 0.93
    assert not [warning for one in developed for warning in one.warnings]
    assert {step.name for step in developed[0].steps} >= {"gray", "polarity", "flatten", "crop", "thickness", "centre"}
    for step in developed[0].steps:
        assert step.title
        assert step.about
        assert step.seen.shape == (28, 28)
        if step.made is None:
            assert np.array_equal(step.seen, resize(step.image, (28, 28)))
    assert developed[0].steps[-1].seen is developed[0].image


def test_strokes_are_redrawn_with_and_without_another_thickness(mnist: Dataset) -> None:
    ink = np.asarray(Image.fromarray(mnist.test.images[0]).resize((200, 200))) / 255.0
    own, thick = draw_strokes(ink, 0.5, 20, None), draw_strokes(ink, 0.5, 20, (4.0, 5.0))
    assert np.array_equal(own.drawing, own.plain)
    assert np.array_equal(own.plain, thick.plain)
    assert own.before == own.after == thick.before < thick.after == 4.0
    assert (thick.drawing > 0.5).sum() > 1.3 * (own.drawing > 0.5).sum()


@pytest.mark.parametrize("quarter", [0, 90])
def test_lines_are_as_long_as_the_picture_is_wide_there(quarter: int) -> None:
    """A level or upright line crosses the whole picture; a tilted one that ends at the sides is longer by 1/cos."""
    height, width = 120, 160
    chords = _chords(height, width, quarter)
    span = width if quarter == 0 else height
    level, tilted = np.abs(TILTS).argmin(), np.abs(TILTS - 12).argmin()
    assert np.median(chords[level][chords[level] > 0]) == pytest.approx(span, rel=0.05)
    assert np.median(np.sort(chords[tilted])[-20:]) == pytest.approx(span / np.cos(np.deg2rad(12)), rel=0.06)


def test_one_subjects_ink_is_that_around_its_strokes() -> None:
    ink = np.random.default_rng(0).random((60, 80))
    mask = np.zeros(ink.shape, bool)
    mask[0:9, 70:80] = mask[4:20, 72:74] = True
    own = own_ink(ink, Subject((0, 20, 70, 80), mask, 1.0))
    assert np.array_equal(own, np.where(ndimage.binary_dilation(mask, iterations=SOFT), ink, 0))


def test_brightness_becomes_bytes() -> None:
    values = np.array([-3.0, 0.4, 0.6, 127.2, 254.9, 300.0], np.float32)
    assert to_bytes(values).tolist() == [0, 0, 1, 127, 255, 255]
    assert values[0] == -3
    as_they_are = np.arange(3, dtype=np.uint8)
    assert to_bytes(as_they_are) is as_they_are


def test_the_training_images_own_form_is_only_turned(mnist: Dataset, facts: DataFacts) -> None:
    for image in mnist.test.images[:50]:
        assert np.array_equal(photos.read_photo(image, (28, 28), facts), image)
        assert np.array_equal(photos.read_photo(255 - image, (28, 28), facts), image)


def test_thin_pen_gets_the_thickness_of_the_training_data(facts: DataFacts) -> None:
    sheet = np.full((300, 400), 230, np.uint8)
    sheet[60:240, 200:204] = 40
    sheet[60:64, 120:204] = 40
    low, _, high = facts.thickness
    assert stroke_thickness(develop(sheet, (28, 28), facts, without=["thickness"]).image) < low
    assert low <= stroke_thickness(develop(sheet, (28, 28), facts).image) <= high


@pytest.mark.parametrize("step", photos.STEPS)
def test_every_step_can_be_left_out(mnist: Dataset, fashion: Dataset, facts: DataFacts, step: str) -> None:
    left = develop(page(mnist.test.images[3]), (28, 28), facts, without=[step])
    assert left.image.shape == (28, 28)
    assert step not in {one.name for one in left.steps}
    things = data_facts(fashion.train.images)
    left = develop(render("items", "sheet", fashion.test.images[3], 0), (28, 28), things, without=[step])
    assert left.image.shape == (28, 28)
    with pytest.raises(UnknownNameError, match="no step named"):
        develop(page(mnist.test.images[3]), (28, 28), facts, without=["sharpen"])


def test_colour_photos_are_turned_and_resized_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (64, 48, 3), np.uint8)
    scenes = data_facts(rng.integers(0, 255, (20, 32, 24, 3), np.uint8))
    developed = develop(picture, (32, 24, 3), scenes)
    expected = np.asarray(Image.fromarray(picture).resize((24, 32), Image.Resampling.LANCZOS))
    assert np.abs(developed.image.astype(int) - expected).max() <= 2
    assert [step.name for step in developed.steps] == ["upright", "resize"]


@pytest.mark.parametrize("fit", ["letterbox", "crop", "stretch"])
def test_photos_get_the_proportions_that_their_training_images_got(tmp_path: Path, fit: Any) -> None:
    rng = np.random.default_rng(0)
    for number in range(8):
        folder = tmp_path / "images" / "train" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture = np.kron(rng.integers(0, 255, (5, 15, 3), np.uint8), np.ones((20, 20, 1), np.uint8))
        Image.fromarray(picture).save(folder / f"{number}.png")
    data = glassnet.load(tmp_path / "images", Preparation(size=(30, 30), fit=fit))
    run = glassnet.train("baseline", data, epochs=1, batch_size=2, out=tmp_path / "run")
    for facts in (photo_facts(run), photo_facts(_without_fit(run))):
        inputs = [develop(file, (30, 30, 3), facts).image for file in sorted((tmp_path / "images").rglob("*.png"))]
        data = run.dataset()
        seen = np.concatenate([one.images for one in (data.train, data.validation, data.test) if one is not None])
        for image in inputs:
            # Photos are opened larger than what is packed; other proportions or pictures are 70 apart.
            assert np.abs(seen.astype(int) - image).mean((1, 2, 3)).min() < 10


def _without_fit(run: Run) -> Run:
    """Return the run as earlier versions wrote it."""
    facts = {name: value for name, value in (run.passport.data_facts or {}).items() if name != "fit"}
    return replace(run, passport=run.passport.model_copy(update={"data_facts": facts}))


def test_an_animation_that_breaks_off_is_read_all_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (40, 40), np.uint8)) for _ in range(4)]
    frames[0].save(tmp_path / "whole.gif", save_all=True, append_images=frames[1:])
    whole = (tmp_path / "whole.gif").read_bytes()
    first = open_photo(whole).pixels
    read = 0
    for end in range(1, len(whole), 7):
        try:
            photo = open_photo(whole[:end])
        except PhotoError:
            continue
        read += np.array_equal(photo.pixels, first)
    assert read > len(whole) / 7 / 2


def test_a_garment_is_cut_out_of_its_sheet(fashion: Dataset) -> None:
    things = data_facts(fashion.train.images)
    sheet = np.full((400, 300, 3), (225, 222, 215), np.uint8)
    shirt = np.asarray(Image.fromarray(fashion.test.images[1]).resize((200, 200), Image.Resampling.BICUBIC))
    here = sheet[90:290, 50:250]
    here[shirt > 40] = (120, 30, 40)
    developed = develop(sheet, (28, 28), things)
    rows, columns = np.flatnonzero((shirt > 40).any(1)) + 90, np.flatnonzero((shirt > 40).any(0)) + 50
    box = (rows[0] / 400, rows[-1] / 400, columns[0] / 300, columns[-1] / 300)
    assert developed.box == pytest.approx(box, abs=0.04)
    outline = np.corrcoef((developed.image > 30).ravel(), (fashion.test.images[1] > 40).ravel())[0, 1]
    assert outline > 0.75
    low, _, middle, high, _ = things.brightness
    assert low < np.median(developed.image[developed.image > 30]) < 255
    assert middle < 255
    assert high < 255


def test_several_digits_are_read_in_order(digits: Run, mnist: Dataset, facts: DataFacts, tmp_path: Path) -> None:
    numbers = [0, 1, 2, 4]
    Image.fromarray(page(*(mnist.test.images[k] for k in numbers))).save(tmp_path / "many.png")
    answers = list(predict_photos(digits, [tmp_path / "many.png"], many=True))
    assert [one.label for one in answers if isinstance(one, Prediction)] == ["7", "2", "1", "4"]
    two_lines = np.vstack([page(mnist.test.images[0], mnist.test.images[2])] * 2)
    boxes = [one.box for one in develop_many(two_lines, (28, 28), facts)]
    assert len(boxes) == 4
    assert [(box[0] > 0.5, box[2] > 0.5) for box in boxes if box] == [
        (False, False),
        (False, True),
        (True, False),
        (True, True),
    ]
    alone = develop(page(*(mnist.test.images[k] for k in numbers)), (28, 28), facts)
    assert any("4 subjects" in warning for warning in alone.warnings)


def test_every_drawing_of_a_photo_has_its_warnings(mnist: Dataset, facts: DataFacts) -> None:
    dark = (page(mnist.test.images[0], mnist.test.images[2]) * 0.12).astype(np.uint8)
    dark[20:29, 20:23] = 0  # and a third one, that is small
    found = develop_many(dark, (28, 28), facts)
    assert len(found) >= 2
    assert all("very dark" in " ".join(one.warnings) for one in found)
    small = np.full((200, 400), 230, np.uint8)
    small[100:109, 100:103] = small[100:109, 300:303] = 30
    found = develop_many(small, (28, 28), facts)
    assert [" ".join(one.warnings) for one in found] == ["the subject is only 9 pixels large; go nearer"] * 2


def test_bad_photos_get_the_fitting_warning(mnist: Dataset, facts: DataFacts, tmp_path: Path) -> None:
    def warned(photo: Any) -> str:
        return " ".join(develop(photo, (28, 28), facts).warnings)

    assert "blank" in warned(np.full((300, 400, 3), 231, np.uint8))
    noisy = np.clip(np.random.default_rng(0).normal(220, 4, (300, 400, 3)), 0, 255).astype(np.uint8)
    assert "blank" in warned(noisy)
    assert "very dark" in warned((page(mnist.test.images[0]) * 0.12).astype(np.uint8))
    tiny = np.full((200, 200), 230, np.uint8)
    tiny[100:109, 100:103] = 30
    assert "go nearer" in warned(tiny)
    frames = [Image.fromarray(page(mnist.test.images[k])) for k in range(3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert "3 frames" in warned(tmp_path / "moving.gif")


def test_a_shadow_is_no_stroke(facts: DataFacts) -> None:
    rows, columns = np.mgrid[0:300, 0:400]
    light = 1 - 0.35 / (1 + np.exp((2 * rows + 3 * columns - 400) / 40))  # dark in one corner, with a soft edge
    paper = 215.0 * light
    assert develop(np.rint(np.repeat(paper[..., None], 3, 2)).astype(np.uint8), (28, 28), facts).blank
    drawn = paper.copy()
    drawn[110:230, 255:270] *= 0.3
    one = develop(np.rint(np.repeat(drawn[..., None], 3, 2)).astype(np.uint8), (28, 28), facts)
    assert not one.blank
    assert one.image[:, 16:].mean() < 0.2 * one.image[:, 10:18].mean()  # an upright stroke and nothing else
    assert one.image[:, :10].mean() < 0.2 * one.image[:, 10:18].mean()


@pytest.mark.parametrize("tone", [40, 110])
def test_a_sheet_on_a_table_is_not_what_was_drawn(mnist: Dataset, facts: DataFacts, tone: int) -> None:
    table = np.full((330, 400, 3), tone, np.uint8)
    found, alone = [], []
    for image in mnist.test.images[:20]:
        table[20:320, 60:340] = sheet = page(image)
        one = develop(table, (28, 28), facts)
        steps = {step.name: step for step in one.steps}
        assert "of the picture" in steps["sheet"].about
        assert steps["sheet"].image.min() > 45  # nothing of the table is left, and paper in its place
        assert np.median(steps["sheet"].image[:15]) > 200
        assert "dark on light" in steps["polarity"].about
        assert one.box is not None and 60 / 400 < one.box[2] < one.box[3] < 340 / 400
        assert not one.warnings
        if tone == 40:  # so dark that the sheet was taken for a light drawing
            assert develop(table, (28, 28), facts, without=["sheet"]).box != one.box
        found.append(one.image)
        alone.append(develop(sheet, (28, 28), facts).image)
    assert agreement(found, np.stack(alone)) > 0.98


def test_a_sheet_that_lies_askew_on_a_table_is_not_what_was_drawn(mnist: Dataset, facts: DataFacts) -> None:
    for image in mnist.test.images[:10]:
        sheet = Image.fromarray(np.pad(page(image), ((200, 200), (200, 200), (0, 0)), constant_values=40))
        one = develop(np.asarray(sheet.rotate(30, fillcolor=(40, 40, 40))), (28, 28), facts)
        steps = {step.name: step for step in one.steps}
        assert "dark on light" in steps["polarity"].about
        assert "of the picture" in steps["sheet"].about
        assert one.box is not None and one.box[1] - one.box[0] < 0.4


def test_a_shadow_that_strokes_cross_is_no_edge(mnist: Dataset, facts: DataFacts) -> None:
    light = ndimage.gaussian_filter1d(np.where(np.arange(300) < 195, 1, 0.6), 4)[:, None, None]
    for image in mnist.test.images[:20]:
        sheet = page(image)
        developed = [develop(one, (28, 28), facts) for one in (sheet, np.rint(sheet * light).astype(np.uint8))]
        assert agreement([developed[0].image], developed[1].image[None]) > 0.9


@pytest.mark.parametrize("form", ["box", "circle", "broken", "rings"])
def test_a_frame_around_a_digit_is_not_read(mnist: Dataset, facts: DataFacts, form: str) -> None:
    framed, alone = [], []
    for image in mnist.test.images[:20]:
        sheet = Image.fromarray(np.pad(page(image), ((60, 60), (60, 60), (0, 0)), constant_values=225))
        alone.append(develop(np.asarray(sheet), (28, 28), facts).image)
        pen, corners = ImageDraw.Draw(sheet), (75, 75, sheet.width - 75, sheet.height - 75)
        if form in ("circle", "rings"):
            pen.ellipse(corners, outline=(60, 60, 60), width=4)
        if form == "rings":
            pen.ellipse((40, 40, sheet.width - 40, sheet.height - 40), outline=(60, 60, 60), width=4)
        if form in ("box", "broken"):
            pen.rectangle(corners, outline=(60, 60, 60), width=4)
        if form == "broken":  # its left side is not seen
            pen.rectangle((70, 100, 85, sheet.height - 100), fill=(225, 225, 225))
        one = develop(np.asarray(sheet), (28, 28), facts)
        assert one.box is not None and one.box[1] - one.box[0] < 0.6
        framed.append(one.image)
    assert agreement(framed, np.stack(alone)) > 0.98


def test_paper_on_cloth_of_another_colour_is_the_sheet(mnist: Dataset, facts: DataFacts) -> None:
    cloth = np.full((500, 500, 3), (200, 60, 60), np.uint8)
    for image in mnist.test.images[:10]:
        paper = page(image)
        turned = Image.fromarray(cloth)
        turned.paste(Image.fromarray(paper).rotate(12, expand=True), (80, 80), mask_of(paper, 12))
        one = develop(np.asarray(turned), (28, 28), facts)
        steps = {step.name: step for step in one.steps}
        assert "of the picture" in steps["sheet"].about
        assert "dark on light" in steps["polarity"].about
        assert one.box is not None and one.box[1] - one.box[0] < 0.5
        assert not one.warnings


def test_light_strokes_on_a_dark_sheet_are_the_drawing(mnist: Dataset, facts: DataFacts) -> None:
    for image in mnist.test.images[:10]:
        slate = 255 - page(image)
        table = np.pad(slate, ((100, 100), (100, 100), (0, 0)), constant_values=190)
        one = develop(table, (28, 28), facts)
        steps = {step.name: step for step in one.steps}
        assert "light on dark" in steps["polarity"].about
        assert one.box is not None and one.box[1] - one.box[0] < 0.5
        assert agreement([one.image], develop(slate, (28, 28), facts).image[None]) > 0.9


def test_a_sharp_shadow_in_a_corner_is_no_sheet(mnist: Dataset, facts: DataFacts) -> None:
    rows, columns = np.mgrid[:300, :280]
    shade = np.where(rows + columns < 300, 0.55, 1)[..., None]
    for image in mnist.test.images[:20]:
        one = develop(np.rint(page(image) * shade).astype(np.uint8), (28, 28), facts)
        assert "sheet" not in {step.name for step in one.steps}


@pytest.mark.parametrize("dark", [True, False])
def test_small_pictures_cropped_tightly_keep_their_polarity(mnist: Dataset, dark: bool) -> None:
    right = []
    for image in mnist.test.images[:300]:
        bold = ndimage.grey_dilation(np.pad(image, 2), size=5)
        rows, columns = (np.flatnonzero((bold > 60).any(axis)) for axis in (1, 0))
        tight = Image.fromarray(bold[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]).resize((16, 16))
        gray = np.asarray(tight, float)
        right.append(is_dark_on_light(255 - gray if dark else gray) == dark)
    assert np.mean(right) > 0.96  # 0.94 by corners, frame and area alone


def test_a_tight_crop_of_a_bold_digit_is_not_blank(facts: DataFacts) -> None:
    ring = np.full((16, 16), 255, np.uint8)
    ring[4:12, 5:11] = 0
    for corner in (ring[:3, :2], ring[:3, -2:], ring[-3:, :2], ring[-3:, -2:]):
        corner[:] = 0
    one = develop(ring, (28, 28), facts)
    assert not one.blank
    assert one.image[14, 14] < 60 < one.image.max()


@pytest.mark.parametrize("width", [20, 36, 44])
@pytest.mark.parametrize(("ground", "ink"), [(255, 0), (230, 60), (30, 220)])
def test_what_is_seen_through_a_thick_stroke_is_not_read(facts: DataFacts, ground: int, ink: int, width: int) -> None:
    for outlines in ([(70, 30, 230, 270)], [(95, 30, 205, 155), (90, 125, 210, 270)]):
        sheet = Image.new("RGB", (300, 300), (ground,) * 3)
        for outline in outlines:
            ImageDraw.Draw(sheet).ellipse(outline, outline=(ink,) * 3, width=width)
        one = develop(np.asarray(sheet), (28, 28), facts)
        assert one.box == pytest.approx((0.1, 0.9, outlines[-1][0] / 300, outlines[-1][2] / 300), abs=0.02)
        assert not any(step.name == "sheet" for step in one.steps)


@pytest.mark.parametrize("side", [8, 16, 32])
def test_small_scans_keep_their_grays(facts: DataFacts, side: int) -> None:
    rows, columns = np.mgrid[:8, :8]
    radius = np.hypot(rows - 3.5, columns - 3.5)
    ring = np.where(np.abs(radius - 3) < 0.8, np.where(columns < 2, 0.3, 1), 0)  # its left side is faint
    scan = Image.fromarray(np.rint(255 - 255 * ring).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    image = develop(np.asarray(scan), (28, 28), facts).image
    left, middle, right = image[14, 4:8].max(), image[14, 12:16].max(), image[14, -8:-4].max()
    assert middle < 30 < left < 0.6 * right
    assert (image > 20).any(1).sum() >= 19


@pytest.mark.parametrize("form", ["box", "corner", "rim"])
def test_the_box_of_a_small_scan_is_not_read(mnist: Dataset, facts: DataFacts, form: str) -> None:
    for image in mnist.test.images[:30]:
        plain = np.pad(255 - image, 4, constant_values=255)
        cell = plain.copy()
        if form == "rim":
            cell[9:30, 0] = 90  # a piece of the neighbour's box
        else:
            cell[-2], cell[:, 1] = 90, 90
            if form == "box":
                cell[1], cell[:, -2] = 90, 90
        one, other = (develop(one, (28, 28), facts).image for one in (cell, plain))
        assert agreement([one], other[None]) > 0.98


def test_the_bar_of_a_seven_that_was_cut_out_tightly_is_no_edge(facts: DataFacts) -> None:
    seven = np.zeros((24, 20))
    seven[:2] = 1
    for row in range(2, 24):
        seven[row, 18 - row // 2 : 20 - row // 2] = 1
    ink, lines = remove_lines(seven)
    assert lines == 0
    assert np.array_equal(ink, seven)


@pytest.mark.parametrize(("between", "subjects"), [(0.3, 1), (0.1, 2)])
def test_faded_ink_joins_two_halves_of_a_stroke(between: float, subjects: int) -> None:
    ink = np.zeros((120, 120))
    ink[20:50, 58:62] = ink[56:86, 58:62] = 0.8
    ink[50:56, 58:62] = between
    assert len(find_subjects(ink, ink > 0.5, 0.01)) == subjects


def test_digits_whose_lower_half_fades_are_whole(mnist: Dataset, facts: DataFacts) -> None:
    digits = [
        image for image, label in zip(mnist.test.images[:200], mnist.test.labels, strict=False) if label in (2, 3)
    ]
    fading = 1 - 0.6 * np.clip((np.arange(300) - 140) / 20, 0, 1)[:, None, None]
    pages = [(225 - (225.0 - page(one)) * fading).astype(np.uint8) for one in digits]
    developed = [develop(one, (28, 28), facts) for one in pages]
    assert agreement([one.image for one in developed], np.stack(digits)) > 0.85
    told = ["faded" in one.steps[-3].about for one in developed]
    assert sum(told) > len(told) / 2
    assert not any("faded" in step.about for step in develop(page(digits[0]), (28, 28), facts).steps)


@pytest.mark.parametrize(
    ("height", "width", "counts"),
    [(40, 6, True), (200, 6, False), (40, 40, False)],  # a stroke; a line, longer than the digit; a shadow, wider
)
def test_strokes_go_on_where_the_pen_fades(height: int, width: int, counts: bool) -> None:
    ink = np.zeros((300, 300))
    ink[40:100, 100:106] = 0.8
    ink[100 : 100 + height, 100 : 100 + width] = 0.25
    strokes = find_strokes(ink, 0.01)
    assert strokes[40:100, 100:106].all()
    assert bool(strokes[110:130, 100:106].any()) is counts
    assert bool(strokes[110:130, 100:106].all()) is counts


@pytest.mark.parametrize(("gap", "subjects"), [(12, 1), (20, 2)])
def test_a_flat_part_is_completed_by_what_is_close_above_it(gap: int, subjects: int) -> None:
    ink = np.zeros((120, 120))
    ink[20:26, 40:80] = ink[26 + gap : 34 + gap, 40:80] = 0.8
    assert len(find_subjects(ink, ink > 0, 0.0)) == subjects


def test_tall_things_above_each_other_stay_two() -> None:
    ink = np.zeros((120, 120))
    ink[10:50, 50:70] = ink[62:104, 50:70] = 0.8
    assert len(find_subjects(ink, ink > 0, 0.0)) == 2


def test_pieces_of_one_pixel_are_subjects_too() -> None:
    ink = np.zeros((60, 60))
    ink[30, 30] = ink[33, 40] = 1.0
    assert find_subjects(ink, ink > 0, 0.0)[0].longest == 1


def test_what_enters_the_picture_and_patterns_are_not_the_subject(mnist: Dataset, facts: DataFacts) -> None:
    for image in mnist.test.images[:10]:
        clean = page(image)
        crowded = clean.copy()
        crowded[:40, :70] = 30  # a block
        crowded[285:290] = 60  # the edge of the paper, from one side to the other
        crowded[40:260:30, 225:232] = crowded[41:261:30, 225:232] = 30  # the rings of a notebook
        developed = [develop(one, (28, 28), facts).image for one in (clean, crowded)]
        assert agreement(developed[:1], np.stack(developed[1:])) > 0.98


def test_a_blank_sheet_is_no_garment(fashion: Dataset) -> None:
    things = data_facts(fashion.train.images)
    noisy = np.clip(np.random.default_rng(0).normal(220, 4, (300, 400, 3)), 0, 255).astype(np.uint8)
    for blank in (np.full((300, 400, 3), 231, np.uint8), noisy):
        developed = develop(blank, (28, 28), things)
        assert not developed.image.any()
        assert "blank" in " ".join(developed.warnings)
    shown = noisy.copy()
    shown[100:200, 150:250] -= 60
    assert develop(shown, (28, 28), things).image.any()


def test_photos_of_things_get_the_fitting_warning(fashion: Dataset) -> None:
    things = data_facts(fashion.train.images)
    shown = {seed: render("items", "sheet", fashion.test.images[seed], seed) for seed in (4, 7)}
    small = np.asarray(Image.fromarray(shown[4]).resize((15, 20)))
    both = np.hstack([np.roll(one, 1) for one in shown.values()])
    for photo, warning in ((small, "go nearer"), (both, "2 things are in it"), (shown[4], "")):
        developed = develop(photo, (28, 28), things)
        assert warning in " ".join(developed.warnings) and bool(developed.warnings) == bool(warning)
        assert not developed.blank


def test_an_enlarged_training_image_of_a_thing_stays_light_on_black(fashion: Dataset) -> None:
    things = data_facts(fashion.train.images)
    images = fashion.test.images[:8]
    large = [np.asarray(Image.fromarray(one).resize((280, 280), Image.Resampling.BICUBIC)) for one in images]
    assert agreement([develop(one, (28, 28), things).image for one in large], images) > 0.75


def test_dark_things_on_light_ground_are_no_negatives(fashion: Dataset) -> None:
    light_on_dark, dark_on_light = (
        data_facts(one) for one in (fashion.train.images[::60], 255 - fashion.train.images[::60])
    )
    assert (dark_on_light.kind, dark_on_light.background) == ("items", 255)
    for seed, without in ((1, ()), (4, ()), (4, ("brightness",)), (4, ("crop",)), (4, ("separate",))):
        photo = render("items", "sheet", fashion.test.images[seed], seed)
        usual, turned = (develop(photo, (28, 28), one, without=without) for one in (light_on_dark, dark_on_light))
        assert np.array_equal(turned.image, 255 - usual.image)
        shown = {step.name: step.image for step in usual.steps}
        for step in turned.steps:
            if step.name in ("separate", "brightness", "crop"):
                assert np.abs(step.image - (255.0 - shown[step.name])).max() <= 1  # halves are rounded to even numbers


def test_whole_pictures_are_decoded_as_those_of_the_training(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (1000, 1400, 3), np.uint8)).save(tmp_path / "photo.jpg")
    scenes = replace(data_facts(rng.integers(0, 255, (5, 32, 24, 3), np.uint8)), fit="crop")
    for shape in ((450, 500, 3), (40, 32, 3), (450, 500), (450, 500, 1)):
        one = develop(tmp_path / "photo.jpg", shape, scenes)
        mode: Any = "RGB" if shape[2:] == (3,) else "L"
        decoded = decode(tmp_path / "photo.jpg", mode=mode, near=(shape[1], shape[0]))
        expected = fitted(decoded, shape[:2] if mode == "L" else shape, "crop").reshape(shape)
        assert np.array_equal(one.image, expected)
        assert [step.seen.shape for step in one.steps] == [shape, shape]
        assert max(one.steps[0].image.shape) == 420
        assert np.array_equal(one.image, develop(tmp_path / "photo.jpg", shape, scenes, watched=False).image)


def test_facts_are_those_of_images_all_over_the_set() -> None:
    images = np.zeros((1999, 28, 28), np.uint8)
    images[:700, 12:15, 12:15] = images[700:, 4:24, 12:15] = 255
    assert data_facts(images).subject_size == photos.subject_size(images) == 20


def test_what_looks_blank_is_unlike_and_gets_no_answer(fashion: Dataset) -> None:
    recipe = glassnet.recipes.find("baseline").changed(epochs=1, held_out=0.05)
    run = glassnet.train(recipe, part(fashion, train=2000, test=100))
    things = photo_facts(run)
    paper = np.full((300, 400, 3), 200, np.uint8) - np.arange(0, 80, 0.2).astype(np.uint8)[None, :, None]
    developed = [develop(one, (28, 28), things) for one in (paper, render("items", "sheet", fashion.test.images[1], 1))]
    assert [one.blank for one in developed] == [True, False]
    blank, _ = predict_developed(run, developed, sources=["paper", "shirt"], max_error=0.3)
    assert blank.verdict is not None and blank.verdict.unlike and blank.verdict.typicality == 0
    assert not blank.known
    assert predict_developed(run, developed[:1], sources=["paper"])[0].known


def test_white_on_transparent_is_seen(mnist: Dataset, facts: DataFacts, tmp_path: Path) -> None:
    drawn = np.asarray(Image.fromarray(mnist.test.images[0]).resize((200, 200), Image.Resampling.BICUBIC))
    layer = np.dstack([np.full((200, 200, 3), 255, np.uint8), drawn])
    Image.fromarray(layer).save(tmp_path / "clear.png")
    assert agreement([develop(tmp_path / "clear.png", (28, 28), facts).image], mnist.test.images[:1]) > 0.9


def test_photo_of_50_megapixels_is_read(mnist: Dataset, facts: DataFacts, tmp_path: Path) -> None:
    large = Image.fromarray(page(mnist.test.images[0])).resize((8200, 6100))
    large.save(tmp_path / "large.jpg")
    assert agreement([develop(tmp_path / "large.jpg", (28, 28), facts).image], mnist.test.images[:1]) > 0.7


def test_photos_of_iphones_are_read(digits: Run, mnist: Dataset, tmp_path: Path) -> None:
    for k in range(2):
        pillow_heif.from_pillow(Image.fromarray(page(mnist.test.images[k])).convert("RGB")).save(tmp_path / f"{k}.HEIC")
    answers = list(predict_photos(digits, [tmp_path]))
    assert [one.label for one in answers if isinstance(one, Prediction)] == ["7", "2"]
    whole = (tmp_path / "0.HEIC").read_bytes()
    (tmp_path / "1.HEIC").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PhotoError, match=r"1\.HEIC: it is"):
        develop(tmp_path / "1.HEIC", (28, 28), photo_facts(digits))


def test_a_folder_is_read_past_a_bad_photo(digits: Run, mnist: Dataset, tmp_path: Path) -> None:
    for k in range(3):
        Image.fromarray(page(mnist.test.images[k])).save(tmp_path / f"{k}.png")
    (tmp_path / "1b.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not a picture either")
    answers = list(predict_photos(digits, [tmp_path]))
    assert [Path(one.source).name for one in answers] == ["0.png", "1.png", "1b.jpg", "2.png"]
    assert isinstance(answers[2], Unreadable)
    assert "1b.jpg" in answers[2].record()["error"]
    assert [one.label for one in answers if isinstance(one, Prediction)] == ["7", "2", "1"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(PhotoError, match="no picture"):
        list(predict_photos(digits, [tmp_path / "empty"]))


@pytest.mark.parametrize("least", [1, 1000], ids=["processes", "threads"])
def test_files_are_developed_side_by_side_as_one_by_one(
    least: int, mnist: Dataset, facts: DataFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_files, "PROCESSES", least)
    for k in range(4):
        Image.fromarray(page(*mnist.test.images[k : k + 2])).save(tmp_path / f"{k}.png")
    (tmp_path / "2.png").write_bytes(b"no picture")
    paths = sorted(tmp_path.iterdir())
    for many in (False, True):
        found = list(develop_files(paths, (28, 28), facts, many=many))
        assert isinstance(found.pop(2), PhotoError)
        for path, several in zip([paths[0], paths[1], paths[3]], found, strict=True):
            alone = develop_many(path, (28, 28), facts) if many else [develop(path, (28, 28), facts)]
            assert len(several) == len(alone) == (2 if many else 1)
            for one, other in zip(several, alone, strict=True):
                assert np.array_equal(one.image, other.image)
                assert (one.warnings, one.box, one.steps) == (other.warnings, other.box, ())
                assert len(other.steps) > 5
    assert next(iter(develop_files(paths, (28, 28), facts)))  # what nobody asks for any more is given up


def test_where_processes_cannot_be_had_threads_develop(
    mnist: Dataset, facts: DataFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("Function not implemented")

    monkeypatch.setattr(photo_files, "PROCESSES", 1)
    monkeypatch.setattr("joblib.externals.loky.ProcessPoolExecutor", refuse)
    for k in range(2):
        Image.fromarray(page(mnist.test.images[k])).save(tmp_path / f"{k}.png")
    found = list(develop_files(sorted(tmp_path.iterdir()), (28, 28), facts))
    assert [len(one) for one in found if isinstance(one, list)] == [1, 1]


@pytest.fixture(scope="module")
def crosswords(mnist: Dataset) -> list[np.ndarray]:
    """Photos of which the usual way takes black cells and printed numbers for a part of many digits."""
    return [render("drawings", "crossword", mnist.train.images[k], k) for k in range(40)]


def test_a_second_look_reads_more_and_says_so(digits: Run, mnist: Dataset, crosswords: list[np.ndarray]) -> None:
    facts = photo_facts(digits)
    usual = [develop(one, (28, 28), facts, watched=False) for one in crosswords]
    first = predict_developed(digits, usual, sources=[str(k) for k in range(len(usual))])
    answers = answer_photos(digits, crosswords, labels=mnist.train.labels[:40].tolist())
    truth = [answer.true_label for answer, _ in answers]
    before = sum(one.label == label for one, label in zip(first, truth, strict=True))
    assert sum(answer.label == label for (answer, _), label in zip(answers, truth, strict=True)) > before + 1
    again = [
        (usually, *pair) for usually, pair in zip(first, answers, strict=True) if "it was read" in str(pair[1].warnings)
    ]
    assert 2 < len(again) < 20
    for usually, answer, found in again:
        assert usually.verdict and answer.verdict
        assert usually.verdict.typicality == answer.verdict.typicality <= DOUBTFUL
        assert answer.verdict.unlike
        assert np.array_equal(answer.image, found.image)
        assert not np.array_equal(answer.image, usually.image)
    same = [k for k, (answer, _) in enumerate(answers) if "it was read" not in str(answer.warnings)]
    assert all(np.array_equal(answers[k][1].image, usual[k].image) for k in same)


def test_everybody_gets_the_same_second_look(digits: Run, crosswords: list[np.ndarray], tmp_path: Path) -> None:
    for k, one in enumerate(crosswords[:10]):
        Image.fromarray(one).save(tmp_path / f"{k}.png")
    files = sorted(tmp_path.iterdir())
    answers = answer_photos(digits, files)
    again = next(k for k, (answer, _) in enumerate(answers) if "it was read" in str(answer.warnings))
    of_a_folder = list(predict_photos(digits, [tmp_path]))
    assert [str(one.record()["label"]) for one in of_a_folder] == [answer.label for answer, _ in answers]
    assert glassnet.predict(digits, files[again])[0].warnings == answers[again][0].warnings
    seen = examine_photo(digits, files[again])
    assert np.array_equal(seen.prediction.image, answers[again][0].image)
    assert np.array_equal(seen.findings[-1].step.seen, seen.prediction.image)
    assert "it was read" in seen.record()["warnings"][-1]
    first = develop(files[again], (28, 28), photo_facts(digits))
    (answer,) = predict_developed(digits, [first], sources=["gone"])
    files[again].unlink()
    assert second_look(digits, files[again], first, answer) == (answer, first)


def test_a_second_look_makes_nothing_sure(digits: Run, fashion: Dataset, crosswords: list[np.ndarray]) -> None:
    strangers = [foreign.render(kind, seed) for kind in ("letters", "faces", "blank paper") for seed in range(5)]
    facts = photo_facts(digits)
    usual = [develop(one, (28, 28), facts, watched=False) for one in strangers]
    first = predict_developed(digits, usual, sources=[""] * len(usual))
    for before, (answer, found) in zip(first, answer_photos(digits, strangers, max_error=0.05), strict=True):
        assert before.verdict and answer.verdict
        assert before.verdict.unlike == answer.verdict.unlike
        assert answer.verdict.typicality > 0 or not answer.known
        assert found.blank <= (not answer.known)
    unable = glassnet.train("digits-32", part(glassnet.load("mnist"), train=500, test=50), epochs=1)
    assert all("it was read" not in str(answer.warnings) for answer, _ in answer_photos(unable, crosswords[:5]))
    assert not list(develop_otherwise(fashion.test.images[0], (28, 28), data_facts(fashion.train.images)))


def test_other_ways_say_what_they_do(mnist: Dataset, facts: DataFacts) -> None:
    photo = page(mnist.test.images[3])
    usual = develop(photo, (28, 28), facts)
    found = {way.about: one for way, one in develop_otherwise(photo, (28, 28), facts)}
    by_darkest = [one for about, one in found.items() if "darkest" in about]
    assert len(by_darkest) == 2
    assert agreement([one.image for one in by_darkest], np.stack([usual.image] * 2)) > 0.9
    kinds = {one.name: one.about for one in usual.steps}
    for about, one in found.items():
        steps = {step.name: step.about for step in one.steps}
        assert ("light on dark" in steps["polarity"].split(",")[0]) == ("exchanged" in about)
        assert np.array_equal(one.steps[-1].seen, one.image)
    assert "drawn dark on light" in kinds["polarity"]


@pytest.mark.parametrize("without", [(), ("crop",), ("thickness",), ("centre",), ("crop", "centre", "thickness")])
def test_a_development_that_nobody_watches_is_the_same(
    without: tuple[str, ...], mnist: Dataset, facts: DataFacts, fashion: Dataset
) -> None:
    photo = page(mnist.test.images[3])
    watched = develop(photo, (28, 28), facts, without=without)
    assert np.array_equal(watched.image, develop(photo, (28, 28), facts, without=without, watched=False).image)
    assert np.array_equal(watched.image, watched.steps[-1].seen)
    things = data_facts(fashion.train.images)
    assert np.array_equal(develop(photo, (28, 28), things).image, develop(photo, (28, 28), things, watched=False).image)
    whole = (
        develop(photo, (32, 32, 3), facts, watched=False),
        develop(mnist.test.images[0], (28, 28), facts, watched=False),
    )
    assert [one.steps for one in whole] == [(), ()]


def test_the_outline_of_what_lies_on_a_line_is_the_line() -> None:
    for ends in ([(2, 3), (2, 7)], [(1, 1), (5, 1)], [(0, 0), (4, 4)], [(3, 3), (3, 3)]):
        mask = np.zeros((6, 9), bool)
        mask[tuple(zip(*ends, strict=True))] = True
        filled = fill_hull(mask)
        assert filled[mask].all()
        assert filled.sum() == 1 + max(abs(a - b) for a, b in zip(*ends, strict=True))


@pytest.mark.parametrize("beyond", ["edge", "symmetric"])
@pytest.mark.parametrize("shape", [(9, 14), (11, 8, 3)])
def test_medians_are_those_of_scipy(beyond: Literal["edge", "symmetric"], shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).random(shape).astype(np.float32)
    mode = {"edge": "nearest", "symmetric": "reflect"}[beyond]
    for window in (1, 3, 7):
        expected = ndimage.median_filter(picture, (window, window, 1)[: picture.ndim], mode=mode)
        assert np.array_equal(median_around(picture, window, beyond), expected)


def test_the_doctor_names_the_step_that_changed_the_answer(digits: Run, mnist: Dataset, tmp_path: Path) -> None:
    Image.fromarray(page(mnist.test.images[0])).save(tmp_path / "seven.png")
    examination = examine_photo(digits, tmp_path / "seven.png")
    labels = [one.top[0].label for one in examination.findings]
    assert labels[-1] == examination.prediction.label == "7"
    changes = [k for k in range(1, len(labels)) if labels[k] != labels[k - 1]]
    assert examination.decisive == (examination.findings[changes[-1]].step.name if changes else None)
    assert [one.label for one in examination.neighbours] == ["7", "7", "7"]
    record = examination.record()
    assert len(record["steps"]) == len(labels)
    assert record["warnings"] == []
    assert save(draw_examination(examination), tmp_path / "way.png").stat().st_size > 10_000
    assert examination.prediction.known
    assert not examine_photo(digits, tmp_path / "seven.png", max_error=1e-9).prediction.known


def test_the_doctor_downloads_nothing(
    digits: Run, mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(page(mnist.test.images[0])).save(tmp_path / "seven.png")
    monkeypatch.setattr("glassnet.datasets.catalogue.loading.is_downloaded", lambda name: False)
    monkeypatch.setattr("glassnet.datasets.load", lambda name: pytest.fail("it was downloaded"))
    away = replace(digits, passport=digits.passport.model_copy(update={"dataset": "kmnist"}), data=None)
    assert examine_photo(away, tmp_path / "seven.png").neighbours == ()


def test_commands_explain_read_many_and_folders(
    command: Callable[..., Said], digits: Run, mnist: Dataset, tmp_path: Path
) -> None:
    digits.save(tmp_path / "run")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(page(mnist.test.images[0], mnist.test.images[2])).save(pictures / "two.png")
    (pictures / "bad.png").write_bytes(b"nothing")
    said = command("predict", tmp_path / "run", pictures / "two.png", "--many", "--json").json
    assert [one["label"] for one in said] == ["7", "1"]
    folder = command("predict", tmp_path / "run", pictures, "--json").json
    assert "2 subjects" in folder[0]["warnings"][0]
    assert "bad.png" in folder[1]["error"]
    assert "not read" in command("predict", tmp_path / "run", pictures).out
    explained = command("predict", tmp_path / "run", pictures / "two.png", "--explain", "--out", tmp_path / "way.png")
    assert "even light" in explained.out
    assert (tmp_path / "way.png").is_file()
    assert command("predict", tmp_path / "run", pictures / "bad.png").code == 2
    assert command("predict", tmp_path / "run", "--index", 0, "--explain").code == 2


def test_photos_made_here_repeat_and_show_every_style(mnist: Dataset, fashion: Dataset) -> None:
    for kind, image in (("drawings", mnist.test.images[0]), ("items", fashion.test.images[0])):
        assert sum(style.held_out for style in STYLES[kind].values()) >= 2
        for name in STYLES[kind]:
            first = render(kind, name, image, 3)
            assert first.dtype == np.uint8
            assert first.shape[2] == 3
            assert np.array_equal(first, render(kind, name, image, 3))
    with pytest.raises(UnknownNameError):
        render("drawings", "crayon", mnist.test.images[0], 0)


def test_foreign_photos_repeat_and_show_every_kind() -> None:
    for kind in foreign.KINDS:
        photo = foreign.render(kind, 3)
        assert photo.shape == (360, 480, 3) and photo.dtype == np.uint8
        np.testing.assert_array_equal(photo, foreign.render(kind, 3))
        assert (photo != foreign.render(kind, 4)).any()
    assert {foreign.letter_of(seed) for seed in range(1000)} == set(foreign.LETTERS)
    assert not set(foreign.LETTERS) & set(foreign.DIGITLIKE)
    with pytest.raises(UnknownNameError, match="kind of foreign images"):
        foreign.render("cats", 0)


def test_steps_read_more_photos_than_a_resize(digits: Run) -> None:
    scores = score_photos(digits, count=24, styles=["marker", "board", "postal"])
    for one in scores.styles:
        assert one.accuracy > one.resized + 0.2
        assert one.interval[0] < one.accuracy < one.interval[1] or one.accuracy == 1
    assert scores.mean(held_out=False)[1] > 0.75
    ablated = score_photos(digits, count=4, styles=["marker"], ablate=True)
    assert set(ablated.styles[0].without) >= {"flatten", "crop", "centre"}
    with pytest.raises(InputError, match="count is 0"):
        score_photos(digits, count=0)


def test_facts_come_from_the_data_or_from_the_size(run: Run, few: Dataset) -> None:
    assert photo_facts(run).kind == "items"
    assumed = photos.assumed_facts((28, 28), 20)
    assert (assumed.kind, assumed.centring) == ("drawings", "mass")
    assert photos.assumed_facts((28, 28), 28).kind == "items"
    assert photos.assumed_facts((32, 32, 3), 32).kind == "scenes"


@settings(max_examples=25, deadline=None)
@example(height=41, width=1, seed=1, kind=20)  # its strokes lie on one line
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 99), kind=st.sampled_from([20, 28]))
def test_pictures_of_every_size_become_inputs(height: int, width: int, seed: int, kind: int) -> None:
    rng = np.random.default_rng(seed)
    picture = (
        rng.integers(0, 255, (height, width, 3), np.uint8) if seed % 3 else np.full((height, width), seed, np.uint8)
    )
    image = photos.read_photo(picture, (28, 28), kind)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
