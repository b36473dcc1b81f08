"""The shelf: what runs there are in the lab's folder, and what was left unfinished."""

import json
from functools import lru_cache
from pathlib import Path

from glassnet.errors import GlassnetError
from glassnet.lab.messages import Order
from glassnet.lab.state import is_run_name
from glassnet.recipes import Recipe
from glassnet.runs import PASSPORT, Passport, is_run, read_passport, unfinished_of

PLAN = "plan.json"
MOST_LISTED = 30


def list_runs(folder: Path) -> list[tuple[str, Passport]]:
    """Return the names and passports of the newest runs, newest first; damaged ones are left out."""
    try:
        paths = [path for path in folder.iterdir() if is_run_name(path.name) and is_run(path)]
    except OSError:
        return []
    stamped = sorted(((_stamp(path), path) for path in paths), reverse=True)
    found = ((path.name, _passport(path, stamp)) for stamp, path in stamped[:MOST_LISTED])
    return [(name, passport) for name, passport in found if passport]


def list_unfinished(folder: Path) -> list[str]:
    """Return the names of trainings that were killed and can go on."""
    try:
        return sorted(path.parent.name.removesuffix(".unfinished") for path in folder.glob(f"*.unfinished/{PLAN}"))
    except OSError:
        return []


def find_unfinished(folder: Path, name: str) -> Order | None:
    """Return the order that goes on with a training that was killed; None if there is none of that name."""
    if not is_run_name(name):
        return None
    out = folder / name
    try:
        facts = json.loads((unfinished_of(out) / PLAN).read_text("utf-8"))
        data = (facts.get("source") or {}).get("path") or facts["dataset"]
        return Order(Recipe(**facts["recipe"]), data, facts["seed"], out, resume=True)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def find_run(folder: Path, name: str) -> Path | None:
    """Return the folder of a run; None if there is none of that name."""
    path = folder / name
    return path if is_run_name(name) and is_run(path) else None


@lru_cache(256)
def _passport(path: Path, stamp: int) -> Passport | None:
    try:
        return read_passport(path)
    except GlassnetError:
        return None


def _stamp(path: Path) -> int:
    try:
        return (path / PASSPORT).stat().st_mtime_ns
    except OSError:
        return 0
