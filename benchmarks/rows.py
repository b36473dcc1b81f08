"""What was measured before, as rows in a JSON file, for benchmarks that measure some of them at a time."""

import json
from pathlib import Path
from typing import Any

from glassnet.atomic import new_file


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; none, if there is none yet."""
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows anew."""
    with new_file(path) as beside:
        beside.write_text(json.dumps(rows, indent=0) + "\n", "utf-8")
