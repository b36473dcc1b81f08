"""Questions to a run: what it sees in images, in photos, and in however many photo files."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet import photos
from glassnet.errors import PhotoError
from glassnet.prediction.answers import Prediction, Unreadable
from glassnet.prediction.developed import photo_facts, predict_developed
from glassnet.prediction.images import predict_images
from glassnet.prediction.second_look import second_look
from glassnet.types import Image, Images

if TYPE_CHECKING:
    from glassnet.photos import Development, PhotoSource
    from glassnet.runs import Run

BATCH = 64
"""Photos that are read and asked about at once."""


def predict(
    run: "Run",
    images: Images | Image | str | Path | Sequence[str | Path],
    *,
    labels: Sequence[int] | None = None,
    sources: Sequence[str] | None = None,
    top: int | None = None,
    max_error: float | None = None,
) -> list[Prediction]:
    """Ask a run what it sees.

    Args:
        run: a trained network.
        images: an array `uint8 (n, height, width[, channels])`, one image, or photo files.
        labels: the right class numbers, where they are known.
        sources: what to call the images; their number or file name if None.
        top: how many classes to rank; three, or all where there are fewer, if None.
        max_error: share of the given answers that may be wrong; others are not `known`. Only for runs that held images
            out from their training (see `glassnet.confidence`).

    Returns:
        One prediction for each image; a single image is a batch of one.

    Raises:
        InputError: images that do not fit the network.
        PhotoError: a file that is no picture.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("baseline")
        >>> glassnet.predict(run, glassnet.load("fashion-mnist").test.images[0])[0].label
        'Ankle boot'
    """
    if isinstance(images, np.ndarray):
        array = images[None] if images.shape == run.passport.image_shape else images
        return predict_images(run, array, labels=labels, sources=sources, top=top, max_error=max_error)
    paths = [images] if isinstance(images, (str, Path)) else list(images)
    sources = sources or [str(path) for path in paths]
    answers = answer_photos(run, paths, sources=sources, labels=labels, top=top, max_error=max_error)
    return [answer for answer, _ in answers]


def answer_photos(
    run: "Run",
    pictures: "Sequence[PhotoSource]",
    *,
    sources: Sequence[str] | None = None,
    labels: Sequence[int] | None = None,
    top: int | None = None,
    max_error: float | None = None,
    without: Collection[str] = (),
    watched: bool = False,
) -> "list[tuple[Prediction, Development]]":
    """Ask a run what it sees in photos, in another way than the usual one where that ends in no likely image.

    Args:
        run: a trained network.
        pictures: see `glassnet.photos.develop`.
        sources: what to call them; their number if None.
        labels: the right class numbers, where they are known.
        top: see `glassnet.predict`.
        max_error: see `glassnet.predict`.
        without: names of steps that are left out the first time.
        watched: keep the steps with their pictures.

    Returns:
        Each answer, and the development that it was given for.

    Raises:
        PhotoError: no picture, or a damaged one.
    """
    shape, facts = run.passport.image_shape, photo_facts(run)
    usual = [photos.develop(one, shape, facts, without=without, watched=watched) for one in pictures]
    names = sources or [str(number) for number in range(len(usual))]
    answers = predict_developed(run, usual, sources=names, labels=labels, top=top, max_error=max_error)
    return [
        second_look(run, picture, first, answer, max_error=max_error, watched=watched)
        for picture, first, answer in zip(pictures, usual, answers, strict=True)
    ]


def predict_photos(
    run: "Run",
    paths: Sequence[str | Path],
    *,
    top: int | None = None,
    many: bool = False,
    max_error: float | None = None,
) -> Iterator[Prediction | Unreadable]:
    """Ask a run about photo files, however many: on all cores, without keeping them, and past bad ones.

    Args:
        run: a trained network.
        paths: files, and folders whose pictures are read in the order of their names.
        top: how many classes to rank; three, or all where there are fewer, if None.
        many: read every subject in a photo, in reading order, instead of the most prominent one.
        max_error: see `predict`.

    Yields:
        The answer for each photo (with `many`: for each subject), or why it cannot be read, in order.

    Raises:
        PhotoError: a path that does not exist, or a folder without a picture.
    """
    files = [file for path in paths for file in photos.picture_files(Path(path))]
    reading = photos.develop_files(files, run.passport.image_shape, photo_facts(run), many=many)
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        results = list(islice(reading, len(batch)))
        developed = [one for result in results if not isinstance(result, PhotoError) for one in result]
        names = [
            f"{file}" + (f", {number} of {len(result)}" if many and len(result) > 1 else "")
            for file, result in zip(batch, results, strict=True)
            if not isinstance(result, PhotoError)
            for number in range(1, len(result) + 1)
        ]
        answers = predict_developed(run, developed, sources=names, top=top, max_error=max_error)
        if not many:
            looks = zip(names, developed, answers, strict=True)  # here a name is a file
            answers = [second_look(run, *look, max_error=max_error)[0] for look in looks]
        given = iter(answers)
        for file, result in zip(batch, results, strict=True):
            if isinstance(result, PhotoError):
                yield Unreadable(str(file), str(result))
            else:
                yield from (next(given) for _ in result)
