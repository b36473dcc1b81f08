"""What the diagram of a network consists of, how large each part is, and where it stands.

What is to scale:

- A feature map is a stack of sheets. Their sides grow with the square root of height and width, so that 28 pixels are
  drawn twice as long as 7. There is one sheet for one channel and one more for each doubling, so that 32 channels have
  six. Kernels, and the patches of a pooling layer, are drawn on the sheet that they slide over in its own scale.
- A dense layer is a column of circles, one for each unit up to ten; beyond, one more for each doubling, with a gap.

Layers that change no shape, or only the row in which the values stand, are folded into labels on a connection.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from glassnet.network import LayerSummary, Summary

WIDTH, MARGIN = 12.8, 0.3
HEAD, FOOT = 0.55, 0.45
"""Inches above the first row, for the title, and below the last one, for the scale."""

LABELLED = (
    "Activation", "AlphaDropout", "BatchNormalization", "CenterCrop", "Dropout", "ELU", "Flatten", "GaussianDropout",
    "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "Normalization", "PReLU",
    "Permute", "ReLU", "Rescaling", "Reshape", "Resizing", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "UnitNormalization", "ZeroPadding1D", "ZeroPadding2D", "Cropping2D",
)  # fmt: skip
"""Kinds that are labels on a connection; layers of augmentation (Random…) are, too."""

SHORT = {"BatchNormalization": "BatchNorm", "LayerNormalization": "LayerNorm", "GroupNormalization": "GroupNorm"}

TITLE, ABOVE, BELOW, SMALL = 12, 9.5, 8.5, 8
"""Sizes of the texts, in points."""

LINE = 1.25 / 72
"""Inches of a line of text for each point of its size."""


@dataclass
class Stage:
    """One thing that is drawn: the input, or a layer with those before it that are only labels.

    Args:
        layer: None for the input.
        shape: of what it gives.
        labels: layers between the stage before and this one.
        above: kind and shape.
        below: where its parameters come from.
        x: its middle, in inches.
    """

    layer: LayerSummary | None
    shape: tuple[int, ...]
    labels: list[str] = field(default_factory=list[str])
    above: str = ""
    below: str = ""
    x: float = 0.0

    @property
    def is_map(self) -> bool:
        """Whether it gives feature maps (or one) rather than values in a row."""
        return len(self.shape) >= 2

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of a feature map."""
        return self.shape[0], self.shape[1]

    @property
    def is_dense(self) -> bool:
        """Whether it is a column of neurons."""
        return self.layer is not None and self.layer.kind == "Dense" and not self.is_map


@dataclass(frozen=True)
class Scale:
    """How long things are, in inches.

    Args:
        zone: the height of a drawing between its texts.
        unit: the height that the largest feature map takes with its sheets.
        largest: the longest side of a feature map, in pixels.
    """

    zone: float
    unit: float
    largest: int

    def side(self, pixels: float) -> float:
        """Length of a side of so many pixels."""
        return max(0.12, 0.62 * self.unit * math.sqrt(pixels / self.largest))

    def sheets(self, channels: int) -> int:
        """How many sheets are drawn for so many channels."""
        return 1 + round(math.log2(channels))

    @property
    def shift(self) -> float:
        """How far each sheet is up and to the right of the one before it."""
        return 0.024 * self.unit

    def size(self, stage: Stage) -> tuple[float, float]:
        """Width and height of a drawing."""
        if not stage.is_map:
            return (0.2, self.zone)
        more = self.shift * (self.sheets(stage.shape[-1]) - 1) if len(stage.shape) > 2 else 0.0
        return self.side(stage.pixels[1]) + more, self.side(stage.pixels[0]) + more


def fold(summary: Summary) -> tuple[list[Stage], list[str]]:
    """Return what is drawn, and the labels behind the last stage."""
    shape = tuple(size or 1 for size in summary.input_shape)
    stages = [Stage(None, shape, above=f"input\n{_size(summary.input_shape)}")]
    labels: list[str] = []
    for layer in summary.layers:
        if layer.kind in LABELLED or layer.kind.startswith("Random"):
            labels.append(_label_of(layer))
            continue
        shape = tuple(size or 1 for size in layer.output_shape)
        stage = Stage(layer, shape, labels)
        kind = layer.kind + (f" ({layer.activation})" if layer.activation else "")
        stage.above = f"{kind}\n{_size(layer.output_shape)}"
        stage.below = layer.arithmetic.replace(" = ", "\n= ") + " parameters" if layer.arithmetic else "no parameters"
        stages.append(stage)
        labels = []
    return stages, labels


def patch_of(before: Stage, stage: Stage) -> tuple[int, int] | None:
    """Return height and width of what a layer looks at to give one value; None if that is everything."""
    layer = stage.layer
    if layer is None or not before.is_map or len(stage.shape) != 3:
        return None
    if "Conv2D" in layer.kind and (factors := re.match(r"([\d,]+) × ([\d,]+) × ", layer.arithmetic)):
        height, width = (int(one.replace(",", "")) for one in factors.groups())  # the kernel's first two axes
        return height, width
    if "Pooling2D" in layer.kind:
        # The summary knows no pool size; where patches do not overlap, it is the ratio of the sides.
        return max(1, round(before.pixels[0] / stage.pixels[0])), max(1, round(before.pixels[1] / stage.pixels[1]))
    return None


def lay_out(stages: list[Stage], tail: list[str]) -> tuple[list[list[Stage]], Scale]:
    """Break the stages into as few rows as fit, with feature maps as large as they can then be."""
    sizes = [pixels for stage in stages if stage.is_map for pixels in stage.pixels]
    rows = 0
    while True:
        rows += 1
        height = 3.6 if rows == 1 else max(1.75, (7.2 - HEAD - FOOT) / rows)
        zone = height - text_height(stages)
        for unit in (2.2, 1.8, 1.5, 1.2, 1.0):
            scale = Scale(zone, min(unit, zone), max(sizes, default=1))
            lines = _filled(stages, tail, scale, WIDTH)
            if len(lines) <= rows:
                return _balanced(stages, tail, scale, lines), scale


def row_width(line: Sequence[Stage], tail: list[str], scale: Scale) -> float:
    """Return how wide a row is when its stages stand as close as they can."""
    steps = [_step(before, stage, scale) for before, stage in pairwise(line)]
    return _left(line[0], scale) + sum(steps) + _right(line[-1], tail, scale)


def place(line: list[Stage], tail: list[str], scale: Scale, width: float) -> None:
    """Give every stage of a row its place; what is left of the width goes between them."""
    left, right = _left(line[0], scale), _right(line[-1], tail, scale)
    steps = [_step(before, stage, scale) for before, stage in pairwise(line)]
    spare = (width - left - right - sum(steps)) / (len(steps) or 1)
    x = left if steps else (left + width - right) / 2
    for stage, step in zip(line, [*steps, 0.0], strict=True):
        stage.x = x
        x += step + spare


def circles(stage: Stage, scale: Scale) -> tuple[list[float], float | None]:
    """Return the heights of a dense layer's circles, and that of the gap if there is one."""
    units = math.prod(stage.shape)
    shown = units if units <= 10 else min(16, 10 + round(math.log2(units / 10)))
    slots = shown + (units > shown)
    pitch = min(0.24, scale.zone / slots)
    heights = [((slots - 1) / 2 - slot) * pitch for slot in range(slots)]
    if units <= shown:
        return heights, None
    return heights[: slots // 2] + heights[slots // 2 + 1 :], heights[slots // 2]


def half_bar(stage: Stage, scale: Scale) -> float:
    """Return half the height of the bar that stands for values in a row."""
    return min(scale.zone / 2, 0.25 + 0.25 * math.log10(math.prod(stage.shape) + 1))


def text_height(stages: list[Stage]) -> float:
    """Return the height of the texts above and below a row, in inches."""
    above = max(stage.above.count("\n") + 1 for stage in stages) * ABOVE
    below = max(stage.below.count("\n") + 1 for stage in stages) * BELOW
    return (above + below) * LINE + 0.3


@cache
def text_width(text: str, size: float) -> float:
    """Return the width of a text in inches."""
    font = FontProperties(size=size)
    return max(_ruler().get_text_width_height_descent(line or " ", font, False)[0] for line in text.split("\n")) / 72


def _label_of(layer: LayerSummary) -> str:
    name = layer.activation if layer.kind == "Activation" and layer.activation else SHORT.get(layer.kind, layer.kind)
    return f"{name}\n{layer.arithmetic}" if layer.arithmetic else name


def _size(shape: tuple[int | None, ...]) -> str:
    return " × ".join("?" if one is None else f"{one:,}" for one in shape)


def _balanced(stages: list[Stage], tail: list[str], scale: Scale, lines: list[list[Stage]]) -> list[list[Stage]]:
    """Return as many rows as `lines`, as narrow as they can be."""
    low, high = 0.0, WIDTH
    while high - low > 0.05:
        middle = (low + high) / 2
        trial = _filled(stages, tail, scale, middle)
        if len(trial) <= len(lines):
            high, lines = middle, trial
        else:
            low = middle
    return lines


def _filled(stages: list[Stage], tail: list[str], scale: Scale, width: float) -> list[list[Stage]]:
    """Fill row after row."""
    lines: list[list[Stage]] = [[]]
    for stage in stages:
        end = tail if stage is stages[-1] else []
        if lines[-1] and row_width([*lines[-1], stage], end, scale) > width:
            lines.append([])
        lines[-1].append(stage)
    return lines


def _left(stage: Stage, scale: Scale) -> float:
    entry = max(0.4, text_width("\n".join(stage.labels), SMALL)) + 0.35
    return MARGIN + max(_texts_width(stage) / 2, scale.size(stage)[0] / 2 + entry * bool(stage.layer))


def _right(stage: Stage, tail: list[str], scale: Scale) -> float:
    after = text_width("\n".join(tail), SMALL) + 0.5 if tail else 0.25
    return MARGIN + max(_texts_width(stage) / 2, scale.size(stage)[0] / 2 + after)


def _step(before: Stage, stage: Stage, scale: Scale) -> float:
    """Return how far apart two middles are at least: neither texts nor drawings touch, and the labels fit between."""
    texts = (_texts_width(before) + _texts_width(stage)) / 2 + 0.12
    drawings = (scale.size(before)[0] + scale.size(stage)[0]) / 2
    return max(texts, drawings + max(0.55, text_width("\n".join(stage.labels), SMALL) + 0.22))


def _texts_width(stage: Stage) -> float:
    return max(text_width(stage.above, ABOVE), text_width(stage.below, BELOW))


@cache
def _ruler() -> RendererAgg:
    return RendererAgg(10, 10, 72)
