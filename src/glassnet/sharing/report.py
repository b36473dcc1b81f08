"""The report: a run as one HTML file that needs nothing else, to be mailed, read, and printed."""

import base64
import hashlib
import importlib.metadata
import math
import shlex
from pathlib import Path
from typing import Any

from markupsafe import Markup

from glassnet.atomic import new_file
from glassnet.datasets import Dataset
from glassnet.errors import InputError
from glassnet.runs import Passport, Run
from glassnet.sharing.command import command_line, recipe_of, unchanged
from glassnet.sharing.contents import Contents, gather
from glassnet.sharing.curves import coverage_chart, learning_curves, reliability_chart, robustness_chart
from glassnet.sharing.drawing import network_svg
from glassnet.sharing.keras_code import keras_code
from glassnet.sharing.numbers import Numbers
from glassnet.sharing.sprites import COLUMNS, coloured, png_uri
from glassnet.sharing.templates import HERE, position, template

REPORT = "report.html"
"""Its name in the run folder."""


def write_report(run: Run, path: str | Path | None = None, *, data: Dataset | None = None) -> Path:
    """Write the report of a run; the same run gives the same bytes.

    Args:
        run: a trained network.
        path: the file; `report.html` in the run's folder if None.
        data: the data set; the one that the run was trained on if None.

    Returns:
        The file.

    Raises:
        InputError: no path for a run that is only in memory, or a data set that is not at hand.
        OutputError: a place that cannot be written.

    Example:
        >>> import glassnet, tempfile
        >>> from glassnet.sharing.report import write_report
        >>> run = glassnet.train("baseline", epochs=1)
        >>> write_report(run, tempfile.mkdtemp() + "/baseline.html").name
        'baseline.html'
    """
    if path is None and run.path is None:
        raise InputError("the run is only in memory; save it first, or say where to write the report: path='my.html'")
    path = Path(path) if path is not None else Path(run.path or "") / REPORT
    page = render_report(run, data=data)
    with new_file(path) as beside:
        beside.write_text(page, "utf-8")
    return path


def render_report(run: Run, *, data: Dataset | None = None) -> str:
    """Return the report of a run as HTML.

    Raises:
        InputError: the data set is not at hand, or does not fit the network.
    """
    return _page(gather(run, data))


def _page(contents: Contents) -> str:
    """Fill the template."""
    run, evaluation, data = contents.run, contents.evaluation, contents.data
    passport = run.passport
    script = _file("report.js")
    chart_values = {
        "curves": learning_curves(passport),
        "reliability": reliability_chart(evaluation),
        "coverage": coverage_chart(evaluation),
        "robustness_charts": [robustness_chart(curve, evaluation.chance) for curve in contents.robustness],
        "contributions": _contributions(contents),
        "drawing": network_svg(contents.summary) if contents.summary else "",
    }
    sprites = {"images": contents.sprite} | ({"weights": contents.weights.sprite} if contents.weights else {})
    return template("report.html.jinja").render(
        contents=contents,
        passport=passport,
        data=data,
        evaluation=evaluation,
        number=Numbers(contents.record()),
        position=lambda tile, sheet: position(tile, sprites[sheet]),
        right=int(evaluation.right.sum()),
        epochs=max(map(len, passport.history.values()), default=0),
        has_validation=any(name.startswith("val_") for name in passport.history),
        epoch_rows=list(zip(*passport.history.values(), strict=True)),
        train_counts=[int((data.train.labels == label).sum()) for label in range(len(data.classes))],
        recipe=recipe_of(passport),
        expected=recipe_of(passport).expected.get(passport.dataset) if unchanged(passport) else None,  # pyright: ignore[reportOptionalMemberAccess]
        chosen=contents.chosen,
        example_label=data.classes[data.test.labels[contents.example.index]],
        shape=data.image_shape,
        shape_of=lambda shape: " × ".join("any" if size is None else f"{size:,}" for size in shape),
        columns=COLUMNS,
        command=command_line(passport),
        code=keras_code(run),
        run_path=shlex.quote(passport.run),
        facts=_facts(passport),
        version=importlib.metadata.version("glassnet"),
        style=Markup(_file("report.css")),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (our own file)
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **chart_values,
    )


def _contributions(contents: Contents) -> str:
    """Return the contribution of every pixel to the answer as an image; "" where the neuron does not see pixels."""
    found = contents.arithmetic
    if found is None or found.source != "pixels" or len(found.products) != math.prod(found.source_shape):
        return ""
    values = found.products.reshape(found.source_shape)
    return png_uri(coloured(values[None] if values.ndim == 2 else values.sum(-1)[None])[0])


def _facts(passport: Passport) -> list[tuple[str, str]]:
    """Return the passport as words and values; what is long elsewhere in the report is left away."""
    record: dict[str, Any] = passport.model_dump(mode="json", by_alias=True, exclude={"history", "format"})
    facts: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            group = "" if name in ("settings", "versions") else f"{_words(name)}: "
            facts |= {group + _words(key): _text(one) for key, one in value.items()}
        elif value not in (None, "", []):
            facts[_words(name)] = _text(value)
    return list(facts.items())


def _words(name: str) -> str:
    return name.replace("_", " ").replace("sha256", "SHA-256")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "default" if value is None else str(value)


def _file(name: str) -> str:
    return (HERE / name).read_text("utf-8")
