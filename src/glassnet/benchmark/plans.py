"""A plan: which peers train which networks, how often and how long."""

from dataclasses import asdict, dataclass
from pathlib import Path

from glassnet import cache
from glassnet.benchmark.networks import NETWORKS, Network
from glassnet.benchmark.peers import PEERS, Peer
from glassnet.errors import InputError, UnknownNameError
from glassnet.recipe import check_count


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured.

    Args:
        peers: names of `PEERS`; none means all.
        models: names of `NETWORKS`; none means all.
        rounds: how often every peer runs.
        epochs: passes over the training images; None takes each network's own.
        environments: the folder of the virtual environments; None is one in the user's cache.

    Raises:
        UnknownNameError: no peer or no network has that name; the text suggests the nearest.
        InputError: numbers below 1, or peers that can train none of the networks.

    Example:
        >>> Plan(peers=("glassnet", "torch"), models=("dense-10",), rounds=1).epochs is None
        True
    """

    peers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    rounds: int = 5
    epochs: int | None = None
    environments: Path | None = None

    def __post_init__(self) -> None:
        # Once each, in the order of the tables, whatever the order on the command line.
        object.__setattr__(self, "peers", _known("peer", self.peers, tuple(PEERS)))
        object.__setattr__(self, "models", _known("model", self.models, tuple(NETWORKS)))
        check_count("rounds", self.rounds, most=1000)
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        if not any(self.peers_of(network) for network in self.networks):
            able = sorted({name for peer in self.peers for name in PEERS[peer].networks})
            raise InputError(
                f"{', '.join(self.peers)} cannot train {', '.join(self.models)}; choose a model among {', '.join(able)}"
            )

    @property
    def networks(self) -> list[Network]:
        """The networks, in the order of the tables."""
        return [NETWORKS[name] for name in self.models]

    @property
    def folder(self) -> Path:
        """Where the virtual environments are."""
        return (self.environments or cache.folder("benchmark")).absolute()

    def peers_of(self, network: Network) -> list[Peer]:
        """Return the peers that train the network, in the order of the tables."""
        return [PEERS[name] for name in self.peers if network.name in PEERS[name].networks]

    def epochs_of(self, network: Network) -> int:
        """Return how many epochs the network is trained for."""
        return self.epochs or network.epochs

    def settings(self) -> dict[str, object]:
        """Return the plan as it is kept with the results."""
        epochs = {network.name: self.epochs_of(network) for network in self.networks}
        facts: dict[str, object] = {**asdict(self), "epochs": epochs}
        del facts["environments"]  # where they are is this machine's own affair
        return facts


def _known(kind: str, names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return tuple(name for name in known if name in names) or known
