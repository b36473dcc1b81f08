"""The shelf: what runs there are in the lab's folder, and what was left unfinished."""

import json
from functools import lru_cache
from pathlib import Path

from glassnet.datasets import Dataset
from glassnet.errors import GlassnetError
from glassnet.lab.looks import loaded, loaded_again
from glassnet.lab.messages import Order
from glassnet.lab.state import is_run_name
from glassnet.runs import PASSPORT, Passport, is_run, read_passport
from glassnet.training.unfinished import PLAN, is_being_trained, read_plan

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
        plan = read_plan(out)
    except GlassnetError:
        return None
    data = plan.source["path"] if plan.source else plan.dataset
    return Order(plan.recipe, data, plan.seed, out, resume=True)


def data_of_unfinished(out: Path) -> Dataset:
    """Return the data set of a training that was killed, its images prepared as they were then.

    Raises:
        GlassnetError: it is not at hand any more, or nothing is left of the training.
    """
    plan = read_plan(out)
    return loaded_again(json.dumps(plan.source)) if plan.source else loaded(plan.dataset)


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
