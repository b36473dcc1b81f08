"""Write docs/cli.md from the commands' own help, so that it cannot be out of date (a test compares them)."""

from pathlib import Path

from typer.testing import CliRunner

from glassnet.cli.main import app

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"


def reference() -> str:
    """Return the page: the help of every command, as the terminal shows it."""
    runner = CliRunner(env={"COLUMNS": "110", "TERMINAL_WIDTH": "110", "NO_COLOR": "1"})
    parts = ["# Commands\n\nWritten by `make docs` from `glassnet COMMAND --help`.\n"]
    for words in commands():
        result = runner.invoke(app, [*words, "--help"], prog_name="glassnet")
        help_text = "\n".join(line.rstrip() for line in result.output.strip("\n").splitlines())
        parts.append(f"## glassnet {' '.join(words)}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def commands() -> list[list[str]]:
    """Return the words of every command, in alphabetical order."""
    found = [[command.name] for command in app.registered_commands if command.name]
    for group in app.registered_groups:
        inner = group.typer_instance.registered_commands if group.typer_instance else []
        names = [one.name or one.callback.__name__ for one in inner if one.callback]
        found += [[str(group.name)], *([str(group.name), name] for name in names)]
    return sorted(found)


if __name__ == "__main__":
    TARGET.write_text(reference(), "utf-8")
