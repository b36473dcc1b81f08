"""One run: a runner in its own process, with a clean environment, timed from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RUNNERS = Path(__file__).with_name("runners")

TIMEOUT_SECONDS = 7200.0
"""A run that takes longer is stopped."""

KEPT_VARIABLES = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH",
    "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "NUMBER_OF_PROCESSORS",
    "PROCESSOR_ARCHITECTURE",
)  # fmt: skip
"""What a runner sees of the environment: nothing that sets threads, flags or backends."""


@dataclass(frozen=True)
class Finished:
    """A runner that gave its result.

    Args:
        answer: the JSON document that it printed.
        seconds: from the start of its process to that line.
        peak_bytes: the most memory that the process held; None where the system does not tell.
    """

    answer: dict[str, Any]
    seconds: float
    peak_bytes: int | None


class RunnerError(Exception):
    """A runner ended without a result; the text is its last word, on one line."""


def run(
    python: Path,
    runner: Path,
    job: Mapping[str, Any],
    *,
    variables: Mapping[str, str],
    scratch: Path,
    timeout: float = TIMEOUT_SECONDS,
) -> Finished:
    """Run a runner on a job and wait for its answer.

    Args:
        python: the interpreter of its environment.
        runner: the program.
        job: what it shall do; it gets that as JSON on its command line.
        variables: environment variables that it gets.
        scratch: a folder for what it writes to stderr.
        timeout: seconds after which it is stopped.

    Raises:
        RunnerError: it failed, or took too long.
    """
    errors = scratch / "stderr.txt"
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | dict(variables)
    program = [str(python), str(runner), json.dumps(job)]
    launcher = [sys.executable, "-I", "-S", str(RUNNERS / "launch.py"), str(timeout), str(errors)]
    done = subprocess.run(  # noqa: S603
        [*launcher, *program], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise RunnerError(_last_line(done.stderr) or f"the launcher ended with status {done.returncode}")
    report = json.loads(done.stdout)
    if report["status"] or report["line"] is None:
        text = errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else ""
        raise RunnerError(_reason(report, text, timeout))
    return Finished(json.loads(report["line"]), report["seconds"], report["peak_bytes"])


def _reason(report: Mapping[str, Any], text: str, timeout: float) -> str:
    if report["stopped"]:
        return f"stopped after {timeout:g} seconds"
    if report["status"] < 0:
        return f"killed by signal {-report['status']}" + (" (out of memory?)" if report["status"] == -9 else "")
    return _last_line(text) or f"ended with status {report['status']} and without a result"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
