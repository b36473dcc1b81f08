"""Folders as labels: which class and which split the place of a picture says it belongs to.

    train/cat/1.png   cat/1.png   things/cat/1.png   cat/outside/1.png   cat/train/1.png

Folders that all pictures have in common say nothing and are taken away. Then `train`, `val` and `test` are splits, if
there is a class below them (a folder `train` with pictures of trains is a class); the next folder is the class,
whatever is below it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from glassnet.datasets.items import Files, Item, Problem
from glassnet.datasets.sources.entries import MOST_BYTES, Entry, Listing, looks_like_picture, read_entry, read_head
from glassnet.datasets.sources.names import clean, name_classes, name_data_set, split_at, split_of


def arrange(path: Path, listing: Listing, form: str) -> Files:
    """Give each picture of a folder or an archive the class and the split that its place says.

    Returns:
        The source; without items, if no picture lies in a folder that could be its class.

    Raises:
        InputError: there are absurdly many classes.
    """
    pictures, problems = choose_pictures(listing.entries)
    inside = [entry.path.rpartition("/")[0] for entry in pictures]
    meanings = read_places(Counter(inside))
    placed = []
    for entry, folder in zip(pictures, inside, strict=True):
        split, label = meanings[folder]
        if label is None:
            problems.append(Problem(clean(entry.path), "lies in no folder that could be its class"))
        else:
            placed.append((entry, split, label))
    if {split for _, split, _ in placed} in ({"test"}, {"validation"}):
        placed = [(entry, None, label) for entry, _, label in placed]  # the only split says nothing
    shown = name_classes(label for _, _, label in placed)
    items = tuple(make_item(entry, shown[label], split) for entry, split, label in placed)
    return Files(
        name=name_data_set(path),
        path=path,
        form=form,
        items=items,
        classes=tuple(dict.fromkeys(shown.values())),
        problems=(*listing.problems, *problems),
    )


def choose_pictures(entries: list[Entry]) -> tuple[list[Entry], list[Problem]]:
    """Return the entries that are pictures, by their name or else by their first bytes; the others become problems."""
    endings = picture_endings()
    pictures, problems = [], []
    for entry in entries:
        name = entry.path
        dot = name.rfind(".")
        ending = name[dot:].lower() if dot > name.rfind("/") else ""
        if entry.size == 0:
            problems.append(Problem(clean(name), "empty (0 bytes)"))
        elif entry.size > MOST_BYTES:
            problems.append(Problem(clean(name), f"larger than {MOST_BYTES >> 20} MB"))
        elif ending in endings or looks_like_picture(read_head(entry)):
            pictures.append(entry)
        else:
            problems.append(Problem(clean(name), "no picture"))
    return pictures, problems


def make_item(entry: Entry, label: str, split: str | None) -> Item:
    """Return an entry as a picture of a class."""
    return Item(clean(entry.path), label, split, partial(read_entry, entry.open), entry.stamp)


def picture_endings() -> frozenset[str]:
    """Return the endings of all formats that are decoded, in lower case, with their dot."""
    from PIL import Image

    from glassnet.datasets.decoding import REFUSED_FORMATS

    readable = Image.registered_extensions()  # this also loads the formats
    return frozenset(ending for ending, form in readable.items() if form in Image.OPEN and form not in REFUSED_FORMATS)


def read_places(folders: Mapping[str, int]) -> dict[str, tuple[str | None, str | None]]:
    """Return split and class for each folder that pictures lie in; None for what it does not say.

    Args:
        folders: their paths, with the number of pictures that lie directly in each.

    Example:
        >>> read_places({"things/train/cat": 9, "things/test/cat": 1})
        {'things/train/cat': ('train', 'cat'), 'things/test/cat': ('test', 'cat')}
    """
    whole = {folder: folder.split("/") if folder else [] for folder in folders}
    depth = _shared_depth([(whole[folder], count) for folder, count in folders.items()])
    places = {folder: place[depth:] for folder, place in whole.items()}
    outer = {place[0] for place in places.values() if place}
    # A class may be called "test tube"; only if every folder states a split are train_images and the like splits.
    split = split_at if len(set(map(split_at, outer))) > 1 and all(map(split_at, outer)) else split_of
    named = {place[0] for place in places.values() if len(place) > 1 and split(place[0])}
    spoken = {split(name) for name in named}
    if named and (all(map(split, outer)) or ("train" in spoken and len(spoken) > 1)):
        inner = {folder: place[1:] if place and place[0] in named else [] for folder, place in places.items()}
        depth = _shared_depth([(inner[folder], count) for folder, count in folders.items()])
        return {
            folder: (split(place[0]) if place else None, rest[depth] if len(rest := inner[folder]) > depth else None)
            for folder, place in places.items()
        }
    if outer and all(len(place) > 1 and split_of(place[1]) for place in places.values()):
        return {folder: (split_of(place[1]), place[0]) for folder, place in places.items()}
    if len(set(map(split, outer))) > 1 and all(map(split, outer)):
        return dict.fromkeys(folders, (None, None))  # a split each, and no class
    return {folder: (None, place[0] if place else None) for folder, place in places.items()}


def _shared_depth(places: Iterable[tuple[list[str], int]]) -> int:
    """Return how many folders all pictures share that mean nothing.

    A folder that many pictures lie in directly is their class; a few that were left beside the folders do not count.
    """
    inner = [(place, count) for place, count in places if place]
    depth = 0
    while inner and len(names := {place[depth] for place, _ in inner}) == 1 and not split_of(next(iter(names))):
        here = sum(count for place, count in inner if len(place) == depth + 1)
        if here * 10 > sum(count for _, count in inner):
            break
        depth += 1
        inner = [(place, count) for place, count in inner if len(place) > depth]
    return depth
