"""How many operations per second a large square matrix product reaches in PyTorch: the best of several."""

import itertools
import json
import sys
import time

import torch  # pyright: ignore[reportMissingImports]


def main(job: dict) -> None:
    """Measure every type of number and print the answer."""
    speeds = dict.fromkeys(("float32", "bfloat16"), 0.0)
    for precision, size in itertools.product(speeds, job["sizes"]):
        a = torch.randn(size, size).to(getattr(torch, precision))
        out = torch.mm(a, a)
        until = time.perf_counter() + job["seconds"]
        while time.perf_counter() < until:
            started = time.perf_counter()
            torch.mm(a, a, out=out)
            speeds[precision] = max(speeds[precision], 2 * size**3 / (time.perf_counter() - started))
    sys.stdout.write(json.dumps(speeds) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
