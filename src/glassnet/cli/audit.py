"""glassnet audit."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glassnet.cli.data import Colour, Fit, GroupBy, Size, open_data
from glassnet.cli.output import Json, bold, print_json, say, start_keras, styled, terminal

if TYPE_CHECKING:
    from glassnet.audit import Finding

LOOKS = {"serious": "bold red", "warning": "bold yellow", "note": "dim"}


def audit(
    data: Annotated[str, typer.Argument(help="A data set, or the path of images of your own.", show_default=False)],
    *,
    run: Annotated[
        Path | None, typer.Option(help="A run trained on it, to look for wrong labels.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a page with the images to this file (HTML).", show_default=False)
    ] = None,
    size: Size = None,
    fit: Fit = None,
    colour: Colour = None,
    group_by: GroupBy = None,
    json: Json = False,
) -> None:
    """Look for what is wrong with a data set: copies, leaks, blank images, uneven classes, doubtful labels.

    Images of your own are prepared and divided as a training with the same options divides them.
    """
    from glassnet import audit as library

    model_run = None
    if run:
        start_keras()
        from glassnet.runs import open_run

        model_run = open_run(run)
    loaded = open_data(data, size=size, fit=fit, colour=colour, group_by=group_by)
    found = library.audit(loaded, model_run)
    if out:
        from glassnet.sharing.audit_page import write_audit

        write_audit(found, loaded, out)
    if json:
        return print_json(found.record() | {"out": str(out) if out else None})
    counts = ", ".join(f"{number:,} {name}" for name, number in found.images.items())
    say(bold(found.dataset), f": {counts} images, {len(found.classes)} classes")
    if not found.findings:
        say(f"nothing found; looked for {', '.join(found.checked)}")
    for one in found.findings:
        say("\n", styled(one.severity, LOOKS[one.severity]), f"  {one.title}")
        say(f"  {one.meaning}\n  what to do: {one.advice}")
        for line in one.details:
            say(f"    {line}")
        if one.examples:
            shown = ", ".join(f"{example.split} {example.index} ({example.label})" for example in one.examples[:6])
            say(f"    such as {shown}")
    if out:
        say(f"\npage: {out} ({out.stat().st_size / 1e6:.1f} MB); open it in a browser")
    return None


def tell(findings: "Iterable[Finding]") -> None:
    """Print findings as one line each, on standard error, as they come before a training."""
    for one in findings:
        say(styled(one.severity, LOOKS[one.severity]), f" {one.line}", to=terminal)
