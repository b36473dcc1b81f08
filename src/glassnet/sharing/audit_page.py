"""The audit as a page: one HTML file that shows each finding with its images, what it means and what to do."""

import importlib.metadata
import shlex
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from glassnet.atomic import new_file
from glassnet.datasets import Dataset
from glassnet.sharing.numbers import Numbers
from glassnet.sharing.sprites import COLUMNS, Sprite, Tile
from glassnet.sharing.templates import HERE, position, template

if TYPE_CHECKING:
    from glassnet.audit import Audit, Example, Finding

MOST_CLASSES = 60
"""Classes whose counts are listed; the page says how many more there are."""

WORDS = {
    "serious": "Serious: results would be wrong or misleading",
    "warning": "Warning: results would be worse than they need be",
    "note": "Good to know",
}


@dataclass(frozen=True)
class Shown:
    """An example with its place on the sheet of images."""

    example: "Example"
    tile: Tile


@dataclass(frozen=True)
class Section:
    """A finding as it stands on the page: its images in groups that belong together."""

    finding: "Finding"
    groups: tuple[tuple[Shown, ...], ...]


def write_audit(audit: "Audit", data: Dataset, path: str | Path) -> Path:
    """Write an audit as a page; the same audit gives the same bytes.

    Args:
        audit: of the data set.
        data: the data set, whose images are shown.
        path: the file.

    Raises:
        OutputError: a place that cannot be written.
    """
    page = render_audit(audit, data)
    with new_file(Path(path)) as beside:
        beside.write_text(page, "utf-8")
    return Path(path)


def render_audit(audit: "Audit", data: Dataset) -> str:
    """Return an audit as HTML."""
    sprite = Sprite((data.image_shape[0], data.image_shape[1]))
    sections = [_section(finding, data, sprite) for finding in audit.findings]
    number = Numbers(audit.record())
    listed = list(audit.classes.items())[:MOST_CLASSES]
    return template("audit.html.jinja").render(
        audit=audit,
        data=data,
        sections=sections,
        number=lambda *steps: number(*steps, form="count"),
        position=lambda tile: position(tile, sprite),
        total=sum(audit.images.values()),
        listed=listed,
        largest=max((max(one.values(), default=0) for _, one in listed), default=0) or 1,
        words=WORDS,
        shape=data.image_shape,
        columns=COLUMNS,
        sprite=sprite if any(section.groups for section in sections) else None,
        images_path=shlex.quote((data.source and data.source.path) or data.name),
        clear=[kind for kind in audit.checked if not audit.find(kind)],
        version=importlib.metadata.version("glassnet"),
        style=Markup((HERE / "report.css").read_text("utf-8")),  # noqa: S704  (our own file)
    )


def _section(finding: "Finding", data: Dataset, sprite: Sprite) -> Section:
    """Put a finding's images on the sheet."""
    shown = [
        Shown(one, sprite.put((one.split, one.index), data.split(one.split).images[one.index]))
        for one in finding.examples
    ]
    groups = groupby(shown, key=lambda one: one.example.group)
    return Section(finding, tuple(tuple(group) for _, group in groups))
