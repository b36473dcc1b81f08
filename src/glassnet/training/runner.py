"""train, train_many, resume: a recipe or a Keras model of one's own becomes a run."""

import os
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from glassnet import datasets, photos, recipes
from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.recipe import Recipe, Settings
from glassnet.runs import Run, fingerprint, is_run, open_run, unfinished_of
from glassnet.training.events import Listener
from glassnet.training.job import Job, hold_out
from glassnet.training.unfinished import Plan, check_place, claimed, read_plan
from glassnet.training.watch import stopped_by_ctrl_c

if TYPE_CHECKING:
    import keras

    from glassnet.training.steering import Steering


def train(
    recipe: "str | Recipe | keras.Model",
    data: str | Dataset | None = None,
    *,
    seed: int = 0,
    out: str | Path | None = None,
    replace: bool = False,
    on_event: Listener | None = None,
    steering: "Steering | None" = None,
    checkpoint_seconds: float = 30.0,
    snapshots: bool = False,
    **settings: Unpack[Settings],
) -> Run:
    """Train a network, measure it on the test images, and return the run.

    Ctrl-C stops training and keeps what was learned: the run then says where it was interrupted. A training of a recipe
    with `out` that is killed, or ends in an error, leaves `OUT.unfinished` behind, from which `resume` goes on; that of
    a model of one's own does not, because its network could not be built again.

    Args:
        recipe: the name of a recipe, a recipe, or a Keras model of one's own (it is trained in place; if it is not
            compiled, it gets Adam and the cross-entropy that fits its output).
        data: name or data set; the recipe's own if None.
        seed: of the random start and of the order of the images. Equal seeds give equal bits on one machine.
        out: folder to write the run to; None keeps it in memory (see `Run.save`).
        replace: an existing or unfinished run at `out` is replaced, once the new one is complete.
        on_event: is called with every event of training.
        steering: pauses, steps, slows down or ends the training from another thread.
        checkpoint_seconds: with a recipe and `out`, how often its state is kept within an epoch, besides at its end.
        snapshots: keep the weights of up to 40 moments, so that the training can be watched again (`glassnet.replay`).
        **settings: what to change in the recipe (see `glassnet.recipe.Settings`).

    Raises:
        InputError: a name, a setting, data or a place that cannot work.
        DivergedError: the loss is no longer a number.

    Example:
        >>> import glassnet
        >>> run = glassnet.train("digits-32", epochs=1, seed=7)
        >>> run.passport.test_accuracy > 0.9
        True
    """
    start = time.perf_counter()
    plan = _planned(recipe, settings)
    _check_seed(seed)
    out = None if out is None else Path(out)
    if out is not None:
        check_place(out, replace=replace)
    data, load_seconds = _loaded(data, plan)
    plan = _fitted(plan, data)
    job = Job(plan, recipe if not isinstance(recipe, (str, Recipe)) else None, seed, start, load_seconds)
    if out is None or job.own is not None:  # a model of one's own cannot be built again, so no checkpoint could help it
        run = job.run(data, on_event, snapshots=snapshots, steering=steering)
        if out is None:
            return run
        saved = run.save(out, replace=replace)
        shutil.rmtree(unfinished_of(out), ignore_errors=True)  # of a recipe that was to be there, and is replaced
        return saved

    from glassnet.training.checkpoints import Checkpoints

    with claimed(out) as folder:
        Plan.of(plan, data, seed, replaces=fingerprint(out), snapshots=snapshots).write(out)
        checkpoints = Checkpoints(folder, checkpoint_seconds)
        run = job.run(data, on_event, snapshots=snapshots, steering=steering, checkpoints=checkpoints)
        return run.save(out, replace=replace)


def resume(
    out: str | Path,
    data: Dataset | None = None,
    *,
    on_event: Listener | None = None,
    steering: "Steering | None" = None,
    checkpoint_seconds: float = 30.0,
) -> Run:
    """Go on with a training that was killed; the run is, bit for bit, that of a training that was not.

    Args:
        out: the folder that the killed training would have written.
        data: the data set, if it is not an embedded one.
        on_event: is called with every event of training.
        steering: pauses, steps, slows down or ends the training from another thread.
        checkpoint_seconds: how often the state is kept within an epoch, besides the end of every epoch.

    Raises:
        RunError: there is no unfinished training.
        InputError: the data set is another one.
    """
    start = time.perf_counter()
    out = Path(out)
    plan = read_plan(out)
    if is_run(out) and fingerprint(out) != plan.replaces:  # it was killed between its last two moves
        shutil.rmtree(unfinished_of(out), ignore_errors=True)
        return open_run(out)
    if data is None and plan.source:
        data = datasets.load_again(plan.source)
    if data is None and plan.dataset not in {**datasets.EMBEDDED, **datasets.PUBLISHED}:
        raise InputError(f"{out} was being trained on {plan.dataset!r}, a data set from Python; pass that data set")
    data, load_seconds = _loaded(data or plan.dataset, plan.recipe)
    if data.sha256 != plan.dataset_sha256:
        wanted = f"{plan.dataset} (SHA-256 {plan.dataset_sha256[:12]}…)"
        raise InputError(f"{out} was being trained on another {wanted}; pass that data set")

    from glassnet.training.checkpoints import Checkpoints

    job = Job(plan.recipe, None, plan.seed, start, load_seconds)
    with claimed(out) as folder:
        checkpoints = Checkpoints(folder, checkpoint_seconds)
        run = job.run(data, on_event, snapshots=plan.snapshots, steering=steering, checkpoints=checkpoints)
        return run.save(out, replace=bool(plan.replaces))


def train_many(
    recipe: "str | Recipe | Sequence[str | Recipe]",
    data: str | Dataset | None = None,
    *,
    seeds: Sequence[int],
    threads: int | None = None,
    **settings: Unpack[Settings],
) -> list[Run]:
    """Train several networks at once; each is, bit for bit, what `train` alone makes of it.

    Networks that are built alike share one compiled program, and all share the data on the device; the threads keep
    every core busy, which one small network does not.

    Args:
        recipe: one for all seeds, or one for each seed (they may differ in anything).
        data: name or data set for all of them; the recipe's own if None.
        seeds: one for each network.
        threads: how many train at the same moment; one for each core if None.
        **settings: what to change in the recipes.

    Returns:
        The runs, in the order of the seeds.

    Raises:
        InputError: as `train`; another number of recipes than of seeds.
        DivergedError: the loss of one is no longer a number.

    Example:
        >>> import glassnet
        >>> runs = glassnet.train_many("baseline", seeds=[1, 2, 3], epochs=1)
        >>> [run.passport.seed for run in runs]
        [1, 2, 3]
    """
    start = time.perf_counter()
    several = [recipe] * len(seeds) if isinstance(recipe, (str, Recipe)) else list(recipe)
    if len(several) != len(seeds) or not seeds:
        raise InputError(
            f"{len(several)} recipes and {len(seeds)} seeds; pass one recipe, or one for each of 1 or more"
        )
    plans = [_planned(one, settings) for one in several]
    for seed in seeds:
        _check_seed(seed)
    if not data and len({plan.dataset for plan in plans}) > 1:
        raise InputError("the recipes are meant for different data sets; name the one to train all of them on")
    data, load_seconds = _loaded(data, plans[0])
    plans = [_fitted(plan, data) for plan in plans]
    jobs = [Job(plan, None, seed, start, load_seconds) for plan, seed in zip(plans, seeds, strict=True)]

    for job in jobs:  # one after the other: building draws from Python's own generator
        job.prepare(data, None)
    arrays = _shared(data, {plan.held_out for plan in plans})

    def fit(job: Job) -> None:
        try:
            job.fit(data, arrays.get(job.plan.held_out))
        except Exception:  # of which nobody would hear until all others are through
            for other in jobs:
                other.watch.stop()
            raise

    with (
        ThreadPoolExecutor(threads or os.cpu_count()) as pool,
        stopped_by_ctrl_c([job.watch for job in jobs]),
    ):
        list(pool.map(fit, jobs))
        return list(pool.map(partial(Job.finish, data=data), jobs))


def _shared(data: Dataset, shares: set[float]) -> dict[float, Any]:
    """Put what is learned from on the device, for each share that is held out; nothing if it is too large for that."""
    import jax

    from glassnet.training.streaming import fits

    if not fits(data.train.images.nbytes):
        return {}  # each training streams it
    learned = {share: hold_out(data, share)[0] for share in shares}
    return {share: jax.device_put((split.images, split.labels)) for share, split in learned.items()}


def _check_seed(seed: int) -> None:
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise InputError(f"seed is {seed!r}; it must be a whole number from 0 to {2**32 - 1}")


def _planned(recipe: "str | Recipe | keras.Model", settings: Settings) -> Recipe:
    """Return the recipe with the changes; for a model of one's own, a recipe that only says how to train it."""
    if isinstance(recipe, str):
        recipe = recipes.find(recipe)
    if isinstance(recipe, Recipe):
        return recipe.changed(**settings)
    if not hasattr(recipe, "train_step"):
        raise InputError(
            f"cannot train {recipe!r}; pass a Keras model, a Recipe or the name of one: {', '.join(recipes.RECIPES)}"
        )
    allowed = ("epochs", "batch_size", "validation")
    if wrong := [name for name in settings if name not in allowed]:
        raise InputError(f"{wrong[0]} cannot be changed in a model of your own; build and compile the model with it")
    own = Recipe(name=recipe.name, about="A model of the user's own.", dataset="")
    return own.changed(**settings)


def _loaded(data: str | Dataset | None, plan: Recipe) -> tuple[Dataset, float]:
    """Return the data set and how long loading it took."""
    before = time.perf_counter()
    if not isinstance(data, Dataset):
        name = data or plan.dataset
        if not name:
            raise InputError(f"say what to train {plan.name!r} on: data={' or '.join(map(repr, datasets.EMBEDDED))}")
        data = datasets.load(name)
    return data, time.perf_counter() - before


def _fitted(plan: Recipe, data: Dataset) -> Recipe:
    """Return the plan with what training on such and so many images needs; refuse too few for it."""
    for split in (data.train, data.test):
        if not len(split):
            raise InputError(
                f"{data.name} has no {split.name} images; training needs some to learn from and to test on"
            )
    plan = photos.adapt(plan.fitted(len(data.train)), data)
    if plan.batch_size > len(data.train):
        raise InputError(
            f"batch size is {plan.batch_size}, but there are only {len(data.train)} training images; "
            f"choose at most {len(data.train)}"
        )
    return plan
