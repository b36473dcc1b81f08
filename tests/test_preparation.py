"""Any picture becomes the pixels that are meant; sizes, colours and splits are chosen as promised."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.model_selection import StratifiedShuffleSplit

from glassnet.datasets.decoding import decode, is_coloured, measure
from glassnet.datasets.preparation import Preparation, fitted
from glassnet.datasets.splitting import TEST, TRAIN, VALIDATION, choose_sides
from glassnet.errors import InputError, PhotoError, UnknownNameError

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
GRAY = PIXELS[..., 0]


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    return exif


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "GIF", "PPM", "TGA", "PCX", "JPEG2000"])
def test_lossless_formats_keep_every_pixel(form: str) -> None:
    assert np.array_equal(np.asarray(decode(encoded(Image.fromarray(GRAY), form), mode="L")), GRAY)


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("16-bit PNG", encoded(Image.fromarray(GRAY.astype(np.uint16) * 257), "PNG")),
        ("16-bit TIFF", encoded(Image.fromarray(GRAY.astype(np.uint16) * 257), "TIFF")),
        ("12 bits in 16", encoded(Image.fromarray(GRAY.astype(np.uint16) * 16), "PNG")),
        ("32-bit TIFF", encoded(Image.fromarray(GRAY.astype(np.int32)), "TIFF")),
        ("floats to 1", encoded(Image.fromarray((GRAY / 255).astype(np.float32)), "TIFF")),
        ("RGB", encoded(Image.fromarray(np.stack([GRAY] * 3, -1)), "PNG")),
        ("opaque RGBA", encoded(Image.fromarray(np.stack([GRAY] * 3, -1)).convert("RGBA"), "PNG")),
        ("turned", encoded(Image.fromarray(np.rot90(GRAY)), "PNG", exif=turned())),
        ("turned 16-bit", encoded(Image.fromarray(np.rot90(GRAY.astype(np.uint16) * 257)), "PNG", exif=turned())),
        ("turned TIFF", encoded(Image.fromarray(np.rot90(GRAY)), "TIFF", exif=turned())),
    ],
)
def test_every_depth_and_orientation_gives_the_same_pixels(what: str, data: bytes) -> None:
    assert np.array_equal(np.asarray(decode(data, mode="L")), GRAY), what


def test_transparent_is_white_and_the_first_frame_counts() -> None:
    clear = Image.new("RGBA", (5, 5), (0, 0, 0, 0))
    assert np.asarray(decode(encoded(clear, "PNG"), mode="L")).min() == 255
    palette = Image.new("P", (5, 5), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert np.asarray(decode(encoded(palette, "PNG", transparency=1), mode="RGB")).min() == 255
    assert np.asarray(decode(encoded(palette, "PNG"), mode="RGB"))[0, 0].tolist() == [10, 20, 30]
    frames = [Image.new("L", (5, 5), level) for level in (40, 200)]
    moving = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.asarray(decode(moving, mode="L"))[0, 0] == 40


def test_cmyk_is_what_it_looks_like() -> None:
    smooth = Image.fromarray(np.repeat(np.arange(0, 250, 5).astype(np.uint8)[:, None], 50, 1)).convert("RGB")
    printed = encoded(smooth.convert("CMYK"), "JPEG", quality=98)
    for shown, reference in (
        (decode(printed, mode="RGB"), smooth),
        (decode(printed, mode="L"), smooth.convert("L")),
    ):
        assert np.abs(np.asarray(shown, int) - np.asarray(reference, int)).mean() < 2


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_near_a_size_pictures_come_smaller_but_not_too_small(form: str) -> None:
    picture = Image.fromarray(PIXELS[:8, :12]).resize((1200, 800), Image.Resampling.BICUBIC)
    data = encoded(picture, form, exif=turned())
    small = decode(data, mode="RGB", near=(64, 48))
    assert 64 <= small.width < small.height < 200
    assert small.info["original_size"] == (800, 1200)
    assert measure(data) == ((800, 1200), True)
    full = decode(data, mode="RGB").resize(small.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(full, int) - np.asarray(small, int)).mean() < 6


def test_the_original_size_is_told_by_the_file_and_not_by_what_it_is_shrunk_to() -> None:
    picture = Image.fromarray(PIXELS[:8, :8]).resize((101, 100))
    for exif, size in ((Image.Exif(), (101, 100)), (turned(), (100, 101))):
        data = encoded(picture, "JPEG", exif=exif)
        assert decode(data, mode="RGB", near=(12, 12)).info["original_size"] == measure(data)[0] == size


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no picture"),
        (b"hello", "no picture"),
        (encoded(Image.fromarray(PIXELS), "PNG")[:900], "truncated|damaged"),
        (encoded(Image.fromarray(PIXELS), "JPEG")[:900], "truncated|damaged"),
        (encoded(Image.new("1", (30_000, 30_000)), "PNG"), "more than 100,000,000"),
        (encoded(Image.new("1", (11_000, 11_000)), "PNG"), "more than 100,000,000"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "no picture"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_picture_costs_one_line(data: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(data, mode="RGB")
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    with pytest.raises(PhotoError, match=r"photo\.png.*pass a PNG") as error:
        decode(path, mode="RGB")
    assert "\n" not in str(error.value)


@settings(max_examples=80, deadline=None)
@given(start=st.integers(0, 3000), junk=st.binary(max_size=30), form=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF"]))
def test_damaged_pictures_give_pixels_or_one_line(start: int, junk: bytes, form: str) -> None:
    raw = encoded(Image.fromarray(PIXELS), form)
    try:
        assert decode(raw[:start] + junk + raw[start + len(junk) :], mode="L").mode == "L"
    except PhotoError as error:
        assert "\n" not in str(error)


def test_colour_is_told_from_gray_in_a_colour_file() -> None:
    gray = Image.fromarray(np.stack([GRAY] * 3, -1)).resize((200, 200))
    assert not measure(encoded(gray, "JPEG"))[1]
    assert measure(encoded(Image.fromarray(PIXELS), "JPEG"))[1]
    assert is_coloured(PIXELS)
    assert not is_coloured(GRAY)


def test_sizes_and_colours_are_chosen_as_promised() -> None:
    wanted = Preparation()
    assert wanted.chosen([(28, 28)] * 3, 0.0).image_shape == (28, 28)
    assert wanted.chosen([(32, 24)] * 3, 1.0).image_shape == (24, 32, 3)
    assert wanted.chosen([(20, 30), (40, 50), (30, 30)], 0.0).image_shape == (30, 30)
    assert wanted.chosen([(640, 480)] * 3, 0.01).image_shape == (64, 64)
    assert Preparation(size=(10, 12), colour="colour").chosen([(640, 480)], 0.0).image_shape == (10, 12, 3)
    chosen = Preparation(size=(10, 12), fit="crop", group_by="a(b)").chosen([(1, 1)], 0.0)
    assert Preparation.from_record(chosen.record()) == chosen
    with pytest.raises(InputError, match="still open"):
        _ = wanted.image_shape


def test_letterbox_shows_all_crop_the_middle_stretch_everything() -> None:
    pixels = np.full((20, 40), 200, np.uint8)
    pixels[4:16, 8:32] = 0
    picture = Image.fromarray(pixels)
    boxed, cropped, stretched = (fitted(picture, (20, 20), fit) for fit in ("letterbox", "crop", "stretch"))
    assert boxed[:5].min() == 200  # filled up with the brightness of the border
    assert (boxed[10] < 100).sum() == 12
    assert (boxed[:, 10] < 100).sum() == 6
    assert (cropped[10] < 100).sum() == 20
    assert (cropped[:, 10] < 100).sum() == 12
    assert (stretched[10] < 100).sum() == 12
    assert (stretched[:, 10] < 100).sum() == 12
    assert fitted(picture, (20, 40), "letterbox").tobytes() == pixels.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    target=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    fit=st.sampled_from(["letterbox", "crop", "stretch"]),
    channels=st.sampled_from([(), (3,)]),
)
def test_every_picture_fits_every_shape(
    size: tuple[int, int], target: tuple[int, int], fit: Any, channels: tuple[int, ...]
) -> None:
    shape = (*target, *channels)
    image = fitted(Image.new("RGB", size, (7, 7, 7)), shape, fit)
    assert image.shape == shape
    assert set(np.unique(image)) == {7}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "options",
    [
        {"size": (0, 5)},
        {"size": (5, 5000)},
        {"fit": "bend"},
        {"colour": "sepia"},
        {"test": 0.0},
        {"validation": 0.5, "test": 0.5},
        {"group_by": "("},
    ],
)
def test_wrong_preparations_cost_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        Preparation(**options)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, UnknownNameError) == (options.keys() <= {"fit", "colour"})


def sides(labels: np.ndarray, **options: Any) -> np.ndarray:
    n = len(labels)
    facts: dict[str, Any] = {"copies": np.arange(n), "groups": [None] * n, "stated": [None] * n} | options
    return choose_sides(labels, facts["copies"], facts["groups"], facts["stated"], preparation_of(options)).codes


def preparation_of(options: dict[str, Any]) -> Preparation:
    return options.get("preparation", Preparation())


def test_splits_are_stratified_like_those_of_scikit_learn() -> None:
    labels = np.repeat([0, 1, 2], [1000, 300, 50])
    ours = sides(labels, preparation=Preparation(validation=0.0, test=0.2))
    theirs = next(StratifiedShuffleSplit(1, test_size=0.2, random_state=0).split(labels, labels))[1]
    assert np.bincount(labels[ours == TEST]).tolist() == np.bincount(labels[theirs]).tolist()
    assert not np.any(ours == VALIDATION)


def test_the_seed_decides_and_nothing_else() -> None:
    labels = np.repeat(np.arange(4), 50)
    one, same, other = (sides(labels, preparation=Preparation(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    order = [TRAIN, VALIDATION, TEST]
    assert np.bincount(one)[order].tolist() == np.bincount(other)[order].tolist() == [140, 20, 40]


def test_copies_and_groups_stay_together() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    copies = np.where(rng.random(600) < 0.3, rng.integers(0, 40, 600), 1000 + np.arange(600))
    groups = [f"patient {k}" if k < 60 else None for k in rng.integers(0, 100, 600)]
    codes = sides(labels, copies=copies, groups=groups)
    for kind in (copies, np.array([str(one) if one else f"none {k}" for k, one in enumerate(groups)])):
        for value in np.unique(kind):
            assert len(set(codes[kind == value])) == 1
    assert set(codes) == {TRAIN, VALIDATION, TEST}


def test_small_classes_are_on_both_sides_where_that_is_possible() -> None:
    labels = np.repeat([0, 1, 2], [2, 3, 1])
    codes = sides(labels)
    assert sorted(codes[labels == 0]) == [TRAIN, TEST]
    assert sorted(codes[labels == 1]) == [TRAIN, TEST, VALIDATION]
    assert codes[labels == 2] == [TRAIN]


def test_a_class_of_one_picture_in_many_copies_is_torn_and_said() -> None:
    labels = np.repeat([0, 1], 20)
    copies = np.where(labels == 0, 0, 1 + np.arange(40))
    found = choose_sides(labels, copies, [None] * 40, [None] * 40, Preparation())
    assert found.torn == (0,)
    assert set(found.codes[labels == 0]) == {TRAIN, VALIDATION, TEST}


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (lambda k: "test" if k % 2 else "train", {TRAIN: 50, TEST: 50}),
        (lambda k: ("train", "validation", "test")[k % 3], {TRAIN: 34, VALIDATION: 33, TEST: 33}),
        (lambda k: "train" if k % 2 else "validation", {TRAIN: 40, VALIDATION: 50, TEST: 10}),
        (lambda _: "train", {TRAIN: 70, VALIDATION: 10, TEST: 20}),
        (lambda _: "test", {TRAIN: 70, VALIDATION: 10, TEST: 20}),
    ],
)
def test_what_the_source_states_is_used(stated: Callable[[int], str], expected: dict[int, int]) -> None:
    codes = sides(np.zeros(100, np.int64), stated=[stated(k) for k in range(100)])
    assert {int(side): int((codes == side).sum()) for side in np.unique(codes)} == expected


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(InputError, match="at least one to train"):
        sides(np.zeros(1, np.int64))
    with pytest.raises(InputError, match="one group"):
        sides(np.zeros(9, np.int64), groups=["all"] * 9)
