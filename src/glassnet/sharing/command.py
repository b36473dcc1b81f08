"""The command line, or the call from Python, that trains a run again."""

import shlex

from glassnet import datasets, recipes
from glassnet.recipes import Recipe
from glassnet.runs import Passport

FLAGS = ("epochs", "batch_size", "optimizer", "learning_rate", "activation")
"""Settings whose option takes the value."""

SWITCHES = ("scale", "validation")
"""Settings that an option turns on and off."""


def command_line(passport: Passport) -> str | None:
    """Return the `glassnet train …` that gives this run again; None for a network or images of one's own.

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
    usual = recipe.settings()
    changed = {name: settings[name] for name in usual if name in settings and settings[name] != usual[name]}
    for width in changed.get("hidden", ()):
        words += ["--hidden", str(width)]
    if ("hidden" in changed and not changed["hidden"]) or ("learning_rate" in changed and not changed["learning_rate"]):
        return None  # options can give a value, but not take the recipe's own away
    for name in FLAGS:
        if name in changed:
            words += [f"--{name.replace('_', '-')}", str(changed[name])]
    words += [f"--{'' if changed[name] else 'no-'}{name}" for name in SWITCHES if name in changed]
    return shlex.join([*words, "--seed", str(passport.seed)])


def recipe_of(passport: Passport) -> Recipe | None:
    """Return the recipe that a run was trained with, changed or not; None for a model of one's own."""
    recipe = recipes.RECIPES.get(passport.recipe)
    return recipe if recipe is not None and "hidden" in passport.settings else None


def unchanged(passport: Passport) -> bool:
    """Tell whether a run has its recipe's own settings and data set, so that its expected accuracy holds."""
    recipe = recipe_of(passport)
    if recipe is None or passport.dataset != recipe.dataset or passport.interrupted:
        return False
    usual = recipe.settings()
    return all(passport.settings.get(name) == value for name, value in usual.items())
