"""Virtual environments: each peer gets its own, built once with pinned versions and kept.

An environment is built beside its place and renamed, so there is a whole one or none. The marker inside tells what was
asked for and what was installed; another Python or other pins build it anew.
"""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from glassnet.atomic import new_folder
from glassnet.errors import InputError, UnknownNameError

MARKER = "glassnet-benchmark.json"

OWN_REQUIREMENTS = (
    "brotli", "fastapi", "jax", "jaxtyping", "jinja2", "joblib", "keras", "markupsafe", "matplotlib", "nicegui",
    "numpy", "pi-heif", "pillow", "platformdirs", "plotext", "pydantic", "rich", "scikit-learn", "scipy", "starlette",
    "typer", "uvicorn",
)  # fmt: skip
"""What glassnet itself depends on."""

NAMES = ("glassnet", "keras-tensorflow", "keras-jax", "keras-torch", "torch", "sklearn")

# From the ordinary index, PyTorch for Linux comes with gigabytes of CUDA; builds for the CPU are named "+cpu".
TORCH = ("torch==2.13.0+cpu; sys_platform == 'linux'", "torch==2.13.0; sys_platform != 'linux'", "numpy")
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"

# There is no tensorflow-cpu for Macs and for ARM; the ordinary package has no CUDA in it either.
TENSORFLOW = (
    "tensorflow-cpu==2.21.0; sys_platform != 'darwin' and platform_machine in 'x86_64 AMD64'",
    "tensorflow==2.21.0; sys_platform == 'darwin' or platform_machine not in 'x86_64 AMD64'",
)


@dataclass(frozen=True)
class Environment:
    """A virtual environment as it is wanted.

    Args:
        name: of its folder.
        requirements: what pip installs; none makes an environment without packages.
        index: a second place where pip looks, if the requirements are not all to be had in the first.
    """

    name: str
    requirements: tuple[str, ...]
    index: str | None = None


@dataclass(frozen=True)
class Built:
    """A virtual environment as it is.

    Args:
        name: of its folder.
        python: the interpreter in it.
        versions: the installed version of each package.
    """

    name: str
    python: Path
    versions: dict[str, str]


def find(name: str) -> Environment:
    """Return the environment called `name`.

    Keras and JAX get the versions that glassnet runs with here, so that what differs is the way of training.

    Raises:
        UnknownNameError: there is no such environment.
    """
    if name not in NAMES:
        raise UnknownNameError("environment", name, NAMES)
    keras, jax = _same("keras"), _same("jax")
    return {
        "glassnet": Environment(name, tuple(_same(package) for package in OWN_REQUIREMENTS)),
        "keras-tensorflow": Environment(name, (*TENSORFLOW, keras)),
        "keras-jax": Environment(name, (jax, keras)),
        "keras-torch": Environment(name, (*TORCH, keras), TORCH_INDEX),
        "torch": Environment(name, TORCH, TORCH_INDEX),
        "sklearn": Environment(name, ("scikit-learn==1.9.1",)),
    }[name]


def build(environment: Environment, root: Path) -> Built:
    """Return the environment in the folder `root`, built now if it is not there yet.

    Raises:
        InputError: it cannot be built; the text gives pip's reason.
        OutputError: the folder cannot be written.
    """
    folder = root / environment.name
    if (built := _existing(environment, folder)) is not None:
        return built
    with new_folder(folder, replace=True) as beside:
        versions = _fill(environment, beside)
        marker = _wanted(environment) | {"installed": versions}
        (beside / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
    return Built(environment.name, _python(folder), versions)


def _existing(environment: Environment, folder: Path) -> Built | None:
    """Return the environment in that folder if it is the one that is wanted, and works."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = _wanted(environment)
    same = isinstance(marker, dict) and all(marker.get(key) == value for key, value in wanted.items())
    if not same or not isinstance(marker.get("installed"), dict) or not _python(folder).exists():
        return None
    return Built(environment.name, _python(folder), marker["installed"])


def _wanted(environment: Environment) -> dict[str, object]:
    return {
        "requirements": list(environment.requirements),
        "python": platform.python_version(),
        "base": sys.base_prefix,
    }


def _fill(environment: Environment, folder: Path) -> dict[str, str]:
    """Make the virtual environment, install what is required, and return the versions of what is in it."""
    if not environment.requirements:
        _command(environment, [sys.executable, "-m", "venv", "--without-pip", str(folder)])
        return {}
    _command(environment, [sys.executable, "-m", "venv", str(folder)])
    try:
        _pip(environment, folder, "install", "--quiet", *environment.requirements)
    except InputError:
        if environment.index is None:
            raise
        more = ("--extra-index-url", environment.index)
        _pip(environment, folder, "install", "--quiet", *more, *environment.requirements)
    listing = _pip(environment, folder, "list", "--format", "json")
    return {entry["name"]: entry["version"] for entry in json.loads(listing)}


def _pip(environment: Environment, folder: Path, *arguments: str) -> str:
    return _command(
        environment,
        [str(_python(folder)), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments],
    )


def _command(environment: Environment, command: list[str]) -> str:
    """Run a command and return what it prints.

    Raises:
        InputError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or [f"exit status {done.returncode}"]
        raise InputError(f"the environment {environment.name} cannot be built: {errors[-1]}")
    return done.stdout


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _same(package: str) -> str:
    """Return the requirement of the version that is installed here."""
    return f"{package}=={metadata.version(package)}"
