"""Frames of an animated training: pixels by NumPy, texts by Pillow; with Matplotlib they would take seconds."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from glassnet.datasets import Dataset
from glassnet.figures.canvas import BLUE, GRAY, GREEN, LIGHT, ORANGE, PUSH

if TYPE_CHECKING:
    from glassnet.replay import Replay

MOST_UNITS = 128
"""Templates in one frame; more would not be seen."""

MOST_BARS = 10

MARGIN, HEAD = 16, 58
"""Pixels around everything, and above it for moment and time line."""


def template_frames(replay: "Replay") -> Iterator[Pictures.Image]:
    """Yield the weights of the first layer's units at every moment, in one scale of colours."""
    templates, names = replay.templates()[:, :MOST_UNITS], replay.units()[:MOST_UNITS]
    limit = colour_limit(templates)
    count, (height, width) = templates.shape[1], templates.shape[2:4]
    zoom = max(1, (112 if count <= 12 else 56) // max(height, width))
    columns = min(count, 5 if count <= 12 else 12)
    rows = -(-count // columns)
    step_x, step_y = width * zoom + 12, height * zoom + (26 if zoom > 2 or count <= 12 else 12)
    labelled = step_y - height * zoom > 12
    page = _Pages(replay, 2 * MARGIN + columns * step_x - 12, HEAD + rows * step_y + MARGIN)
    for number, moment in enumerate(templates):
        frame, draw = page.begin(number, "what each unit looks for: blue for, orange against")
        for unit, weights in enumerate(moment):
            left, top = MARGIN + unit % columns * step_x, HEAD + unit // columns * step_y
            pixels = np.kron(colour_weights(weights, limit), np.ones((zoom, zoom, 1), np.uint8))
            frame.paste(Pictures.fromarray(pixels), (left, top))
            draw.rectangle((left - 1, top - 1, left + width * zoom, top + height * zoom), outline=LIGHT)
            if labelled:
                name = _fitting(names[unit], 12, width * zoom)
                draw.text((left + width * zoom / 2, top + height * zoom + 4), name, "black", _font(12), anchor="ma")
        yield frame


def confusion_frames(replay: "Replay", data: Dataset | None, split: str) -> Iterator[Pictures.Image]:
    """Yield the confusion matrix at every moment: right answers blue, wrong ones orange, by their share of a row."""
    counts, names = replay.confusion(data, split=split), replay.run.passport.classes
    size = len(names)
    cell = max(6, min(38, 480 // size))
    room = max(40, round(max(_font(12).getlength(_fitting(name, 12, 120)) for name in names)) + 10)
    left, top = MARGIN + room, HEAD + 6
    side = size * cell
    page = _Pages(replay, max(left + side + MARGIN, 460), top + side + room + 28)
    labels = [_fitting(name, 12, 120) for name in names] if cell >= 14 else []
    for number, table in enumerate(counts):
        share = np.trace(table) / table.sum()
        frame, draw = page.begin(number, f"{share:.1%} of {table.sum():,} {split} images right")
        pixels = np.kron(colour_confusion(table), np.ones((cell, cell, 1), np.uint8))
        frame.paste(Pictures.fromarray(pixels), (left, top))
        draw.rectangle((left - 1, top - 1, left + side, top + side), outline=LIGHT)
        if cell >= 28:
            for (row, column), value in np.ndenumerate(table):
                if value:
                    shade = "white" if value / max(1, table[row].sum()) > 0.55 else "black"
                    place = left + (column + 0.5) * cell, top + (row + 0.5) * cell
                    draw.text(place, f"{value}", shade, _font(12), anchor="mm")
        for k, label in enumerate(labels):
            draw.text((left - 6, top + (k + 0.5) * cell), label, "black", _font(12), anchor="rm")
            turned = _turned(label)
            frame.paste(turned, (round(left + (k + 0.5) * cell - turned.width / 2), top + side + 6))
        draw.text(
            (left + side / 2, top + side + room + 4), "rows: the truth, columns: the answer", GRAY, _font(12), "ma"
        )
        yield frame


def image_frames(replay: "Replay", index: int, data: Dataset | None, split: str) -> Iterator[Pictures.Image]:
    """Yield an image with the probabilities at every moment: the right class green, a wrong answer orange."""
    data = replay.run.dataset() if data is None else data
    image, truth = data.split(split).at(index)
    shares = replay.probabilities(image)[:, 0]
    names = replay.run.passport.classes
    shown = np.sort(np.argsort(-shares.max(0), kind="stable")[:MOST_BARS])
    zoom = max(1, 224 // max(image.shape[:2]))
    picture = Pictures.fromarray(image.squeeze()).convert("RGB")
    picture = picture.resize((image.shape[1] * zoom, image.shape[0] * zoom), Pictures.Resampling.NEAREST)
    left, bar, pitch = MARGIN + picture.width + 24 + 110, 220, 24
    height = HEAD + max(picture.height + 30, pitch * len(shown)) + MARGIN
    page = _Pages(replay, left + bar + 60 + MARGIN, height)
    for number, probabilities in enumerate(shares):
        frame, draw = page.begin(number, f"{split} image {index}, truly: {names[truth]}")
        frame.paste(picture, (MARGIN, HEAD))
        answer = int(probabilities.argmax())
        text = _fitting(f"answer: {names[answer]}", 14, picture.width)
        draw.text((MARGIN, HEAD + picture.height + 8), text, GREEN if answer == truth else ORANGE, _font(14, bold=True))
        for row, k in enumerate(shown):
            colour = GREEN if k == truth else ORANGE if k == answer else GRAY
            y = HEAD + row * pitch
            long = round(bar * float(probabilities[k]))
            draw.text((left - 8, y + pitch / 2), _fitting(names[k], 12, 104), "black", _font(12), anchor="rm")
            draw.rectangle((left, y + 4, left + long, y + pitch - 4), fill=colour)
            value = f"{probabilities[k]:.1%}"
            draw.text((left + long + 6, y + pitch / 2), value, "black", _font(12), anchor="lm")
        yield frame


def spread(count: int, most: int) -> list[int]:
    """Return at most so many numbers below `count`, evenly spread, with the first and the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()


def colour_limit(weights: np.ndarray) -> float:
    """Where the colours are full: nearly the largest weight, one scale for all moments so that growth is seen."""
    return float(np.quantile(np.abs(weights), 0.995)) or 1.0


def colour_weights(weights: np.ndarray, limit: float) -> np.ndarray:
    """Return weights as `uint8 (height, width, 3)`; those for colour channels keep their channels, gray is 0."""
    scaled = np.clip(weights / limit, -1, 1)
    if scaled.ndim == 3 and scaled.shape[-1] == 3:
        return np.round(127.5 + 127.5 * scaled).astype(np.uint8)
    if scaled.ndim == 3:
        scaled = scaled.mean(-1)
    return _push_colours()[np.round(127 + 127 * scaled).astype(int)]


def colour_confusion(table: np.ndarray) -> np.ndarray:
    """Return `uint8 (classes, classes, 3)`: the share of each row, right answers blue, wrong ones orange."""
    share = table / np.maximum(1, table.sum(1, keepdims=True))
    sign = 2 * np.eye(len(table)) - 1
    return _push_colours()[np.round(127 + 127 * share * sign).astype(int)]


class _Pages:
    """Frames of one size, with the run, the moment and a line of points that shows how far it is."""

    def __init__(self, replay: "Replay", width: int, height: int) -> None:
        self.replay, self.width, self.height = replay, max(width, 340), height

    def begin(self, number: int, text: str) -> tuple[Pictures.Image, ImageDraw.ImageDraw]:
        """Return an empty page of a moment, and what draws on it."""
        frame = Pictures.new("RGB", (self.width, self.height), "white")
        draw = ImageDraw.Draw(frame)
        moments = self.replay.moments
        name = moments[number].name
        draw.text((self.width - MARGIN, 10), name, "black", _font(14, bold=True), anchor="ra")
        room = self.width - 3 * MARGIN - _font(14, bold=True).getlength(name)
        draw.text((MARGIN, 10), _fitting(text, 14, room), "black", _font(14))
        for k in range(len(moments)):
            x = MARGIN + 4 + (self.width - 2 * MARGIN - 8) * k / max(1, len(moments) - 1)
            size = 4 if k == number else 2
            draw.ellipse((x - size, 40 - size, x + size, 40 + size), fill=BLUE if k <= number else LIGHT)
        return frame, draw


@cache
def _push_colours() -> np.ndarray:
    return np.round(255 * PUSH(np.linspace(0, 1, 255))[:, :3]).astype(np.uint8)


def _turned(text: str) -> Pictures.Image:
    """Return a text that runs upwards."""
    left, _, right, _ = _font(12).getbbox(text)
    picture = Pictures.new("RGB", (round(right - left) + 2, 16), "white")
    ImageDraw.Draw(picture).text((1 - left, 1), text, "black", _font(12))
    return picture.transpose(Pictures.Transpose.ROTATE_90)


def _fitting(text: str, size: int, width: float) -> str:
    """Cut a text that is too long, with an ellipsis."""
    font = _font(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of all figures; it comes with Matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)
