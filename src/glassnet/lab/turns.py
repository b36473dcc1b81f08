"""The order in which trainings get a worker: whoever has had least comes next."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Owned(Protocol):
    """Something that waits for its turn, and whose it is."""

    owner: str


Waiting = TypeVar("Waiting", bound=Owned)


def next_of(waiting: Sequence[Waiting], running: Iterable[Owned], served: Counter[str]) -> Waiting:
    """Return what comes next: of the owner with the fewest running, then with the fewest served, then the oldest.

    Args:
        waiting: oldest first; at least one.
        running: what has a worker now.
        served: how many of each owner had one before.

    Example:
        >>> from types import SimpleNamespace as Job
        >>> first, second, third = Job(owner="a"), Job(owner="a"), Job(owner="b")
        >>> next_of([second, third], [first], Counter(a=1)) is third
        True
    """
    now = Counter(job.owner for job in running)
    return min(waiting, key=lambda job: (now[job.owner], served[job.owner]))  # min takes the first of equals
