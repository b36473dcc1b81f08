"""The files of a benchmark: results.json, results.md, figure.png and figure.svg in one folder."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glassnet.atomic import new_file
from glassnet.benchmark.records import Result
from glassnet.benchmark.summaries import summarize
from glassnet.benchmark.tables import to_markdown
from glassnet.errors import OutputError


def document(result: Result) -> dict[str, Any]:
    """Return everything that was measured, and the summaries, as plain values for JSON."""
    return result.to_json() | {"summaries": [asdict(summary) for summary in summarize(result)]}


def save(result: Result, folder: Path) -> list[Path]:
    """Write the results into a folder and return the paths of the files.

    Raises:
        OutputError: the folder cannot be written.
    """
    from glassnet.benchmark import figure  # matplotlib is not needed before

    texts = {
        folder / "results.json": json.dumps(document(result), indent=1, ensure_ascii=False) + "\n",
        folder / "results.md": to_markdown(result),
    }
    for path, text in texts.items():
        with new_file(path) as beside:
            beside.write_text(text, encoding="utf-8")
    return [*texts, *figure.save(result, folder)]


def check_writable(folder: Path) -> None:
    """Make the folder, so that a measurement of an hour does not end at a place that cannot be written.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {folder}: {reason}; choose another place with --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write {folder}: permission denied; choose another place with --out")
