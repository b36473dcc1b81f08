"""The network as a drawing: image, pixels, layers of neurons, classes; layers can be changed on it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from glassnet.lab.parts.markup import escape
from glassnet.lab.parts.pictures import sprite
from glassnet.recipes import Recipe

MOST_CIRCLES = 12
STEP, HEIGHT = 150, 250


def draw_layers(
    plan: Recipe, size: tuple[int, ...], classes: Sequence[str], image: np.ndarray, *, editable: bool
) -> str:
    """Draw a recipe's network from left to right, with what can be changed below each layer.

    Args:
        plan: the recipe.
        size: height and width of an image, and channels where there are any.
        classes: names of the outputs.
        image: an example, `uint8`.
        editable: with buttons to add, remove, widen and narrow layers.
    """
    pixels = int(np.prod(size))
    widths = [pixels, *plan.hidden, len(classes)]
    columns = len(widths) + 1
    heights = [_places(width) for width in widths]
    parts = [f'<svg viewBox="0 0 {columns * STEP} {HEIGHT}" role="img" aria-label="{escape(_say(plan, widths))}">']
    parts.append(_picture(image))
    for number, (before, after) in enumerate(pairwise(heights), 1):
        left, right = (number + 0.5) * STEP, (number + 1.5) * STEP
        lines = "".join(f"M{left + 9} {a:.0f}L{right - 9} {b:.0f}" for a in before for b in after)
        parts.append(f'<path class="wires" d="{lines}"/>')
    parts.append(f'<path class="wires" d="M{STEP * 0.5 + 50} {HEIGHT / 2}H{STEP * 1.5 - 14}"/>')
    for number, (width, places) in enumerate(zip(widths, heights, strict=True), 1):
        x = (number + 0.5) * STEP
        kind = "pixel" if number == 1 else "neuron"
        parts += [f'<circle class="{kind}" cx="{x}" cy="{y:.0f}" r="{7 if number > 1 else 5}"/>' for y in places]
        if width > len(places):
            parts.append(f'<text class="dots" x="{x}" y="{HEIGHT / 2 + 5}" text-anchor="middle">⋮</text>')
    if len(classes) == len(heights[-1]):
        x = (len(widths) + 0.5) * STEP + 13
        parts += [
            f'<text class="class-label" x="{x}" y="{y + 4:.0f}">{escape(name[:12])}</text>'
            for y, name in zip(heights[-1], classes, strict=True)
        ]
    cells = "".join(_cell(number, plan, widths, size, editable=editable) for number in range(columns))
    drawing = "".join(parts) + "</svg>"
    return f'<div class="layers" style="--columns: {columns}">{drawing}<div class="cells">{cells}</div></div>'


def _cell(number: int, plan: Recipe, widths: list[int], size: tuple[int, ...], *, editable: bool) -> str:
    """Write what stands below one column of the drawing."""
    if number == 0:
        shape = " × ".join(map(str, size))
        return f'<div class="cell"><b>Image</b><span>{shape}</span><span>0 to 255</span></div>'
    layer = number - 2  # of the hidden layers
    add = (
        f'<button type="button" data-pick="add:{layer + 1}" aria-label="Add a layer after this one">+ layer</button>'
        if editable and layer < len(plan.hidden)
        else ""
    )
    if number == 1:
        scale = "÷ 255: 0 to 1" if plan.scale else "not scaled: 0 to 255"
        return f'<div class="cell"><b>Flatten</b><span>{widths[0]:,} pixels</span><span>{scale}</span>{add}</div>'
    if number == len(widths):
        end = "softmax: probabilities" if plan.output == "softmax" else "raw scores (logits)"
        return f'<div class="cell"><b>Output</b><span>{widths[-1]} neurons</span><span>{end}</span></div>'
    width = plan.hidden[layer]
    name = f"Hidden {layer + 1}"
    if not editable:
        return f'<div class="cell"><b>{name}</b><span>{width} neurons</span><span>{plan.activation}</span></div>'
    return (
        f'<div class="cell"><b>{name}</b><span class="stepper">'
        f'<button type="button" data-pick="narrower:{layer}" aria-label="{name}: half as many neurons">−</button>'
        f'<input type="number" min="1" max="2048" value="{width}" data-field="{layer}" aria-label="{name}: neurons">'
        f'<button type="button" data-pick="wider:{layer}" aria-label="{name}: twice as many neurons">+</button></span>'
        f"<span>neurons, {plan.activation}</span>{add}"
        f'<button type="button" class="quiet" data-pick="remove:{layer}" aria-label="Remove {name}">remove</button>'
        "</div>"
    )


def _places(width: int) -> list[float]:
    """Return the heights of the circles of a layer, with a gap in the middle where not all are drawn."""
    shown = min(width, MOST_CIRCLES)
    slots = shown + (1 if width > shown else 0)
    pitch = min(22.0, (HEIGHT - 24) / max(slots, 1))
    top = HEIGHT / 2 - (slots - 1) * pitch / 2
    middle = slots // 2 if width > shown else -1
    return [top + slot * pitch for slot in range(slots) if slot != middle]


def _picture(image: np.ndarray) -> str:
    side = 92
    x, y = STEP / 2 - side / 2, HEIGHT / 2 - side / 2
    return f'<image class="pixelated" href="{sprite(image[None], 1)}" x="{x}" y="{y}" width="{side}" height="{side}"/>'


def _say(plan: Recipe, widths: list[int]) -> str:
    middle = "".join(f", {width} hidden neurons" for width in plan.hidden)
    return f"The network: {widths[0]} pixels{middle}, {widths[-1]} output neurons"
