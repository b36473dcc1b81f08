"""Statistics: many runs become medians, ranges and ratios."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from glassnet.benchmark.networks import NETWORKS
from glassnet.benchmark.peers import PEERS, REFERENCE
from glassnet.benchmark.records import Result, Run


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of n measured values."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Summary:
    """One peer on one network, over all rounds.

    Args:
        model: the network.
        peer: who trained.
        cold_seconds: from the start of the process to the test accuracy.
        epoch_seconds: of a warm epoch; None if there was no epoch after the first.
        accuracy: on the test images, 0 to 1.
        peak_bytes: memory; None where the system does not tell.
        cold_ratio: this peer's median time divided by glassnet's; None without glassnet.
        epoch_ratio: likewise.
        flops: operations per second in the median warm epoch, counting the matrix products.
        share_of_peak: of what the machine reaches in a large product of the same type of number.
    """

    model: str
    peer: str
    cold_seconds: Spread
    epoch_seconds: Spread | None
    accuracy: Spread
    peak_bytes: Spread | None
    cold_ratio: float | None
    epoch_ratio: float | None
    flops: float | None
    share_of_peak: float | None


def summarize(result: Result) -> list[Summary]:
    """Return one summary for each network and peer, in the order of the tables."""
    pairs = [
        (model, peer, runs)
        for model in NETWORKS
        for peer in PEERS
        if (runs := [run for run in result.runs if (run.model, run.peer) == (model, peer)])
    ]
    colds = {(model, peer): _cold(runs) for model, peer, runs in pairs}
    epochs = {(model, peer): _epoch(runs) for model, peer, runs in pairs}
    summaries = []
    for model, peer, runs in pairs:
        epoch, reference = epochs[model, peer], (model, REFERENCE)
        flops = result.images["train"] * NETWORKS[model].training_flops / epoch.median if epoch else None
        peak = result.machine.peak(PEERS[peer].precision)
        summaries.append(
            Summary(
                model=model,
                peer=peer,
                cold_seconds=colds[model, peer],
                epoch_seconds=epoch,
                accuracy=spread(run.accuracy for run in runs),
                peak_bytes=_peak(runs),
                cold_ratio=_ratio(colds[model, peer], colds.get(reference)),
                epoch_ratio=_ratio(epoch, epochs.get(reference)),
                flops=flops,
                share_of_peak=flops / peak if flops and peak else None,
            )
        )
    return summaries


def spread(values: Iterable[float]) -> Spread:
    """Return the middle and the ends of some values.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        Spread(median=2.0, low=1.0, high=3.0, n=3)
    """
    values = list(values)
    return Spread(float(statistics.median(values)), float(min(values)), float(max(values)), len(values))


def warm_epoch(run: Run) -> float | None:
    """Return the median of the epochs after the first, which compiles; None if there is none."""
    return statistics.median(run.epoch_seconds[1:]) if len(run.epoch_seconds) > 1 else None


def _cold(runs: list[Run]) -> Spread:
    return spread(run.cold_seconds for run in runs)


def _epoch(runs: list[Run]) -> Spread | None:
    seconds = [warm for run in runs if (warm := warm_epoch(run)) is not None]
    return spread(seconds) if seconds else None


def _peak(runs: list[Run]) -> Spread | None:
    peaks = [run.peak_bytes for run in runs if run.peak_bytes is not None]
    return spread(peaks) if peaks else None


def _ratio(peer: Spread | None, reference: Spread | None) -> float | None:
    return peer.median / reference.median if peer and reference and reference.median > 0 else None
