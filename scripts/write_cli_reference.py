"""Write docs/cli.md from the commands' own help, so that it cannot be out of date (a test compares them)."""

from pathlib import Path

from typer.testing import CliRunner

from glassnet.cli.main import app

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"


def reference() -> str:
    """Return the page: the help of every command, as the terminal shows it."""
    runner = CliRunner(env={"COLUMNS": "110", "TERMINAL_WIDTH": "110", "NO_COLOR": "1"})
    names = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
    parts = ["# Commands\n\nWritten by `make docs` from `glassnet COMMAND --help`.\n"]
    for name in names:
        result = runner.invoke(app, [name, "--help"], prog_name="glassnet")
        help_text = "\n".join(line.rstrip() for line in result.output.strip("\n").splitlines())
        parts.append(f"## glassnet {name}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(reference(), "utf-8")
