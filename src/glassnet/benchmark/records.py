"""What a benchmark leaves: every run, every failure, and the machine they happened on."""

from dataclasses import asdict, dataclass, field
from typing import Any

Peaks = dict[str, dict[str, float]]
"""Operations per second of a large matrix product, by framework and type of number."""


@dataclass(frozen=True)
class Run:
    """One process that trained one network and measured it on the test images.

    Args:
        peer: who trained.
        model: the network.
        round: in which round, from 1; it is also the seed.
        cold_seconds: from the start of the process to its test accuracy.
        epoch_seconds: of each epoch of the training.
        accuracy: on the test images, 0 to 1.
        peak_bytes: the most memory that the process held; None where the system does not tell.
    """

    peer: str
    model: str
    round: int
    cold_seconds: float
    epoch_seconds: tuple[float, ...]
    accuracy: float
    peak_bytes: int | None


@dataclass(frozen=True)
class Failure:
    """A run that gave no result, and why; the peer is not tried again on that network."""

    peer: str
    model: str
    round: int
    reason: str


@dataclass(frozen=True)
class Skipped:
    """A peer that could not be installed, and why."""

    peer: str
    reason: str


@dataclass(frozen=True)
class Machine:
    """Where it was measured.

    Args:
        processor: its name.
        cores: as many as the benchmark may use.
        system: the operating system.
        python: the version.
        load: processes that wanted a core, on average over the minute before; None where the system does not tell.
        peaks: what a large square matrix product reaches.
    """

    processor: str
    cores: int
    system: str
    python: str
    load: float | None = None
    peaks: Peaks = field(default_factory=dict)

    def peak(self, precision: str) -> float | None:
        """Return the most operations per second that any framework reached with that type of number."""
        return max((speeds[precision] for speeds in self.peaks.values() if precision in speeds), default=None)


@dataclass(frozen=True)
class Result:
    """Everything that was measured.

    Args:
        settings: the plan.
        images: how many images trained, and how many tested.
        machine: where.
        versions: of the packages in each environment.
        runs: in the order in which they happened.
        failures: likewise.
        skipped: peers that could not be installed.
    """

    settings: dict[str, Any]
    images: dict[str, int]
    machine: Machine
    versions: dict[str, dict[str, str]]
    runs: tuple[Run, ...]
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values for a JSON file."""
        return {"format": 1} | asdict(self)


Event = Run | Failure | Skipped | str
"""What a listener hears: a run is over or failed, a peer is left out, or a line that tells what begins."""
