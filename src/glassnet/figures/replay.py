"""A training watched again: as a strip of moments, and as a GIF, APNG or WebP animation."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Pictures

from glassnet.atomic import new_file
from glassnet.datasets import Dataset
from glassnet.errors import InputError, OutputError, UnknownNameError
from glassnet.figures.canvas import GRAY, GREEN, LIGHT, ORANGE, bare, open_frame, sheet, show_pixels
from glassnet.figures.frames import (
    colour_confusion,
    colour_limit,
    colour_weights,
    confusion_frames,
    image_frames,
    spread,
    template_frames,
)

if TYPE_CHECKING:
    from glassnet.replay import Replay

WHAT = ("templates", "confusion", "image")
FORMATS = (".gif", ".png", ".webp")

HOLD = 10
"""The last moment stays this many times as long, before it begins again."""


@dataclass(frozen=True)
class Animation:
    """An animation that was written.

    Args:
        path: the file.
        frames: one for each moment.
        width: in pixels.
        height: in pixels.
        bytes: size of the file.
        milliseconds: how long a moment is shown; the last one longer.
    """

    path: str
    frames: int
    width: int
    height: int
    bytes: int
    milliseconds: int

    def record(self) -> dict[str, Any]:
        """Return what is printed as JSON."""
        return asdict(self)


def draw_replay(
    replay: "Replay",
    *,
    what: str = "templates",
    index: int = 0,
    data: Dataset | None = None,
    split: str = "test",
) -> Figure:
    """Draw a training as a strip of moments.

    Args:
        replay: the training.
        what: "templates" (the weights of the first ten units), "confusion" (on 1,000 images), or "image" (the
            probabilities of one image as lines).
        index: number of the image.
        data: the data set; the one that the run was trained on if None.
        split: which of its splits.

    Raises:
        InputError: another `what`, an image that does not exist, or a network without templates.
    """
    if what == "templates":
        return _template_strip(replay)
    if what == "confusion":
        return _confusion_strip(replay, data, split)
    if what == "image":
        return _image_lines(replay, index, data, split)
    raise UnknownNameError("replay", what, WHAT)


def animate(
    replay: "Replay",
    path: str | Path,
    *,
    what: str = "templates",
    index: int = 0,
    data: Dataset | None = None,
    split: str = "test",
    milliseconds: int = 150,
) -> Animation:
    """Write a training as an animation that repeats for ever; the file's ending chooses GIF, APNG (.png) or WebP.

    Args:
        replay: the training.
        path: the file.
        what: "templates", "confusion" (on 1,000 images) or "image" (the probabilities of one image).
        index: number of the image.
        data: the data set; the one that the run was trained on if None.
        split: which of its splits.
        milliseconds: how long a moment is shown, 20 to 10,000.

    Raises:
        InputError: another `what`, an image that does not exist, or a network without templates.
        OutputError: an ending that is no known format, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"cannot animate {path}: its name must end in {', '.join(FORMATS)}")
    if not 20 <= milliseconds <= 10_000:
        raise InputError(f"milliseconds is {milliseconds}; a moment can be shown for 20 to 10,000")
    if what == "templates":
        frames = list(template_frames(replay))
    elif what == "confusion":
        frames = list(confusion_frames(replay, data, split))
    elif what == "image":
        frames = list(image_frames(replay, index, data, split))
    else:
        raise UnknownNameError("replay", what, WHAT)
    durations = [milliseconds] * (len(frames) - 1) + [HOLD * milliseconds]
    options: dict[str, Any] = {"save_all": True, "duration": durations, "loop": 0}
    if path.suffix.lower() == ".webp":
        options |= {"lossless": True, "method": 4}
    elif path.suffix.lower() == ".gif":
        frames = _with_one_palette(frames)
        options |= {"disposal": 1}
    with new_file(path) as beside:
        frames[0].save(beside, append_images=frames[1:], **options)
    return Animation(str(path), len(frames), *frames[0].size, path.stat().st_size, milliseconds)


def _template_strip(replay: "Replay", most: int = 10, columns: int = 8) -> Figure:
    """One row for a unit, one column for a moment."""
    templates, names = replay.templates()[:, :most], replay.units()[:most]
    chosen = spread(len(templates), columns)
    height, width = templates.shape[2:4]
    gap = max(1, width // 14)
    down, across = height + gap, width + gap
    mosaic = np.full((len(names) * down, len(chosen) * across, 3), 255, np.uint8)
    limit = colour_limit(templates)
    for column, moment in enumerate(chosen):
        for row, weights in enumerate(templates[moment]):
            colours = colour_weights(weights, limit)
            mosaic[row * down : row * down + height, column * across : column * across + width] = colours
    figure = sheet(1.6 + 0.95 * len(chosen), 0.9 + 0.95 * len(names) * down / across)
    axes = figure.subplots()
    axes.imshow(mosaic, interpolation="nearest")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([row * down + height / 2 for row in range(len(names))], names)
    titles = [replay.moments[k].name.replace(", ", ",\n") for k in chosen]
    axes.set_xticks([column * across + width / 2 for column in range(len(chosen))], titles)
    axes.xaxis.tick_top()
    axes.set_xlabel(f"weights: blue pushes for, orange against; full colour at ±{limit:.2g}", color=GRAY)
    return figure


def _confusion_strip(replay: "Replay", data: Dataset | None, split: str, columns: int = 5) -> Figure:
    """One matrix for a moment."""
    counts, names = replay.confusion(data, split=split), replay.run.passport.classes
    chosen = spread(len(counts), columns)
    figure = sheet(1.6 + 2.3 * len(chosen), 3.8)
    figure.suptitle(
        f"{counts[0].sum():,} {split} images; rows: the truth, columns: the answer", fontsize=10, color=GRAY
    )
    for axes, moment in zip(figure.subplots(1, len(chosen), squeeze=False).flat, chosen, strict=True):
        bare(axes)
        axes.imshow(colour_confusion(counts[moment]), interpolation="nearest")
        share = np.trace(counts[moment]) / counts[moment].sum()
        axes.set_title(f"{replay.moments[moment].name}\n{share:.1%} right", fontsize=10)
        if len(names) <= 20:
            shown = names if moment == chosen[0] else [""] * len(names)
            axes.set_yticks(range(len(names)), shown, fontsize=8)
            axes.set_xticks(range(len(names)), names, fontsize=8, rotation=90)
            axes.tick_params(length=0)
    return figure


def _image_lines(replay: "Replay", index: int, data: Dataset | None, split: str, most: int = 5) -> Figure:
    """The image, and a line for the probability of each class; those that ever mattered carry their names."""
    data = replay.run.dataset() if data is None else data
    image, truth = data.split(split).at(index)
    shares = replay.probabilities(image)[:, 0]
    names = replay.run.passport.classes
    figure = sheet(10, 3.6)
    picture, axes = figure.subplots(1, 2, width_ratios=[1, 3])
    bare(picture)
    show_pixels(picture, image)
    picture.set_title(f"{split} image {index}\ntruly: {names[truth]}", fontsize=10)
    often = [k for k in np.argsort(-shares.max(0), kind="stable")[:most].tolist() if shares[:, k].max() >= 0.2]
    named = list(dict.fromkeys([*often, truth, int(shares[-1].argmax())]))
    x = np.arange(len(shares))
    for k in range(len(names)):
        colour = GREEN if k == truth else ORANGE if k in named else LIGHT
        axes.plot(x, shares[:, k], color=colour, linewidth=2 if k in named else 1, zorder=3 if k == truth else 2)
    for k, place in zip(named, _label_places(shares[:, named]), strict=True):
        text = f"{names[k]} {shares[place[0], k]:.0%}"
        colour = GREEN if k == truth else ORANGE
        side = "left" if place[0] < len(x) / 8 else "right" if place[0] > 7 * len(x) / 8 else "center"
        paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
        axes.text(*place, text, ha=side, va="bottom", color=colour, zorder=4, bbox=paper)
    ticks = spread(len(x), 7)
    axes.set_xticks(ticks, [replay.moments[k].name.replace(", ", ",\n") for k in ticks], fontsize=8)
    axes.set_ylim(-0.02, 1.1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_ylabel("probability")
    open_frame(axes)
    return figure


def _label_places(lines: np.ndarray) -> list[tuple[int, float]]:
    """Return for each column where its label stands: above its highest point, and away from the labels before it."""
    places: list[tuple[int, float]] = []
    near = max(2.0, len(lines) / 6)
    for line in lines.T:
        x = int(line.argmax())
        y = float(line[x]) + 0.015
        while any(abs(x - other_x) < near and abs(y - other_y) < 0.07 for other_x, other_y in places):
            y += 0.01
        places.append((x, y))
    return places


def _with_one_palette(frames: list[Pictures.Image]) -> list[Pictures.Image]:
    """Return the frames with 256 colours that they share: small, and nothing flickers."""
    width, height = frames[0].size
    board = Pictures.new("RGB", (width, height * len(frames)))
    for k, frame in enumerate(frames):
        board.paste(frame, (0, k * height))
    board = board.quantize(256, dither=Pictures.Dither.NONE)
    colours = board.getpalette() or []
    paper = 3 * int(np.asarray(board)[0, 0])
    colours[paper : paper + 3] = [255, 255, 255]  # each colour is a mean, which makes even the paper a little gray
    board.putpalette(colours)
    return [board.crop((0, k * height, width, (k + 1) * height)) for k in range(len(frames))]
