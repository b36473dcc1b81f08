"""A set of one's own: pictures that came in through the page, class by class, in a folder of the lab.

    KEY/set.json              title, classes, what is left out and why, what could not be read
    KEY/images/CLASS/ID.png   the pictures; classes and pictures have names that the lab gives
    KEY/TITLE-2.csv           version 2: its pictures with class and split; never changed, so that runs stay valid

Nothing is deleted until somebody deletes the set: what is removed is left out, and can be put back. Every file is
written beside its place and renamed, so a killed lab leaves a set that is whole.
"""

import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.atomic import new_file
from glassnet.datasets.sources.names import clean
from glassnet.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MOST_CLASSES, MOST_IMAGES = 50, 10_000
"""Of a set, in a set. Larger sets are opened where they are, with `glassnet lab --data`."""

LEAST_FREE_BYTES = 500_000_000
"""So much room stays on the disk."""

LONGEST_SIDE = 320
"""Of a kept picture, in pixels: networks here see less, and a thousand photos must not fill the disk."""

LONGEST_NAME = 40
MOST_REFUSED = 100

REMOVED = "removed"
"""Why something is left out: somebody took it out by hand."""

TITLE = "My images"
"""Of a new set, until people call it something."""

SET = "set.json"
_SIDES = {"t": "train", "v": "validation", "e": "test"}
_CAMERA = "w"


@dataclass(frozen=True)
class OwnClass:
    """A class of a set.

    Args:
        key: what the lab calls it.
        name: what people call it.
        removed: it is left out, with all its images.
    """

    key: str
    name: str
    removed: bool = False


@dataclass(eq=False)
class OwnSet:
    """One set. Its methods may be called from any thread.

    Args:
        folder: where it lies.
        title: what people call it.
        classes: by their keys, in the order in which they were made.
        images: of each class, the oldest first, left out or not.
        left_out: images that are not used, and why.
        refused: files that could not be used, with the reason.
        newest: the number in the name of the newest image; they rise with the time.
    """

    folder: Path
    title: str
    classes: dict[str, OwnClass] = field(default_factory=dict)
    images: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    newest: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _digests: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """What the lab calls it: nothing that could be guessed."""
        return self.folder.name

    @property
    def shown(self) -> list[OwnClass]:
        """The classes that are not removed."""
        return [one for one in self.classes.values() if not one.removed]

    @property
    def is_untouched(self) -> bool:
        """Whether it is as it was made: a title and two classes that nobody has named, and no images."""
        classes = [(one.name, one.removed) for one in self.classes.values()]
        unnamed = re.fullmatch(rf"{TITLE}( \d+)?", self.title) and classes == [("Class 1", False), ("Class 2", False)]
        return bool(unnamed) and not any(self.images.values())

    def used(self, label: str) -> list[str]:
        """Return the images of a class that are not left out, the oldest first."""
        return [image for image in self.images.get(label, ()) if image not in self.left_out]

    def path(self, label: str, image: str) -> Path | None:
        """Return the file of an image; None if there is none."""
        known = image in self.images.get(label, ())
        return self.folder / "images" / label / image if known else None

    def rename(self, title: str) -> None:
        """Give the set another title.

        Raises:
            InputError: the title is empty.
        """
        with self._lock:
            self.title = checked_name(title, "the set")
            self._write()

    def add_class(self, name: str = "") -> str:
        """Add a class and return its key.

        Raises:
            InputError: there are too many, or there is one of that name.
        """
        with self._lock:
            if len(self.shown) >= MOST_CLASSES:
                raise InputError(
                    f"a set has {MOST_CLASSES} classes at most; open a larger one with glassnet lab --data"
                )
            taken = {one.name for one in self.classes.values()}
            number = len(self.classes) + 1
            while not name and f"Class {number}" in taken:
                number += 1
            name = self._free_name(name or f"Class {number}")
            key = f"c{len(self.classes) + 1}"
            self.classes[key], self.images[key] = OwnClass(key, name), []
            self._write()
            return key

    def class_named(self, name: str) -> str:
        """Return the key of the class of that name, which is made if there is none."""
        with self._lock:
            plain = checked_name(name, "the class")
            return next((one.key for one in self.shown if one.name == plain), None) or self.add_class(plain)

    def rename_class(self, key: str, name: str) -> None:
        """Give a class another name.

        Raises:
            InputError: the name is empty, or another class has it.
        """
        with self._lock:
            if key in self.classes and self.classes[key].name != name:
                self.classes[key] = OwnClass(key, self._free_name(name, key), self.classes[key].removed)
                self._write()

    def remove_class(self, key: str, *, removed: bool = True) -> None:
        """Leave a class out, or put it back.

        Raises:
            InputError: another class has its name by now.
        """
        with self._lock:
            if key in self.classes:
                name = self.classes[key].name
                self.classes[key] = OwnClass(key, name if removed else self._free_name(name, key), removed)
                self._write()

    def add_image(self, label: str, picture: "Picture", *, split: str | None = None, camera: bool = False) -> str:
        """Keep a decoded picture, and nothing but its pixels; return its name.

        Args:
            label: the key of its class.
            picture: in grayscale or colour.
            split: where its source says that it belongs.
            camera: it is a frame of a recording; those of a second stay on one side of the split.

        Raises:
            InputError: there is no such class, or no room.
        """
        small = max(picture.size) <= LONGEST_SIDE
        if not small:
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        with self._lock:
            self._check_there()
            if label not in self.classes or self.classes[label].removed:
                raise InputError("this class is no longer there; choose another one")
            if sum(map(len, self.images.values())) >= MOST_IMAGES:
                raise InputError(
                    f"a set has {MOST_IMAGES:,} images at most; open a larger one with glassnet lab --data"
                )
            self.newest = max(self.newest + 1, time.time_ns() // 1_000_000)
            mark = next((one for one, side in _SIDES.items() if side == split), "") + _CAMERA * camera
            image = f"{self.newest:012x}{mark}.{'png' if small else 'jpg'}"
        if shutil.disk_usage(self.folder).free < LEAST_FREE_BYTES:
            raise InputError("the disk of the lab is full; make room there")
        with new_file(self.folder / "images" / label / image) as beside:
            picture.save(beside, "PNG") if small else picture.save(beside, "JPEG", quality=92)
        with self._lock:
            self.images[label].append(image)
        return image

    def leave_out(self, images: Iterable[str], why: str) -> int:
        """Leave images out; return how many were used before."""
        with self._lock:
            known = {image for one in self.images.values() for image in one}
            new = [image for image in dict.fromkeys(images) if image in known and image not in self.left_out]
            self.left_out |= dict.fromkeys(new, why)
            self._write()
            return len(new)

    def put_back(self, why: str) -> int:
        """Use the images again that were left out for a reason; return how many."""
        return self.put_back_images([image for image, reason in self.left_out.copy().items() if reason == why])

    def put_back_images(self, images: Collection[str]) -> int:
        """Use images again; return how many were left out."""
        with self._lock:
            before = len(self.left_out)
            self.left_out = {image: why for image, why in self.left_out.items() if image not in images}
            self._write()
            return before - len(self.left_out)

    def note_refused(self, name: str, reason: str) -> None:
        """Remember a file that could not be used, until `forget_refused`."""
        with self._lock:
            self.refused = [*self.refused, (clean(name, 80), reason)][-MOST_REFUSED:]
            self._write()

    def forget_refused(self) -> None:
        """Forget which files could not be used."""
        with self._lock:
            self.refused = []
            self._write()

    def why_not(self) -> str:
        """Say why nothing can be learned from the set as it is; "" if it can."""
        used = [(one, len(self.used(one.key))) for one in self.shown]
        some = [(one, count) for one, count in used if count]
        if len(some) < 2:
            return f"{_classes(len(some))} with images; at least 2 are needed, so that there is something to tell apart"
        few = [one.name for one, count in some if count < 2]
        return f"{few[0]} has 1 image; at least 2 are needed, one to learn from and one for the test" if few else ""

    def write_version(self) -> Path:
        """Write which images are used, each with its class and split, and return that table; equal ones are one.

        Raises:
            InputError: nothing can be learned from the set as it is.
        """
        with self._lock:
            if reason := self.why_not():
                raise InputError(reason)
            rows = [(one, image) for one in self.shown for image in self.used(one.key)]
        from glassnet.lab.versions import write_table

        text = write_table(self, rows)
        with self._lock:
            name = _file_name(self.title)
            versions = self.versions()
            for path in versions:
                if path.stem.rpartition("-")[0] == name and path.read_text("utf-8") == text:
                    return path
            path = self.folder / f"{name}-{1 + max(map(_number, versions), default=0)}.csv"
            with new_file(path) as beside:
                beside.write_text(text, "utf-8")
            return path

    def versions(self) -> list[Path]:
        """Return the tables that were written, the newest first."""
        return sorted((one for one in self.folder.glob("*-*.csv") if one.name[0] != "."), key=_number, reverse=True)

    def digest(self, label: str, image: str) -> str:
        """Return a hash of the file of an image."""
        if image not in self._digests:
            data = (self.folder / "images" / label / image).read_bytes()
            self._digests[image] = hashlib.blake2b(data, digest_size=12).hexdigest()
        return self._digests[image]

    def _free_name(self, name: str, key: str = "") -> str:
        plain = checked_name(name, "the class")
        if any(one.name == plain and one.key != key for one in self.shown):
            raise InputError(f"there is a class {plain} already; choose another name")
        return plain

    def delete(self) -> None:
        """Delete its folder, for good: whatever is changed afterwards, by a page that still shows it, is refused."""
        with self._lock:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check_there(self) -> None:
        if not self.folder.is_dir():
            raise InputError(f"the set {self.title} was deleted; open another one")

    def _write(self) -> None:
        self._check_there()
        facts = {
            "title": self.title,
            "classes": [[one.key, one.name, one.removed] for one in self.classes.values()],
            "left_out": self.left_out,
            "refused": self.refused,
        }
        with new_file(self.folder / SET) as beside:
            beside.write_text(json.dumps(facts, indent=1), "utf-8")


def describe(own: OwnSet, most: int) -> dict[str, Any]:
    """Return what a page shows of a set, as plain JSON values; of each class, the newest images."""
    return {
        "key": own.key,
        "title": own.title,
        "classes": [
            {"key": one.key, "name": one.name, "count": len(used), "images": used[: -most - 1 : -1]}
            for one in own.shown
            for used in [own.used(one.key)]
        ],
        "ready": not own.why_not(),
        "reason": own.why_not(),
    }


def side_of(image: str) -> str | None:
    """Return the split that the source of an image stated; None if it did not."""
    return next((side for mark, side in _SIDES.items() if mark in image[12:].partition(".")[0]), None)


def second_of(image: str) -> int | None:
    """Return when a frame of a recording came in, in seconds; None for other images."""
    return int(image[:12], 16) // 1000 if _CAMERA in image[12:].partition(".")[0] else None


def checked_name(name: str, what: str) -> str:
    """Return a name as it is kept: in one line, and not long.

    Raises:
        InputError: it is empty.
    """
    plain = " ".join(clean(name, 4 * LONGEST_NAME).split())[:LONGEST_NAME].strip()
    if not plain:
        raise InputError(f"the name of {what} is empty; write one")
    return plain


def _file_name(title: str) -> str:
    """Return what files are called after: letters, digits and dashes, whatever the title holds."""
    return re.sub(r"-+", "-", "".join(one if one.isalnum() else "-" for one in title)).strip("-") or "images"


def _number(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _classes(count: int) -> str:
    return f"there {'is' if count == 1 else 'are'} {count or 'no'} {'class' if count == 1 else 'classes'}"
