"""Jobs: trainings in processes of their own, a few at a time, the others waiting for their turn."""

import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glassnet.errors import InputError
from glassnet.lab import worker
from glassnet.lab.helpers import Helper
from glassnet.lab.messages import Counts, Failed, Finished, Looks, Opened, Order, Ready, Steer
from glassnet.lab.shelf import find_unfinished
from glassnet.lab.turns import next_of
from glassnet.runs import free_name
from glassnet.training.events import EpochEnded, Progress

MOST_WAITING = 8
"""Of one owner."""

MOST_POINTS = 240
"""On a live curve; beyond that every second one goes."""

ACTIVE = ("waiting", "running", "paused")


@dataclass(eq=False)
class Job:
    """One training, from the click to its run.

    Args:
        owner: the tab that asked for it.
        order: what is trained.
        version: rises with everything that happens, so that a page can tell whether it shows the newest.
        state: "waiting", "running", "paused", "finished", "failed" or "lost".
        opened: what its images are, once they are there.
        points: (epochs done, logs) while it runs.
        epochs: (epochs done, logs) at the end of every complete one; of what is gone on with, those since then.
        last: the newest progress.
        looks: what the neurons look like by now.
        counts: what is taken for what by now.
        finished: the outcome.
        failed: the error.
    """

    owner: str
    order: Order
    version: int = 0
    state: str = "waiting"
    opened: Opened | None = None
    points: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    epochs: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    last: Progress | None = None
    looks: Looks | None = None
    counts: Counts | None = None
    finished: Finished | None = None
    failed: Failed | None = None

    @property
    def name(self) -> str:
        """The name of its run."""
        return self.order.out.name

    @property
    def active(self) -> bool:
        """Whether it waits or trains."""
        return self.state in ACTIVE

    @property
    def can_resume(self) -> bool:
        """Whether something of it is kept from which it can go on."""
        return self.state == "lost" and find_unfinished(self.order.out.parent, self.name) is not None

    def hear(self, message: Any) -> None:
        """Take note of what the worker tells."""
        if isinstance(message, Progress):
            self.last = message
            self.points.append((message.epoch + message.step / message.steps, message.logs))
            if len(self.points) > MOST_POINTS:
                self.points = self.points[::2]
        elif isinstance(message, EpochEnded):
            if message.complete:
                self.epochs.append((message.epoch + 1, message.logs))
        elif isinstance(message, Opened):
            self.opened = message
        elif isinstance(message, Looks):
            self.looks = message
        elif isinstance(message, Counts):
            self.counts = message
        elif isinstance(message, Finished):
            self.state, self.finished = "finished", message
        elif isinstance(message, Failed):
            self.state, self.failed = "failed", message
        self.version += 1


class Crew:
    """The workers, and the queue before them. Its methods may be called from any thread.

    Args:
        folder: where runs are written.
        workers: how many trainings run at the same moment; one for each core if None.
    """

    def __init__(self, folder: Path, workers: int | None = None) -> None:
        self.folder = folder
        self.most = workers or max(1, os.cpu_count() or 1)
        self._lock = threading.RLock()
        self._workers: list[_Worker] = []
        self._waiting: list[Job] = []
        self._served: Counter[str] = Counter()
        self._closed = False

    def start(self) -> None:
        """Start the first worker, so that it is warm when the first order comes."""
        with self._lock:
            if not self._workers:
                self._workers.append(_Worker(self))

    def submit(self, owner: str, order: Order) -> Job:
        """Queue a training; `order.out` is only the wish for a name: the job has the one that was free.

        Raises:
            InputError: the owner has too many waiting, or what shall go on is going on already.
        """
        with self._lock:
            if order.resume and order.out in {job.order.out for job in self.jobs()}:
                raise InputError(f"{order.out.name} is being trained already; wait for its end")
            if sum(job.owner == owner for job in self._waiting) >= MOST_WAITING:
                raise InputError(f"{MOST_WAITING} of your trainings are waiting already; let one begin first")
            job = Job(owner, order if order.resume else self._named(order))
            self._waiting.append(job)
            self._dispatch()
            return job

    def steer(self, job: Job, verb: str, value: float | None = None) -> None:
        """Pause, resume, step, stop or slow down a training; one that waits can only be stopped."""
        with self._lock:
            if job in self._waiting:
                if verb == "stop":
                    self._waiting.remove(job)
                    job.hear(Failed("it was taken out of the queue", diverged=False))
                return
            for one in self._workers:
                if one.job is job and job.active:
                    one.helper.send(Steer(verb, value))
                    if verb in ("pause", "step"):
                        job.state = "paused"
                    elif verb == "resume":
                        job.state = "running"
                    job.version += 1

    def place(self, job: Job) -> int:
        """Return how many are before a job in the queue, and itself; 0 if it does not wait."""
        with self._lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def leave(self, owner: str) -> None:
        """An owner is gone: what waits of it is dropped, what trains goes on to its end, paused or not."""
        with self._lock:
            self._waiting = [job for job in self._waiting if job.owner != owner]
            for one in self._workers:
                if one.job and one.job.owner == owner and one.job.state == "paused":
                    self.steer(one.job, "resume")

    def rest(self, seconds: float, *, keep: int) -> None:
        """End workers that have had nothing to do for so long, but for so many of them."""
        with self._lock:
            idle = [one for one in self._workers if one.idle_for() >= seconds]
            spare = len(self._workers) - keep
            for one in idle[: max(0, spare)]:
                one.dismissed = True
                one.helper.end()
                self._workers.remove(one)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            self._closed = True
            for one in self._workers:
                one.helper.end()

    def jobs(self) -> list[Job]:
        """Return what waits or trains now."""
        with self._lock:
            return [one.job for one in self._workers if one.job] + self._waiting

    def _named(self, order: Order) -> Order:
        """Give the order a name that neither a run nor another order has."""
        taken = {job.order.out for job in self.jobs()}
        path, number = free_name(order.plan.name, self.folder), 1
        while path in taken:
            number += 1
            path = free_name(f"{order.plan.name}-{number}", self.folder)
        return Order(order.plan, order.data, order.seed, path)

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers, and start a worker if all are busy and there may be more."""
        for one in self._workers:
            if self._waiting and one.ready and one.job is None:
                running = [other.job for other in self._workers if other.job]
                job = next_of(self._waiting, running, self._served)
                self._waiting.remove(job)
                self._served[job.owner] += 1
                one.job, one.ready, job.state = job, False, "running"
                one.helper.send(job.order)
        starting = sum(not one.ready and one.job is None for one in self._workers)
        if len(self._waiting) > starting and len(self._workers) < self.most and not self._closed:
            self._workers.append(_Worker(self))

    def _heard(self, one: "_Worker", message: Any) -> None:
        with self._lock:
            if isinstance(message, Ready):
                one.job, one.ready, one.since = None, True, time.monotonic()
                self._dispatch()
            elif one.job:
                one.job.hear(message)

    def _ended(self, one: "_Worker", code: int) -> None:
        """A worker is gone: its job is lost, not the lab; another takes its place."""
        with self._lock:
            if self._closed or one.dismissed:
                return
            self._workers.remove(one)
            if one.job:
                one.job.state, one.job.version = "lost", one.job.version + 1
                one.job.failed = Failed(_how_it_ended(code), diverged=False)
            if one.was_ready:  # one that dies before it is ready would do so again
                self._workers.append(_Worker(self))
            elif not self._workers:
                for job in self._waiting:
                    job.state, job.version = "failed", job.version + 1
                    job.failed = Failed("no training process can be started on this machine", diverged=False)
                self._waiting.clear()


class _Worker:
    """One worker process and what it does."""

    def __init__(self, crew: Crew) -> None:
        self.job: Job | None = None
        self.ready = self.was_ready = self.dismissed = False
        self.since = time.monotonic()  # when it became ready
        self.helper = Helper(
            "glassnet-worker",
            worker.main,
            lambda message: self._heard(crew, message),
            lambda code: crew._ended(self, code),
        )

    def idle_for(self) -> float:
        """Return for how many seconds it has had nothing to do."""
        return time.monotonic() - self.since if self.ready and self.job is None else 0.0

    def _heard(self, crew: Crew, message: Any) -> None:
        self.was_ready = True
        crew._heard(self, message)


def _how_it_ended(code: int) -> str:
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"the process that trained it {how}; other runs and the lab are not affected"
