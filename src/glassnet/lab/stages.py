"""Stages: what an image goes through in a recipe's network, with shapes and where every parameter comes from."""

import math
from dataclasses import dataclass
from itertools import groupby

from glassnet.building import convolutions
from glassnet.recipe import Recipe

KERNEL = 3
"""Side of a filter of a recipe."""


@dataclass(frozen=True)
class Stage:
    """One step on the way from the image to the classes.

    Args:
        kind: "image", "block" (convolutions and what belongs to them), "flatten", "hidden" or "output".
        number: of its kind, from 0.
        shape: of what it gives; of a block, what each member of the network gives.
        parameters: numbers that training finds here, and those that batch normalisation keeps.
        arithmetic: where that count comes from, "" if there are none.
        pooled: a block that makes pictures half as large.
        convolutions: how many a block has.
    """

    kind: str
    number: int
    shape: tuple[int, ...]
    parameters: int = 0
    arithmetic: str = ""
    pooled: bool = False
    convolutions: int = 0

    @property
    def width(self) -> int:
        """How many units it has: neurons, or filters."""
        return self.shape[-1]


def stages_of(plan: Recipe, image_shape: tuple[int, ...], classes: int) -> list[Stage]:
    """Return the stages of a recipe's network, from the image to the output.

    Args:
        plan: the recipe.
        image_shape: height and width, and channels where there are any.
        classes: how many outputs it has.

    Example:
        >>> from glassnet.recipes import find
        >>> [stage.shape for stage in stages_of(find("digits-32"), (28, 28), 10)]
        [(28, 28), (784,), (32,), (10,)]
    """
    height, width, channels = (*image_shape, 1)[:3]
    stages = [Stage("image", 0, image_shape)]
    for number, block in groupby(convolutions(plan, height, width), lambda one: one.block):
        *earlier, last = block
        depth, pooled = len(earlier) + 1, last.size != (height, width)
        height, width = last.size
        count, words = _count_block(channels, last.filters, depth, plan)
        stages.append(Stage("block", number, (height, width, last.filters), count, words, pooled, depth))
        channels = last.filters
    before = plan.members * height * width * channels if plan.filters else math.prod(image_shape)
    stages.append(Stage("flatten", 0, (before,)))
    for number, units in enumerate((*plan.hidden, classes)):
        kind = "output" if number == len(plan.hidden) else "hidden"
        words = f"{before:,} inputs × {units:,} neurons + {units:,} biases"
        stages.append(Stage(kind, number if kind == "hidden" else 0, (units,), before * units + units, words))
        before = units
    return stages


def _count_block(channels: int, filters: int, depth: int, plan: Recipe) -> tuple[int, str]:
    """Count the parameters of a block, and say where they come from."""

    def kernels(inputs: int) -> tuple[int, str]:
        words = f"{KERNEL} × {KERNEL} × {inputs:,} channel{'s' if inputs > 1 else ''} × {filters:,} filters"
        return KERNEL * KERNEL * inputs * filters, words

    each = (4 * filters, f"4 × {filters:,} to normalise") if plan.batch_norm else (filters, f"{filters:,} biases")
    terms = (1, *kernels(channels)), (depth - 1, *kernels(filters)), (depth, *each)
    count, told = 0, []
    for times, parameters, words in terms:
        count += plan.members * times * parameters
        if times:
            told.append("".join(f"{often} × " for often in (plan.members, times) if often > 1) + words)
    return count, " + ".join(told)
