"""State: what one tab of the lab is set to and shows."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from glassnet.errors import InputError
from glassnet.evaluation.robustness import CORRUPTIONS
from glassnet.lab.levels import untouched
from glassnet.lab.looks import loaded
from glassnet.lab.sets import set_facts
from glassnet.photos import adapt
from glassnet.recipe import Recipe, check_count
from glassnet.recipes import RECIPES

PANELS = {
    "data": "Data",
    "network": "Network",
    "training": "Training",
    "results": "Results",
    "tryit": "Try it",
    "experiments": "Experiments",
    "share": "Share",
}
"""The panels with their titles, from left to right."""

VIEWS = ("mistakes", "classes", "worse", "contest")
"""What Results can show of a run."""

CONTROLS = (
    "set", "recipe", "layers", "activation", "norm", "dropout", "optimizer", "rate", "schedule", "batch", "epochs",
    "seed", "scale", "validation", "augmentation", "code", "runs", "results", "tryit", "experiments", "share",
)  # fmt: skip
"""What a link can hide: a control or a panel."""

MOST_EPOCHS, MOST_LAYERS, MOST_WIDTH, MOST_FILTERS = 200, 6, 2048, 256
"""Larger trainings belong on the command line: many people may share the lab's machine."""

MOST_REPEATS = 5
"""Trainings that one click asks for."""

ERRORS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of wrong answers that one can accept; what is less sure is "I don't know"."""

ALL_ANSWERS = 1.0
"""The share with which every answer is given."""


@dataclass(frozen=True)
class State:
    """What one tab is set to.

    Args:
        plan: the recipe with its changes.
        data: name of the data set.
        seed: of the next training.
        repeats: how many seeds one click trains.
        panel: the open one.
        run: name of the run that is shown; empty for none.
        view: what Results shows of it.
        worse: how images are made worse, and how much.
        lots: seed of the images that people label against the network.
        max_error: share of the given answers in Try it that may be wrong, one of `ERRORS` or `ALL_ANSWERS`.
        pair: names of the two runs that are side by side; empty for none.
        hide: controls that are not there, as a teacher wants it.
        own: key of the set of one's own that is being put together; empty for none.
    """

    plan: Recipe = RECIPES["baseline"]
    data: str = "fashion-mnist"
    seed: int = 0
    repeats: int = 1
    panel: str = "data"
    run: str = ""
    view: str = "mistakes"
    worse: tuple[str, float] = untouched(next(iter(CORRUPTIONS)))
    lots: int = 0
    max_error: float = 0.01
    pair: tuple[str, str] = ("", "")
    hide: frozenset[str] = field(default_factory=frozenset)
    own: str = ""

    @cached_property
    def plan_for_data(self) -> Recipe:
        """The plan, with the changes of images that suit the data set if the recipe leaves them open."""
        return adapt(self.plan, loaded(self.data))

    @cached_property
    def plan_to_train(self) -> Recipe:
        """That, with the epochs and the batch size that so many images need, and no larger batch than there are."""
        images = set_facts(self.data).train
        plan = self.plan_for_data.fitted(images)
        return plan if plan.batch_size <= images else plan.changed(batch_size=images)

    def changed(self, **settings: Any) -> "State":
        """Return the state with other settings of the recipe.

        Raises:
            InputError: a setting that cannot work, or is too much for the lab.
        """
        plan = self.plan.changed(**settings)
        check_count("epochs", plan.epochs, most=MOST_EPOCHS)
        if "batch_size" in settings:  # that of a recipe is fitted to a small set when it is trained
            check_count("batch size", plan.batch_size, most=set_facts(self.data).train)
        for widths, what, unit, most in (
            (plan.hidden, "hidden layers", "width of a hidden layer", MOST_WIDTH),
            (plan.filters, "convolutional blocks", "number of filters", MOST_FILTERS),
        ):
            if len(widths) > MOST_LAYERS:
                raise InputError(f"{len(widths)} {what}; the lab builds at most {MOST_LAYERS}")
            for width in widths:
                check_count(unit, width, most=most)
        return replace(self, plan=plan)


def is_run_name(text: str) -> bool:
    """Tell whether a text can be the name of a folder in the lab's folder of runs, and nothing outside of it."""
    return 0 < len(text) <= 80 and not text.startswith(".") and all(one.isalnum() or one in "-_." for one in text)
