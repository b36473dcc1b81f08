"""The machine: its name, and what its processor reaches in a large matrix product."""

import os
import platform
from pathlib import Path

from glassnet.benchmark.environments import Built
from glassnet.benchmark.processes import RUNNERS, RunnerError, run
from glassnet.benchmark.records import Machine, Peaks

SIZES = (2048, 4096)
"""Rows and columns of the matrices; the faster size counts."""

SECONDS = 2.0
"""For how long each product is repeated; the fastest one counts."""

WITH_FRAMEWORK = {"jax": ("glassnet", "keras-jax"), "torch": ("torch", "keras-torch")}
"""The environments that have each framework."""


def describe() -> Machine:
    """Return what the system tells of the machine."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def peaks(built: dict[str, Built], scratch: Path, *, sizes: tuple[int, ...] = SIZES, seconds: float = SECONDS) -> Peaks:
    """Measure the large product in each framework that an environment has; one that fails is left out."""
    speeds: Peaks = {}
    for framework, names in WITH_FRAMEWORK.items():
        environment = next((built[name] for name in names if name in built), None)
        if environment is None:
            continue
        job = {"sizes": sizes, "seconds": seconds}
        runner = RUNNERS / f"peak_{framework}.py"
        try:
            speeds[framework] = run(environment.python, runner, job, variables={}, scratch=scratch).answer
        except RunnerError:
            continue  # the peak is a yardstick, not a result: without it the column stays empty
    return speeds


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("model name")).split(":", 1)[1].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
