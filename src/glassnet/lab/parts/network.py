"""The network as a drawing: image, blocks of filters, pixels, layers of neurons, classes; layers change on it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite
from glassnet.lab.stages import Stage, stages_of
from glassnet.lab.state import MOST_FILTERS, MOST_LAYERS, MOST_WIDTH
from glassnet.recipes import Recipe

MOST_CIRCLES, MOST_MAPS = 12, 6
STEP, HEIGHT, SIDE = 150, 250, 92
"""Width of a column, height of the drawing, side of the image in it."""

NAMES = {"block": "Convolution", "hidden": "Hidden"}


def draw_layers(
    plan: Recipe, size: tuple[int, ...], classes: Sequence[str], image: np.ndarray, *, editable: bool
) -> str:
    """Draw a recipe's network from left to right, with what can be changed below each layer.

    Args:
        plan: the recipe.
        size: height and width of an image, and channels where there are any.
        classes: names of the outputs.
        image: an example, `uint8`.
        editable: with buttons to add, remove, widen and narrow layers and blocks.
    """
    stages = stages_of(plan, size, len(classes))
    parts = [f'<svg viewBox="0 0 {len(stages) * STEP} {HEIGHT}" role="img" aria-label="{escape(_say(stages))}">']
    parts.append(_picture(image))
    for number, (before, after) in enumerate(pairwise(stages)):
        parts.append(f'<path class="wires" d="{_wires(before, after, number, size)}"/>')
    for number, stage in enumerate(stages[1:], 1):
        x = (number + 0.5) * STEP
        parts += _maps(stage, x, size) if stage.kind == "block" else _circles(stage, x)
    if len(classes) <= MOST_CIRCLES:
        x = (len(stages) - 0.5) * STEP + 13
        parts += [
            f'<text class="class-label" x="{x}" y="{y + 4:.0f}">{escape(name[:12])}</text>'
            for y, name in zip(_places(len(classes)), classes, strict=True)
        ]
    cells = "".join(_cell(stage, plan, editable=editable) for stage in stages)
    drawing = "".join(parts) + "</svg>"
    return f'<div class="layers" style="--columns: {len(stages)}">{drawing}<div class="cells">{cells}</div></div>'


def write_arithmetic(plan: Recipe, size: tuple[int, ...], classes: int) -> str:
    """Write where every parameter of a recipe's network comes from."""
    stages = [stage for stage in stages_of(plan, size, classes) if stage.parameters]
    rows = "".join(f"<li>{stage.arithmetic} = <b>{stage.parameters:,}</b></li>" for stage in stages)
    total = f"<p><b>{sum(stage.parameters for stage in stages):,}</b> parameters: numbers that training finds</p>"
    both = (
        "<p>Once trained, it is joined with its mirror image: every filter gets a twin.</p>" if plan.both_ways else ""
    )
    several = (
        f"<p>{plan.members} networks side by side, each trained by itself: the answer is the mean of theirs.</p>"
        if plan.members > 1
        else ""
    )
    return f"{total}<ol>{rows}</ol>{several}{both}"


def _cell(stage: Stage, plan: Recipe, *, editable: bool) -> str:
    """Write what stands below one column of the drawing."""
    shape = " × ".join(f"{one:,}" for one in stage.shape)
    if stage.kind == "image":
        scale = "÷ 255: 0 to 1" if plan.scale else "not scaled: 0 to 255"
        lines = [f"<span>{shape}</span>", f"<span>{scale}</span>", _add("filters", 0, plan, editable=editable)]
        return f'<div class="cell"><b>Image</b>{"".join(lines)}</div>'
    if stage.kind == "flatten":
        what = "values" if plan.filters else "pixels"
        add = _add("hidden", 0, plan, editable=editable)
        return f'<div class="cell"><b>Flatten</b><span>{stage.width:,} {what}</span><span>in one row</span>{add}</div>'
    if stage.kind == "output":
        end = "softmax: probabilities" if plan.output == "softmax" else "raw scores (logits)"
        return f'<div class="cell"><b>Output</b><span>{stage.width} neurons</span><span>{end}</span></div>'
    name, which = f"{NAMES[stage.kind]} {stage.number + 1}", "filters" if stage.kind == "block" else "hidden"
    unit = "filters" if stage.kind == "block" else "neurons"
    several = f"<span>{stage.convolutions} in a row</span>" if stage.convolutions > 1 else ""
    several += f"<span>in each of {plan.members} members</span>" if plan.members > 1 else ""
    then = f"{several}<span>{shape}{', halved' if stage.pooled else ''}</span>" if stage.kind == "block" else ""
    if not editable:
        return f'<div class="cell"><b>{name}</b><span>{stage.width} {unit}, {plan.activation}</span>{then}</div>'
    place, most = f"{which}:{stage.number}", MOST_FILTERS if stage.kind == "block" else MOST_WIDTH
    return (
        f'<div class="cell"><b>{name}</b><span class="stepper">'
        f'<button type="button" data-pick="narrower:{place}" aria-label="{name}: half as many {unit}">−</button>'
        f'<input type="number" min="1" max="{most}" value="{stage.width}" data-field="{place}" '
        f'aria-label="{name}: {unit}">'
        f'<button type="button" data-pick="wider:{place}" aria-label="{name}: twice as many {unit}">+</button></span>'
        f"<span>{unit}, {plan.activation}</span>{then}{_add(which, stage.number + 1, plan, editable=editable)}"
        f'<button type="button" class="quiet" data-pick="remove:{place}" aria-label="Remove {name}">remove</button>'
        "</div>"
    )


def _add(which: str, place: int, plan: Recipe, *, editable: bool) -> str:
    if not editable or len(getattr(plan, which)) >= MOST_LAYERS:
        return ""
    text, what = ("+ filters", "convolution") if which == "filters" else ("+ layer", "layer")
    label = f"Add a {what} after this one"
    return f'<button type="button" data-pick="add:{which}:{place}" aria-label="{label}">{text}</button>'


def _wires(before: Stage, after: Stage, number: int, size: tuple[int, ...]) -> str:
    """Return the path between two columns: from every neuron to every neuron, or one line where there are pictures."""
    left, right = (number + 0.5) * STEP, (number + 1.5) * STEP
    if before.kind in ("flatten", "hidden"):
        ends = _places(before.width), _places(after.width)
        return "".join(f"M{left + 9} {a:.0f}L{right - 9} {b:.0f}" for a in ends[0] for b in ends[1])
    start = left + (SIDE / 2 + 4 if before.kind == "image" else _reach(before, size))
    end = right - (_reach(after, size) if after.kind == "block" else 14)
    return f"M{start:.0f} {HEIGHT / 2}H{end:.0f}"


def _side(stage: Stage, size: tuple[int, ...]) -> float:
    """Return how large the pictures of a block are drawn, beside the image itself."""
    return max(14.0, SIDE * 0.8 * max(stage.shape[:2]) / max(size[:2]))


def _reach(stage: Stage, size: tuple[int, ...]) -> float:
    """Return how far the stack of a block reaches to each side of its column."""
    return (_side(stage, size) + 6 * (min(stage.width, MOST_MAPS) - 1)) / 2 + 4


def _maps(stage: Stage, x: float, size: tuple[int, ...]) -> list[str]:
    """Draw the pictures that a block gives as a stack of squares."""
    shown, side = min(stage.width, MOST_MAPS), _side(stage, size)
    spread = 6 * (shown - 1)
    left, top = x - (side + spread) / 2, HEIGHT / 2 - (side + spread) / 2
    return [
        f'<rect class="map" x="{left + 6 * k:.1f}" y="{top + 6 * k:.1f}" width="{side:.1f}" height="{side:.1f}"/>'
        for k in range(shown)
    ]


def _circles(stage: Stage, x: float) -> list[str]:
    places = _places(stage.width)
    kind, radius = ("pixel", 5) if stage.kind == "flatten" else ("neuron", 7)
    parts = [f'<circle class="{kind}" cx="{x}" cy="{y:.0f}" r="{radius}"/>' for y in places]
    if stage.width > len(places):
        parts.append(f'<text class="dots" x="{x}" y="{HEIGHT / 2 + 5}" text-anchor="middle">⋮</text>')
    return parts


def _places(width: int) -> list[float]:
    """Return the heights of the circles of a layer, with a gap in the middle where not all are drawn."""
    shown = min(width, MOST_CIRCLES)
    slots = shown + (1 if width > shown else 0)
    pitch = min(22.0, (HEIGHT - 24) / max(slots, 1))
    top = HEIGHT / 2 - (slots - 1) * pitch / 2
    middle = slots // 2 if width > shown else -1
    return [top + slot * pitch for slot in range(slots) if slot != middle]


def _picture(image: np.ndarray) -> str:
    x, y = STEP / 2 - SIDE / 2, HEIGHT / 2 - SIDE / 2
    return f'<image class="pixelated" href="{sprite(image[None], 1)}" x="{x}" y="{y}" width="{SIDE}" height="{SIDE}"/>'


def _say(stages: Sequence[Stage]) -> str:
    units = {"flatten": "values", "block": "filters", "hidden": "hidden neurons", "output": "output neurons"}
    words = ", ".join(f"{stage.width} {units[stage.kind]}" for stage in stages[1:])
    return f"The network: {' × '.join(map(str, stages[0].shape))} pixels, {words}"
