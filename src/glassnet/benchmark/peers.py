"""The peers: who trains the networks, in which environment, by which program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from glassnet.benchmark.networks import NETWORKS

DENSE = ("dense-10", "dense-32", "dense-128")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One way to train the networks.

    Args:
        name: what it is called on the command line.
        title: what it is called in tables.
        environment: the virtual environment that it runs in, a name of `environments.NAMES`.
        runner: the program in the folder `runners`.
        networks: the names of the networks that it can train.
        variables: environment variables that its process gets.
        steps_per_execution: batches that Keras trains on in one call.
        precision: the type of the numbers in its matrix products.
        compile_cache: "warm" runs find the compiled programs of an earlier one, "empty" runs an empty folder for them;
            "none" leaves the framework as it is.
    """

    name: str
    title: str
    environment: str
    runner: str
    networks: tuple[str, ...] = tuple(NETWORKS)
    variables: Mapping[str, str] = field(default_factory=dict)
    steps_per_execution: int = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    compile_cache: Literal["none", "warm", "empty"] = "none"


REFERENCE = "glassnet"
"""The peer that the others' times are divided by."""

PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            name=REFERENCE,
            title="glassnet",
            environment="glassnet",
            runner="run_glassnet.py",
            compile_cache="warm",
        ),
        Peer(
            name="glassnet-first",
            title="glassnet, the very first run",
            environment="glassnet",
            runner="run_glassnet.py",
            compile_cache="empty",
        ),
        Peer(
            name="keras-tensorflow",
            title="Keras on TensorFlow",
            environment="keras-tensorflow",
            runner="run_keras.py",
            variables={"KERAS_BACKEND": "tensorflow"},
        ),
        Peer(
            name="keras-jax",
            title="Keras on JAX",
            environment="keras-jax",
            runner="run_keras.py",
            variables={"KERAS_BACKEND": "jax"},
        ),
        Peer(
            name="keras-jax-25",
            title="Keras on JAX, 25 steps per execution",
            environment="keras-jax",
            runner="run_keras.py",
            variables={"KERAS_BACKEND": "jax"},
            steps_per_execution=25,
        ),
        Peer(
            name="keras-torch",
            title="Keras on PyTorch",
            environment="keras-torch",
            runner="run_keras.py",
            variables={"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu"},
        ),
        Peer(name="torch", title="PyTorch by hand", environment="torch", runner="run_torch.py"),
        Peer(
            name="torch-bfloat16",
            title="PyTorch by hand, bfloat16",
            environment="torch",
            runner="run_torch.py",
            networks=("cnn",),
            precision="bfloat16",
        ),
        Peer(
            name="sklearn",
            title="scikit-learn MLPClassifier",
            environment="sklearn",
            runner="run_sklearn.py",
            networks=("dense-32", "dense-128"),  # it has no network without a hidden layer
        ),
    )
}
"""The peers by name."""
