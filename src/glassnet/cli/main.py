"""The program `glassnet`: its commands, and how errors end it."""

import os
import sys
from typing import NoReturn

import typer
from typer.exceptions import Abort, Exit, TyperException

from glassnet.cli import (
    audit,
    bench,
    data,
    downloads,
    evaluation,
    explain,
    lab,
    networks,
    replay,
    report,
    results,
    training,
    units,
)
from glassnet.errors import GlassnetError, InputError

MISTAKE, FAILURE, INTERRUPTED = 2, 1, 130
"""Exit codes: the user can mend it; it went wrong; Ctrl-C."""

app = typer.Typer(
    help="Neural networks for images that you can see through: load, look, train, evaluate, predict, offline.",
    epilog="Start with: glassnet look fashion-mnist --index 0, then: glassnet train baseline",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(downloads.app, name="datasets")
for command in (
    data.look,
    audit.audit,
    networks.recipes,
    networks.summary,
    training.train,
    evaluation.evaluate,
    evaluation.compare,
    results.predict,
    training.show,
    explain.explain,
    explain.neuron,
    units.units,
    units.map_images,
    replay.replay,
    report.report,
    lab.lab,
    bench.bench,
):
    app.command(command.__name__.removesuffix("_images"))(command)  # a function named map would hide Python's own


def main() -> NoReturn:
    """Run the command line: a user's mistake costs one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]  (× on an ASCII terminal)
    code = _run(sys.argv[1:] or ["--help"])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has gone; without this, Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.flush()
    # All files are written and closed; taking JAX down in order would cost a quarter of a second more.
    os._exit(code)


def _run(arguments: list[str]) -> int:
    try:
        return app(arguments, standalone_mode=False) or 0
    except Exit as end:
        return end.exit_code
    except (BrokenPipeError, SystemExit):  # rich turns the first, of `glassnet look … | head`, into the second
        return 0
    except TyperException as error:
        message, code = error.format_message(), MISTAKE
    except GlassnetError as error:
        message, code = str(error), MISTAKE if isinstance(error, InputError) else FAILURE
    except (KeyboardInterrupt, Abort) as error:
        message, code = "; ".join(("interrupted", *getattr(error, "__notes__", ()))), INTERRUPTED
    except OSError as error:  # a full disk, missing rights: what no room names better
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        message, code = "; ".join((reason, *getattr(error, "__notes__", ()))), FAILURE
    except MemoryError:
        message, code = "out of memory; use less data or a smaller network", FAILURE
    print("glassnet:", " ".join(message.split()), file=sys.stderr)  # noqa: T201  (the one line)
    return code
