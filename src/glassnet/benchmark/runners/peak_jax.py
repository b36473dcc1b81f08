"""How many operations per second a large square matrix product reaches in JAX: the best of several.

The products of bfloat16 numbers are summed in float32: with sums in bfloat16, XLA leaves the processor's matrix unit.
"""

import functools
import itertools
import json
import sys
import time

import jax
import jax.numpy as jnp


def main(job: dict) -> None:
    """Measure every type of number and print the answer."""
    product = jax.jit(functools.partial(jnp.matmul, preferred_element_type=jnp.float32))
    speeds = dict.fromkeys(("float32", "bfloat16"), 0.0)
    for precision, size in itertools.product(speeds, job["sizes"]):
        a = jax.random.normal(jax.random.key(0), (size, size)).astype(precision)
        product(a, a).block_until_ready()
        until = time.perf_counter() + job["seconds"]
        while time.perf_counter() < until:
            started = time.perf_counter()
            product(a, a).block_until_ready()
            speeds[precision] = max(speeds[precision], 2 * size**3 / (time.perf_counter() - started))
    sys.stdout.write(json.dumps(speeds) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
