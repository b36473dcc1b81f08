"""Names out of strangers' files: made fit to be shown, put in order, and asked which split they stand for."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from glassnet.errors import InputError

MOST_CLASSES = 10_000
"""More classes than this are taken for a mistake: numbers of pictures, say, instead of labels."""

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "publictest": "validation",
    "test": "test",
    "testing": "test",
    "t10k": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
    "privatetest": "test",
}
"""Words for the three splits in the names of folders, files and arrays, and in the cells of tables.

`t10k` is MNIST's, the public and private tests are those of the FER2013 faces; `dev` and `eval` mean what they mean at
Hugging Face (https://huggingface.co/docs/hub/datasets-file-names-and-splits).
"""

_KEPT = {"\u200d", "\u200c"}  # joiners inside emoji and words; every other invisible character could mislead
_LONGEST_CLASS = 80
_LONGEST_PATH = 300


def clean(text: str, most: int = _LONGEST_PATH) -> str:
    r"""Return text for one line of a terminal or a page: no control characters, no broken ones, not endless.

    Example:
        >>> clean("cat\n\x1b[2Jdog")
        'cat��[2Jdog'
    """
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
        text = "".join(character if character.isprintable() or character in _KEPT else "�" for character in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def explain(error: BaseException) -> str:
    """Return what an error of another library says, fit for one line."""
    return clean(getattr(error, "strerror", None) or str(error) or "it does not fit into memory")


def name_classes(found: Iterable[str]) -> dict[str, str]:
    """Return the name to be shown for each class, in the order of the classes: by number, or else by text.

    Names that differ only in the way their accents are encoded are one class, since archives written on a Mac differ in
    that from others. Names that only look equal after cleaning stay apart: the second one gets a number.

    Raises:
        InputError: there are more classes than anybody means.
    """
    found = set(found)
    if len(found) > MOST_CLASSES:
        raise InputError(
            f"found {len(found):,} different labels, and at most {MOST_CLASSES:,} classes are expected; "
            "check that labels are meant, not numbers or names of single pictures"
        )
    shown: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name in sorted(found, key=_class_order(found)):
        same = unicodedata.normalize("NFC", name).strip()
        plain = clean(same, _LONGEST_CLASS) or "(no name)"
        free, count = plain, 1
        while taken.setdefault(free, same) != same:
            count += 1
            free = f"{plain} ({count})"
        shown[name] = free
    return shown


def split_of(word: str) -> str | None:
    """Return "train", "validation" or "test" if the word means one of them."""
    return SPLIT_WORDS.get(word.strip().lower())


def split_at(path: str) -> str | None:
    """Return the split that a path inside a source, or the name of an array, states; None if it states none.

    Example:
        >>> split_at("data/partial-train/0000.parquet"), split_at("train/mnist_test.csv"), split_at("cat/1.png")
        ('train', 'test', None)
    """
    return next(iter(splits_at(path)), None)


def splits_at(path: str) -> tuple[str, ...]:
    """Return all splits that a path states ("train_test.csv": two), by its last part or else the nearest that does."""
    for part in reversed(path.split("/")):
        words = [part] if split_of(part) else words_of(part)
        if found := dict.fromkeys(split for word in words if (split := split_of(word))):
            return tuple(found)
    return ()


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: "trainImages-idx3" has train, images and idx3."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z0-9]+", parted.lower())


def name_data_set(path: Path) -> str:
    """Return what a data set is called, from its path: the last part without its endings, safe as a file's name."""
    last = path.resolve().name
    plain = re.sub(r"(?i)(\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|csv|tsv|txt|npz|npy|parquet|idx\d?))+$", "", last)
    return re.sub(r"[^\w.-]+", "-", clean(plain, 60)).strip("-.") or "images"


def _class_order(found: set[str]) -> Callable[[str], tuple[int, str]]:
    if all(re.fullmatch(r"\s*[+-]?\d{1,18}\s*", name, re.ASCII) for name in found):
        return lambda name: (int(name), name)
    return lambda name: (0, name)
