"""The shelf: what runs there are in the lab's folder, and what was left unfinished."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from glassnet.datasets import Dataset
from glassnet.errors import GlassnetError, InputError
from glassnet.lab.looks import loaded, loaded_again
from glassnet.lab.messages import Order
from glassnet.lab.state import is_run_name
from glassnet.recipes import Recipe
from glassnet.runs import PASSPORT, Passport, is_being_trained, is_run, read_passport, unfinished_of
from glassnet.training.runner import PLAN

MOST_LISTED = 30


def list_runs(folder: Path) -> list[tuple[str, Passport]]:
    """Return the names and passports of the newest runs, newest first; damaged ones are left out."""
    try:
        paths = [path for path in folder.iterdir() if is_run_name(path.name) and is_run(path)]
    except OSError:
        return []
    stamped = sorted(((written_at(path), path) for path in paths), reverse=True)
    found = ((path.name, _passport(path, stamp)) for stamp, path in stamped[:MOST_LISTED])
    return [(name, passport) for name, passport in found if passport]


def list_unfinished(folder: Path) -> list[str]:
    """Return the names of trainings that were killed and can go on."""
    try:
        names = [path.parent.name.removesuffix(".unfinished") for path in folder.glob(f"*.unfinished/{PLAN}")]
    except OSError:
        return []
    return sorted(name for name in names if is_run_name(name) and not is_being_trained(folder / name))


def find_unfinished(folder: Path, name: str) -> Order | None:
    """Return the order that goes on with a training that was killed; None if there is none of that name."""
    if not is_run_name(name):
        return None
    out = folder / name
    try:
        facts = _read_plan(out)
        data = (facts.get("source") or {}).get("path") or facts["dataset"]
        return Order(Recipe(**facts["recipe"]), data, facts["seed"], out, resume=True)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def data_of_unfinished(out: Path) -> Dataset:
    """Return the data set of a training that was killed, its images prepared as they were then.

    Raises:
        InputError: it is not at hand any more, or nothing is left of the training.
    """
    try:
        facts = _read_plan(out)
        source, name = facts["source"], facts["dataset"]
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(f"nothing is left of {out.name}; train it again") from None
    return loaded_again(json.dumps(source)) if source else loaded(name)


def find_run(folder: Path, name: str) -> Path | None:
    """Return the folder of a run; None if there is none of that name, or it is damaged."""
    path = folder / name
    return path if is_run_name(name) and is_run(path) and _passport(path, written_at(path)) else None


def written_at(run: Path) -> int:
    """Return when a run was written, which tells it from another one in its place; 0 if there is none."""
    try:
        return (run / PASSPORT).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(256)
def _passport(path: Path, stamp: int) -> Passport | None:
    try:
        return read_passport(path)
    except GlassnetError:
        return None


def _read_plan(out: Path) -> Any:
    return json.loads((unfinished_of(out) / PLAN).read_text("utf-8"))
