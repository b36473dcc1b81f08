"""The command line, or the call from Python, that trains a run again."""

import shlex

from glassnet import datasets, recipes
from glassnet.recipe import AUGMENTATIONS, Recipe
from glassnet.runs import Passport

LISTS = ("filters", "hidden")
"""Settings whose option is given once for each value."""

FLAGS = (
    "epochs", "batch_size", "optimizer", "learning_rate", "schedule", "weight_decay", "label_smoothing", "activation",
    "depth", "members", "dropout", "held_out", "shift", "rotate", "zoom", "elastic", "erase",
)  # fmt: skip
"""Settings whose option takes the value."""

SWITCHES = ("scale", "validation", "principal", "batch_norm", "flip", "mirrored")
"""Settings that an option turns on and off."""


def command_line(passport: Passport) -> str | None:
    """Return the `glassnet train …` that gives this run again; None for a network or images of one's own.

    For a run that was stopped, or whose learning rate was changed by hand, it is the training without that.

    Example:
        >>> import glassnet
        >>> from glassnet.sharing.command import command_line
        >>> command_line(glassnet.train("digits-32", "fashion-mnist", epochs=1, seed=7).passport)
        'glassnet train digits-32 --data fashion-mnist --epochs 1 --seed 7'
    """
    recipe = recipe_of(passport)
    settings = passport.settings
    if recipe is None or passport.dataset not in datasets.EMBEDDED or settings.get("output") != recipe.output:
        return None
    words = ["glassnet", "train", recipe.name]
    if passport.dataset != recipe.dataset:
        words += ["--data", passport.dataset]
    usual = _usual(recipe, passport).settings()
    if recipe.adapts and any(settings.get(name) != usual[name] for name in AUGMENTATIONS):
        usual |= {name: None if name == "shift" else getattr(recipe, name) for name in AUGMENTATIONS}
    changed = {name: settings[name] for name in usual if name in settings and settings[name] != usual[name]}
    for name in LISTS:
        words += [word for width in changed.get(name, ()) for word in (f"--{name}", str(width))]
    if any(name in changed and changed[name] in ([], None) for name in (*LISTS, "learning_rate", "weight_decay")):
        return None  # options can give a value, but not take the recipe's own away
    for name in FLAGS:
        if name in changed:
            words += [f"--{name.replace('_', '-')}", str(changed[name])]
    words += [f"--{'' if changed[name] else 'no-'}{name.replace('_', '-')}" for name in SWITCHES if name in changed]
    return shlex.join([*words, "--seed", str(passport.seed)])


def _usual(recipe: Recipe, passport: Passport) -> Recipe:
    """Return the recipe as it is on such images when nothing is chosen."""
    facts = passport.data_facts
    return recipe.adapted(facts["kind"], min(passport.image_shape[:2])) if facts else recipe


def recipe_of(passport: Passport) -> Recipe | None:
    """Return the recipe that a run was trained with, changed or not; None for a model of one's own."""
    recipe = recipes.RECIPES.get(passport.recipe)
    return recipe if recipe is not None and "hidden" in passport.settings else None


def unchanged(passport: Passport) -> bool:
    """Tell whether a run has its recipe's own settings, so that its expected accuracy holds."""
    recipe = recipe_of(passport)
    if recipe is None or passport.interrupted or passport.learning_rates:
        return False
    usual = _usual(recipe, passport).settings()
    return all(passport.settings.get(name) == value for name, value in usual.items())
