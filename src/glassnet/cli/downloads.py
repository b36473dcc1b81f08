"""glassnet datasets, glassnet datasets get, glassnet datasets add."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from glassnet.cli.data import datasets
from glassnet.cli.output import Json, bold, print_json, say, terminal

if TYPE_CHECKING:
    from rich.progress import TaskID

    from glassnet.datasets.catalogue.download import Downloading, MirrorFailed
    from glassnet.datasets.catalogue.loading import Published


class _ListByDefault(typer.core.TyperGroup):
    """`glassnet datasets` without a command is `glassnet datasets list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where there is none."""
        named = any(not word.startswith("-") for word in args)
        return super().parse_args(ctx, args if named or "--help" in args else ["list", *args])


app = typer.Typer(cls=_ListByDefault, help="List the data sets; get or add those that are downloaded.")
app.command("list")(datasets)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of a data set of the catalogue.", show_default=False)],
    *,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds of silence after which a server is given up.")] = 30,
    json: Json = False,
) -> None:
    """Download a data set of the catalogue, check it and keep it; what broke off is resumed."""
    from glassnet.datasets.catalogue.download import Patience
    from glassnet.datasets.catalogue.loading import PUBLISHED, load_catalogued
    from glassnet.errors import UnknownNameError

    if name not in PUBLISHED:
        raise UnknownNameError("data set to download", name, PUBLISHED)
    entry = PUBLISHED[name]
    with DownloadBar() as bar:
        data = load_catalogued(name, bar, patience=Patience(timeout=timeout))
    if json:
        counts = {split.name: len(split) for split in data.splits}
        return print_json({"name": name, "images": counts, "sha256": data.sha256, "licence": entry.licence})
    say(bold(name), f": {', '.join(f'{len(one):,} {one.name}' for one in data.splits)} images")
    say(f"licence: {entry.licence}; {entry.credit}")
    return say(f"next: glassnet look {name} --grid, then glassnet train cnn --data {name}")


@app.command()
def add(
    files: Annotated[list[Path], typer.Argument(help="Files that were downloaded by hand.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """Take in files of the catalogue that were downloaded by hand; they are recognised by their hash."""
    from glassnet.datasets.catalogue.loading import add_file, missing_files

    rows = []
    for path in files:
        file, names, place = add_file(path)
        missing = {name: [one.name for one in missing_files(name)] for name in names}
        rows.append({"file": str(path), "is": file.name, "proof": file.proof, "place": str(place), "missing": missing})
        if not json:
            say(f"{path}: {file.name} ({file.proof} is right)")
            for name, left in missing.items():
                said = f"still missing: {', '.join(left)}" if left else f"complete: glassnet look {name} --grid"
                say(f"  {name}: {said}")
    if json:
        print_json(rows)


def told(entry: "Published") -> str:
    """Return a line about a data set that can be downloaded, for the list of all."""
    size = f"{entry.bytes / 1e6:,.0f} MB" if entry.bytes else "size not published"
    return f"{entry.name}: {entry.about}; {size}; {entry.licence}"


class DownloadBar:
    """Shows what arrives, on standard error; where there is no terminal, only mirrors that fail are named.

    A context manager and a listener for `load_catalogued`.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(20), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=terminal, transient=True)
        self._bar.disable = not terminal.is_terminal
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "DownloadBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, event: "Downloading | MirrorFailed") -> None:
        """Show an event."""
        from glassnet.datasets.catalogue.download import MirrorFailed

        if isinstance(event, MirrorFailed):
            return say(f"{event.file}: {event.host} {event.reason}", to=self._bar.console)
        if event.file not in self._tasks:
            self._tasks[event.file] = self._bar.add_task(event.file, total=event.total)
        return self._bar.update(self._tasks[event.file], completed=event.done, total=event.total)
