"""What a training keeps beside its run folder until that is complete: its plan, its checkpoints, a lock."""

import contextlib
import dataclasses
import json
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.atomic import check_free, new_file
from glassnet.datasets import Dataset
from glassnet.errors import DivergedError, GlassnetError, InputError, RunError
from glassnet.locks import held, is_held
from glassnet.recipe import Recipe
from glassnet.runs import is_run, unfinished_of

PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """All that a training needs to be gone on with, besides its checkpoints.

    Args:
        recipe: as it is trained, fitted to the images.
        dataset: name of the data set.
        dataset_sha256: its hash.
        source: where images of one's own came from (see `glassnet.datasets.Source.record`).
        seed: of the random start and the order of the images.
        replaces: the fingerprint of the run whose place the new one takes; "" if it takes none.
        snapshots: whether moments of it are kept.
    """

    recipe: Recipe
    dataset: str
    dataset_sha256: str
    source: dict[str, Any] | None
    seed: int
    replaces: str
    snapshots: bool

    @classmethod
    def of(cls, recipe: Recipe, data: Dataset, seed: int, *, replaces: str = "", snapshots: bool = False) -> "Plan":
        """Return the plan to train a recipe on a data set."""
        source = data.source.record() if data.source else None
        return cls(recipe, data.name, data.sha256, source, seed, replaces, snapshots)

    def write(self, out: Path) -> None:
        """Keep it until the run folder `out` is complete, in the place of all that another training has left."""
        for old in set(unfinished_of(out).glob("*")) - {lock_of(out)}:
            old.unlink()
        facts = dataclasses.asdict(dataclasses.replace(self, recipe=dataclasses.replace(self.recipe, **_NOTES)))
        with new_file(unfinished_of(out) / PLAN) as beside:
            beside.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


_NOTES: dict[str, Any] = {"expected": {}, "seconds": {}}
"""What is known of a recipe changes nothing in its training."""


def read_plan(out: Path) -> Plan:
    """Return the plan of the unfinished training of `out`.

    Raises:
        RunError: there is none, or it is damaged.
    """
    check_unfinished(out)
    path = unfinished_of(out) / PLAN
    try:
        facts = json.loads(path.read_text("utf-8"))
        return Plan(**facts | {"recipe": Recipe(**facts["recipe"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} cannot be read ({error}); remove its folder and train again") from error


def lock_of(out: Path) -> Path:
    """Return the file that a training holds while it is on its way to the run folder `out`."""
    return unfinished_of(out) / "lock"


def is_being_trained(out: Path) -> bool:
    """Tell whether a training, of this process or another, is on its way to the run folder `out` at this moment."""
    return is_held(lock_of(out))


def check_unfinished(out: Path) -> None:
    """Raise RunError unless there is an unfinished training of `out`."""
    if not (unfinished_of(out) / PLAN).is_file():
        done = "it is complete" if is_run(out) else "train it first: glassnet train RECIPE --out NAME"
        raise RunError(f"there is no unfinished training of {out}; {done}")


def check_place(out: Path, *, replace: bool) -> None:
    """Raise InputError unless a run can be written to `out`."""
    unfinished = unfinished_of(out)
    if is_being_trained(out):
        raise InputError(_busy(out))
    if not (replace and is_run(out)):
        check_free(out)
    if (unfinished / PLAN).exists() and not replace:
        raise InputError(f"{unfinished} holds a training that was not finished; {_how_to_go_on(out)}")


@contextmanager
def claimed(out: Path) -> Iterator[Path]:
    """Inside, the folder of checkpoints belongs to this training alone; afterwards it is gone.

    After an error or Ctrl-C it stays if there is something in it to go on from: the error then says how. What has
    diverged would only diverge again.

    Args:
        out: the run folder that the training is on its way to.

    Raises:
        InputError: it belongs to a training that runs at this moment.
    """
    from glassnet.training.checkpoints import PATTERN

    folder, made = unfinished_of(out), not out.parent.exists()
    with contextlib.ExitStack() as lock:
        if not lock.enter_context(held(lock_of(out), wait=False)):
            raise InputError(_busy(out))
        try:
            yield folder
        except (Exception, KeyboardInterrupt) as error:
            if any(folder.glob(PATTERN)) and not isinstance(error, DivergedError):
                _add(error, f"what it had learned is kept in {folder}: {_how_to_go_on(out)}")
                raise
            lock.close()
            shutil.rmtree(folder, ignore_errors=True)
            if made:
                with contextlib.suppress(OSError):
                    out.parent.rmdir()
            raise
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _add(error: BaseException, advice: str) -> None:
    """Add advice to an error: to the line of one of ours, below the text of any other."""
    if isinstance(error, GlassnetError):
        error.args = (f"{error}; {advice}",)
    else:
        error.add_note(advice)


def _busy(out: Path) -> str:
    return f"{out} is being trained at this moment; wait for it, or name another folder with --out"


def _how_to_go_on(out: Path) -> str:
    return f"go on with glassnet train --resume {shlex.quote(str(out))}, or start anew with --replace"
