"""The measurement: every round runs every peer once, each in its own process and its own environment.

Peers alternate so that whatever slows the machine for a while slows all of them, and the order moves on by one from
round to round. Before the rounds every peer trains one epoch that is not counted: files come into the system's cache,
and glassnet keeps its compiled programs as it does on any machine where it ran before.
"""

import compileall
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

import glassnet
from glassnet.benchmark import environments, machine
from glassnet.benchmark.environments import Built
from glassnet.benchmark.networks import Network
from glassnet.benchmark.peers import PEERS, Peer
from glassnet.benchmark.plans import Plan
from glassnet.benchmark.processes import RUNNERS, RunnerError, run
from glassnet.benchmark.records import Event, Failure, Result, Run, Skipped
from glassnet.datasets import Dataset, load
from glassnet.errors import InputError, OutputError

TEST_BATCH_SIZE = 1000
"""Images per step in the test, for every peer."""

Listener = Callable[[Event], None]


def measure(plan: Plan, *, dataset: Dataset | None = None, on_event: Listener | None = None) -> Result:
    """Build the environments, run the rounds and return what was measured.

    Peers that cannot be installed and runs that fail are part of the result; the others go on.

    Args:
        plan: which peers, which networks, how often.
        dataset: what to train on, gray images of 28 × 28; Fashion-MNIST if None.
        on_event: hears of everything that happens.

    Raises:
        OutputError: the folder of the environments cannot be written.
    """
    tell = on_event or (lambda event: None)
    dataset = dataset or load("fashion-mnist")
    facts = machine.describe()  # before the environments are built, which is a load of its own
    built, skipped = _build(plan, tell)
    able = tuple(name for name in plan.peers if PEERS[name].environment in built)
    runs: list[Run] = []
    failures: list[Failure] = []
    with tempfile.TemporaryDirectory(prefix="glassnet-benchmark-") as name:
        bench = _Bench(Path(name), dataset, built)
        if able:
            tell("measuring the machine's matrix products")
            facts = replace(facts, peaks=machine.peaks(built, bench.scratch))
        for network in plan.networks:
            peers = [peer for peer in plan.peers_of(network) if peer.name in able]
            for peer, number in schedule(peers, plan.rounds):
                if any((failure.peer, failure.model) == (peer.name, network.name) for failure in failures):
                    continue
                what = f"round {number} of {plan.rounds}" if number else "one epoch that is not counted"
                tell(f"{network.name}: {peer.title}, {what}")
                try:
                    done = bench.run(peer, network, number, plan.epochs_of(network) if number else 1)
                except RunnerError as error:
                    failures.append(Failure(peer.name, network.name, number, str(error)))
                    tell(failures[-1])
                    continue
                if number:
                    runs.append(done)
                    tell(done)
    return Result(
        settings=plan.settings(),
        images={"train": len(dataset.train), "test": len(dataset.test)},
        machine=facts,
        versions={name: environment.versions for name, environment in built.items()},
        runs=tuple(runs),
        failures=tuple(failures),
        skipped=skipped,
    )


def schedule(peers: list[Peer], rounds: int) -> Iterator[tuple[Peer, int]]:
    """Yield who runs in which round: round 0 is not counted; each round begins with the next peer."""
    for number in range(rounds + 1):
        first = number % max(1, len(peers))
        for peer in peers[first:] + peers[:first]:
            yield peer, number


def _build(plan: Plan, tell: Listener) -> tuple[dict[str, Built], tuple[Skipped, ...]]:
    """Build the environments that the peers need; tell which peers must be left out, and why."""
    try:
        plan.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {plan.folder}: {reason}; choose another place with --environments") from error
    built: dict[str, Built] = {}
    skipped: list[Skipped] = []
    for name in dict.fromkeys(PEERS[peer].environment for peer in plan.peers):
        tell(f"preparing the environment {name}")
        try:
            built[name] = environments.build(environments.find(name), plan.folder)
        except OutputError:
            raise
        except InputError as error:
            peers = [peer for peer in plan.peers if PEERS[peer].environment == name]
            skipped += [Skipped(peer, str(error)) for peer in peers]
            for skip in skipped[-len(peers) :]:
                tell(skip)
    return built, tuple(skipped)


class _Bench:
    """A folder with what the runs need: the data, glassnet itself, and its compiled programs.

    Attributes:
        scratch: where runs may write.
    """

    def __init__(self, folder: Path, dataset: Dataset, built: dict[str, Built]) -> None:
        self.scratch, self.built = folder, built
        self.data = folder / "data.npz"
        arrays = {
            f"{split.name}_{kind}": np.asarray(values, np.uint8)
            for split in (dataset.train, dataset.test)
            for kind, values in (("images", split.images), ("labels", split.labels))
        }
        np.savez(self.data, **arrays)  # pyright: ignore[reportArgumentType]
        self.source = folder / "source"
        # The code that runs here, without its data sets, so that nothing else of this environment comes with it.
        ignored = shutil.ignore_patterns("__pycache__", "*.br")
        shutil.copytree(Path(glassnet.__file__).parent, self.source / "glassnet", ignore=ignored)
        compileall.compile_dir(self.source, quiet=1)

    def run(self, peer: Peer, network: Network, number: int, epochs: int) -> Run:
        """Train and test a network once."""
        job = {
            "data": str(self.data),
            "hidden": network.hidden,
            "filters": network.filters,
            "batch_size": network.batch_size,
            "test_batch_size": TEST_BATCH_SIZE,
            "epochs": epochs,
            "seed": number,
            "steps_per_execution": peer.steps_per_execution,
            "precision": peer.precision,
        }
        with self._variables(peer) as variables:
            done = run(
                self.built[peer.environment].python,
                RUNNERS / peer.runner,
                job,
                variables=variables,
                scratch=self.scratch,
            )
        return Run(
            peer=peer.name,
            model=network.name,
            round=number,
            cold_seconds=done.seconds,
            epoch_seconds=tuple(done.answer["epoch_seconds"]),
            accuracy=done.answer["accuracy"],
            peak_bytes=done.peak_bytes,
        )

    @contextmanager
    def _variables(self, peer: Peer) -> Iterator[dict[str, str]]:
        """Yield the environment variables of a peer; an empty cache is a new folder for every run."""
        # Not the user's ~/.keras; and without JAX's remark on tracebacks, their last line is the error.
        variables = {"KERAS_HOME": str(self.scratch / "keras"), "JAX_TRACEBACK_FILTERING": "off", **peer.variables}
        if peer.environment == "glassnet":
            variables["PYTHONPATH"] = str(self.source)
        if peer.compile_cache == "none":
            yield variables
            return
        # What glassnet sets by itself for its cache, in another folder.
        variables["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        variables["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
        if peer.compile_cache == "warm":
            yield variables | {"JAX_COMPILATION_CACHE_DIR": str(self.scratch / "compiled")}
            return
        with tempfile.TemporaryDirectory(dir=self.scratch) as empty:
            yield variables | {"JAX_COMPILATION_CACHE_DIR": empty}
