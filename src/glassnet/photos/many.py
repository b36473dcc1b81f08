"""Several drawings in one photo are found and developed one by one, in reading order; folders of photos are listed."""

from pathlib import Path

from glassnet.errors import PhotoError
from glassnet.paths import exists, is_folder
from glassnet.photos.development import develop
from glassnet.photos.drawn import develop_subject, find_ink
from glassnet.photos.facts import DataFacts
from glassnet.photos.opening import PhotoSource, open_photo
from glassnet.photos.steps import Development
from glassnet.photos.subjects import Subject
from glassnet.photos.ways import USUAL

ENDINGS = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".mpo",
    ".png",
    ".webp",
    ".gif",
    ".bmp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".jp2",
    ".avif",
    ".heic",
    ".heif",
)
"""Files of a folder that are taken for pictures."""


def develop_many(
    photo: PhotoSource,
    image_shape: tuple[int, ...],
    facts: DataFacts,
    *,
    watched: bool = True,
) -> list[Development]:
    """Bring every drawing in a photo into the form of the training images: line by line, from left to right.

    Args:
        photo: see `develop`.
        image_shape: see `develop`.
        facts: see `develop`; only drawings are told apart, of other photos the one subject is developed.
        watched: see `develop`.

    Returns:
        One development for each drawing; for a blank photo one with its warning.
    """
    if facts.kind != "drawings" or len(image_shape) == 3:
        return [develop(photo, image_shape, facts, watched=watched)]
    opened = open_photo(photo)
    found = find_ink(opened, image_shape, facts, USUAL, watched=watched)
    if len(found.subjects) < 2:
        return [develop(photo, image_shape, facts, watched=watched)]
    return [develop_subject(found, one, opened, image_shape, facts) for one in in_reading_order(found.subjects)]


def in_reading_order(subjects: list[Subject]) -> list[Subject]:
    """Return subjects line by line, each line from left to right.

    A line is what overlaps the line's first subject in height by at least a third of the smaller of the two.
    """
    lines: list[list[Subject]] = []
    for subject in sorted(subjects, key=lambda one: one.box[0] + one.box[1]):
        for line in lines:
            first = line[0]
            overlap = min(first.box[1], subject.box[1]) - max(first.box[0], subject.box[0])
            if overlap >= min(first.height, subject.height) / 3:
                line.append(subject)
                break
        else:
            lines.append([subject])
    return [one for line in lines for one in sorted(line, key=lambda subject: subject.box[2])]


def picture_files(path: Path) -> list[Path]:
    """Return the file itself, or the pictures of a folder in the order of their names.

    Raises:
        PhotoError: it does not exist, or is a folder without a picture.
    """
    if not is_folder(path):
        if not exists(path):
            raise PhotoError(f"there is no picture {path}; check the name")
        return [path]
    try:
        inside = list(path.iterdir())
    except OSError as error:
        raise PhotoError(f"the folder {path} cannot be read ({error.strerror}); check its permissions") from error
    files = sorted(one for one in inside if one.suffix.lower() in ENDINGS and not one.name.startswith("."))
    if not files:
        raise PhotoError(f"the folder {path} has no picture; name one with JPEG, PNG, WebP, … files in it")
    return files
