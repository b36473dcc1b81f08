"""The only door to Keras: selects the JAX backend and sets up the cache of compiled programs.

from glassnet._keras import keras
"""

import hashlib
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np

from glassnet import cache
from glassnet.errors import BackendError

if "keras" not in sys.modules:
    os.environ["KERAS_BACKEND"] = "jax"
# jaxlib reads this once, when it is loaded: without it, XLA's own warnings reach the user's terminal.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

_start = time.perf_counter()
import jax
import keras

IMPORT_SECONDS = time.perf_counter() - _start
"""How long the import of JAX and Keras took in this process."""

if keras.backend.backend() != "jax":
    raise BackendError(
        f"Keras already runs on the {keras.backend.backend()!r} backend; glassnet needs 'jax': import glassnet "
        "before keras, or set KERAS_BACKEND=jax"
    )


def _cache_compiled_programs() -> None:
    """Keep compiled programs between processes, unless the user turned JAX's cache off or chose a place for it.

    By default JAX keeps only what took a second to compile, which none of these networks does. The folder is named
    after jaxlib and the processor because a program compiled for other features can crash.
    """
    chosen = jax.config.values
    if chosen["jax_compilation_cache_dir"] or not chosen["jax_enable_compilation_cache"]:
        return
    folder = cache.folder("compiled", f"jaxlib-{version('jaxlib')}-{_processor()}")
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor() -> str:
    """Return a short name for the processor's instruction set."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        facts = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        import platform

        facts = platform.machine() + platform.processor()
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


_cache_compiled_programs()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, Python, NumPy and Keras draw what they would after `keras.utils.set_random_seed(seed)`.

    Afterwards the generators of Python and NumPy continue as if nothing had been drawn.
    """
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def device() -> str:
    """Name the device that training runs on, such as "cpu (2 cores)"."""
    first = jax.devices()[0]
    return f"cpu ({os.cpu_count()} cores)" if first.platform == "cpu" else f"{first.platform} ({first.device_kind})"
