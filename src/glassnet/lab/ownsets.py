"""The sets of one's own that the lab keeps: found, made, read again after a restart, deleted."""

import json
import re
import secrets
import threading
import time
from collections.abc import Collection
from pathlib import Path

from glassnet.datasets.sources.names import clean
from glassnet.errors import InputError
from glassnet.lab.ownset import LONGEST_NAME, SET, TITLE, OwnClass, OwnSet

MOST_SETS = 100
"""In the lab."""

_KEY, _IMAGE = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{12}[a-z]*\.(png|jpg)")


class OwnSets:
    """All sets in a folder of the lab.

    Args:
        folder: where they are; it is made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._known: dict[str, OwnSet] = {}
        self._lock = threading.RLock()

    def all(self) -> list[OwnSet]:
        """Return all sets, the newest first; what is damaged is left out."""
        try:
            folders = sorted((one for one in self.folder.iterdir() if _KEY.fullmatch(one.name)), reverse=True)
        except OSError:
            return []
        return [found for one in folders if (found := self.find(one.name))]

    def find(self, key: str) -> OwnSet | None:
        """Return a set by its key; None if there is none."""
        with self._lock:
            if key not in self._known and _KEY.fullmatch(key) and (found := _read(self.folder / key)):
                self._known[key] = found
            return self._known.get(key)

    def of(self, data: str) -> OwnSet | None:
        """Return the set that a version belongs to, by the path of its table; None if it is none of these."""
        path = Path(data)
        return self.find(path.parent.name) if path.parent.parent == self.folder else None

    def create(self, title: str = TITLE) -> OwnSet:
        """Make an empty set with two classes.

        Raises:
            InputError: there are too many.
        """
        with self._lock:
            if len(self.all()) >= MOST_SETS:
                raise InputError(f"the lab keeps {MOST_SETS} sets of images at most; delete one that is not needed")
            titles = {one.title for one in self.all()}
            plain, number = title, 1
            while plain in titles:
                number += 1
                plain = f"{title} {number}"
            # Begins with the time, so that names sort by age; the rest cannot be guessed.
            folder = self.folder / f"{int(time.time()):08x}{secrets.token_hex(4)}"
            folder.mkdir(parents=True)
            made = self._known[folder.name] = OwnSet(folder, plain)
            for name in ("Class 1", "Class 2"):
                made.add_class(name)
            return made

    def delete(self, key: str) -> None:
        """Delete a set for good, with all versions of it and what was made from them."""
        found = self.find(key)
        if found is None:
            return
        from glassnet.lab.versions import forget_packs

        forget_packs(found.versions())
        with self._lock:
            self._known.pop(key, None)
            found.delete()


def _read(folder: Path) -> OwnSet | None:
    """Read a set; None if there is none, or it is damaged."""
    try:
        facts = json.loads((folder / SET).read_text("utf-8"))
        own = OwnSet(folder, clean(str(facts["title"]), LONGEST_NAME))
        for key, name, removed in facts["classes"]:
            if not re.fullmatch(r"c\d{1,6}", key):
                return None
            own.classes[key] = OwnClass(key, clean(str(name), LONGEST_NAME), bool(removed))
            own.images[key] = sorted(_images_in(folder / "images" / key))
        own.left_out = {str(image): str(why) for image, why in facts["left_out"].items()}
        own.refused = [(str(name), str(reason)) for name, reason in facts["refused"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    own.newest = max((int(image[:12], 16) for one in own.images.values() for image in one), default=0)
    return own


def _images_in(folder: Path) -> Collection[str]:
    """Return the images in a folder; what a killed lab left beside them goes."""
    found = []
    for one in folder.glob("*") if folder.is_dir() else ():
        if _IMAGE.fullmatch(one.name):
            found.append(one.name)
        elif one.name.startswith("."):
            one.unlink(missing_ok=True)
    return found
