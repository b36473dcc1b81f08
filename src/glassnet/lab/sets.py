"""The data sets of the lab: those in the package, and images of the user's own.

The latter are those that the lab was started with, and versions of the sets that came in through the page.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from glassnet.datasets import EMBEDDED, Dataset
from glassnet.errors import InputError
from glassnet.lab.looks import loaded
from glassnet.lab.ownset import OwnSet
from glassnet.lab.ownsets import OwnSets
from glassnet.paths import expanded


@dataclass(frozen=True)
class SetFacts:
    """What a page says of a data set.

    Args:
        title: its name in prose.
        about: what the pictures show, or where they come from.
        credit: who made them; "" for the user's own.
        classes: names of the classes.
        image_shape: height, width, and channels where there are any.
        train: images to learn from.
        test: images for the test.
        validation: images that are measured while it learns.
    """

    title: str
    about: str
    credit: str
    classes: tuple[str, ...]
    image_shape: tuple[int, ...]
    train: int
    test: int
    validation: int = 0


_admitted: dict[str, SetFacts] = {}
_known: list[OwnSets] = []  # one, in the lab's server; none in the processes that work for it

OWN = "sets"
"""The folder, in that of the runs, in which sets that came in through the page are kept."""


def keep_sets(runs: Path) -> OwnSets:
    """Keep sets that come in through the page beside the runs, and know those that are there."""
    _known[:] = [OwnSets(runs / OWN)]
    return _known[0]


def find_own(key: str) -> OwnSet | None:
    """Return a set that came in through the page, by its key; None if there is none."""
    return _known[0].find(key) if _known else None


def own_of(name: str) -> OwnSet | None:
    """Return the set that a data set is a version of; None if it is none of these."""
    return _known[0].of(name) if _known else None


def is_changed(own: OwnSet, name: str) -> bool:
    """Tell whether a set has other images or classes by now than one of its versions."""
    data = loaded(name)
    names = data.source.names.values() if data.source else ()
    then = {one.rpartition("/")[2] for split in names for one in split}
    now = {one.name: set(used) for one in own.shown if (used := own.used(one.key))}
    return set(data.classes) != set(now) or then != set().union(*now.values())


def own_sets() -> OwnSets | None:
    """Return what keeps the sets that come in through the page; None outside of the lab's server."""
    return _known[0] if _known else None


def admit(path: Path) -> None:
    """Take in images of the user's own, so that pages may name them; no page can name any others.

    Raises:
        InputError: there is nothing usable at that path.
    """
    name = str(expanded(path).resolve())
    _admitted[name] = _facts(loaded(name))


def set_names() -> tuple[str, ...]:
    """Return the names that links may hold: of the package's sets, of what was admitted, of versions of own sets."""
    return (*dict.fromkeys((*EMBEDDED, *_admitted, *(str(path) for one in list_own() for path in one.versions()))),)


def set_titles(chosen: str) -> dict[str, str]:
    """Return what is offered to choose from, with its titles: of own sets, the newest version, and the chosen one."""
    versions = [(one.title, [str(path) for path in one.versions()]) for one in list_own()]
    newest = {names[0]: title for title, names in versions if names}
    mine = {name for _, names in versions for name in names}
    titles = {name: set_facts(name).title for name in (*EMBEDDED, *_admitted) if name not in mine} | newest
    titles = titles if chosen in titles else titles | {chosen: set_facts(chosen).title}
    often = Counter(titles.values())
    return {name: title if often[title] == 1 else f"{title} ({_place(name)})" for name, title in titles.items()}


def set_facts(name: str) -> SetFacts:
    """Return what is known of a data set; the server has checked its name before any other process is asked."""
    if name not in EMBEDDED:
        found = _admitted.get(name) or _facts_of(name)
        return replace(found, title=_title(own, name), about="images of your own") if (own := own_of(name)) else found
    known = EMBEDDED[name]
    train, test = known.files[0].shape, known.files[2].shape
    return SetFacts(known.title, known.about, known.credit, known.classes, train[1:], train[0], test[0])


def copy_set(name: str, images: Sequence[str]) -> tuple[OwnSet, list[str]]:
    """Copy images that the lab was started with into a set that can be changed here.

    Args:
        name: the path that was admitted.
        images: some of them, by their names in the source.

    Returns:
        The new set, and what these images are called in it.

    Raises:
        InputError: there are too many, or there is no room.
    """
    from glassnet.datasets.sources.opening import open_source
    from glassnet.lab.arrivals import keep_source

    title = set_facts(name).title
    own = _known[0].create(title)
    try:
        kept, refused = keep_source(own, open_source(name), title)
    except InputError:
        _known[0].delete(own.key)
        raise
    for one in refused:
        own.note_refused(*one)
    return own, [kept[image] for image in images if image in kept]


def list_own() -> list[OwnSet]:
    """Return the sets that came in through the page, the newest first."""
    return _known[0].all() if _known else []


def _place(name: str) -> str:
    """Say where a set lies that is called as another one is."""
    return "put together here" if own_of(name) else name


def _title(own: OwnSet, name: str) -> str:
    """Return the title of a version; one that is not the newest says so."""
    versions = [str(path) for path in own.versions()]
    older = versions and name != versions[0] and name in versions
    return f"{own.title} (version {len(versions) - versions.index(name)} of {len(versions)})" if older else own.title


@lru_cache
def _facts_of(name: str) -> SetFacts:
    return _facts(loaded(name))


def _facts(data: Dataset) -> SetFacts:
    source = data.source
    return SetFacts(
        title=data.name,
        about=f"images of your own ({source.form})" if source else "images of your own",
        credit="",
        classes=data.classes,
        image_shape=data.image_shape,
        train=len(data.train),
        test=len(data.test),
        validation=len(data.validation or ()),
    )
