"""Pack a folder of 100,000 JPEG files, start from the pack, and train on a set larger than memory; write packing.md.

python benchmarks/packing.py [--images N] [--gigabytes G] [--limit G] [--rounds N] [--folder FOLDER]

The targets are 3,000 images a second on two cores, a second start within 2 s, and 85 % of the speed in memory under a
limit of half the set's size. Trainings in memory, streamed, and streamed from a file that is not in the system's cache
take turns, each in a process of its own; of the ratios within a round, the median counts. The limit is a control group
where one can be made (pages of the file that it reads from disk count in it, too), else RLIMIT_DATA.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from glassnet.atomic import new_file

TARGET = Path(__file__).with_suffix(".md")
SIDE, CLASSES = 64, 10
RECIPES = {"cnn": 5_600, "fashion-128": 60_000}
"""Images of an epoch: two windows and more, and some seconds."""

KINDS = ("in memory", "streamed", "from disk")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure packing and streaming.")
    parser.add_argument("--images", type=int, default=100_000, help="JPEG files in the folder")
    parser.add_argument("--gigabytes", type=float, default=3.0, help="size of the set that is streamed")
    parser.add_argument("--limit", type=float, default=1.5, help="memory that it is trained under, in gigabytes")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each kind, in turns")
    parser.add_argument("--folder", help="where to make the files; a temporary folder if not given")
    wanted = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=wanted.folder, prefix="packing-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        draw(folder / "pictures", wanted.images)
        rows += measure_packing(folder / "pictures", wanted.images)
        pack_large(folder, wanted.gigabytes)
        for recipe in RECIPES:
            rows += measure_streaming(folder, recipe, wanted)
    lines = [
        "# Packing and streaming",
        "",
        f"`python benchmarks/packing.py`: {wanted.images:,} JPEG files of {SIDE} × {SIDE} pixels in {CLASSES} folders; "
        f"a packed set of {wanted.gigabytes:g} GB of such images.",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}.",
        "",
        "| what | target | measured |",
        "| --- | --- | --- |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    print("\n".join(lines))
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")


def draw(folder: Path, n: int) -> None:
    """Write the JPEG files: smooth noise, each one another."""

    def write(k: int) -> None:
        noise = np.random.default_rng(k).integers(0, 256, (8, 8, 3), np.uint8)
        picture = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        picture.save(folder / f"class {k % CLASSES}" / f"{k:06}.jpg")

    for label in range(CLASSES):
        (folder / f"class {label}").mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(write, range(n), chunksize=64):
            pass


def measure_packing(folder: Path, n: int) -> list[tuple[str, str, str]]:
    program = f"""
import time
start = time.perf_counter()
from glassnet import datasets
data = datasets.load({str(folder)!r})
print(time.perf_counter() - start, sum(map(len, data.splits)))
"""
    first, found = map(float, run(program).split())
    second, again = map(float, run(program).split())
    assert found == again == n, (found, again)
    return [
        ("pack", "≥ 3,000 images/s", f"{n / first:,.0f} images/s ({first:.1f} s with import and listing)"),
        ("second start, with import and listing", "≤ 2 s", f"{second:.2f} s"),
    ]


def pack_large(folder: Path, gigabytes: float) -> None:
    """Make a packed set of so many bytes, from an array on disk."""
    from glassnet.datasets import Preparation
    from glassnet.datasets.items import Arrays
    from glassnet.datasets.packed import pack

    n = int(gigabytes * 1e9) // (SIDE * SIDE * 3)
    path = folder / "large.u8"
    rng = np.random.default_rng(0)
    images = np.memmap(path, np.uint8, "w+", shape=(n, SIDE, SIDE, 3))
    for start in range(0, n, 2000):
        images[start : start + 2000] = rng.integers(0, 256, images[start : start + 2000].shape, np.uint8)
    splits = {"train": (images, np.arange(n) % CLASSES), "test": (images[:100], np.arange(100) % CLASSES)}
    source = Arrays("large", path, "an array", splits, tuple(map(str, range(CLASSES))), stamp="1")
    packed = pack(source, Preparation(size=(SIDE, SIDE), colour="colour"))
    assert packed.source
    (folder / "large.json").write_text(json.dumps({"pack": str(packed.source.folder), "n": n}))
    path.unlink()


def measure_streaming(folder: Path, recipe: str, wanted: argparse.Namespace) -> list[tuple[str, str, str]]:
    facts = json.loads((folder / "large.json").read_text())
    program = f"""
import json, resource, sys
from pathlib import Path
import numpy as np
limit, streamed = json.loads(sys.argv[1])
import glassnet
from glassnet.training.events import EpochEnded
from glassnet.training.streaming import SHARE, available_memory
folder, n = Path({facts["pack"]!r}), {facts["n"]}
images = np.memmap(folder / "images.u8", np.uint8, "r").reshape(-1, {SIDE}, {SIDE}, 3)[:n]
labels = np.load(folder / "labels.npz")["train"]
if limit:
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
if not streamed:
    images = np.array(images)
elif images.nbytes + labels.nbytes <= SHARE * available_memory():
    sys.exit(f"a set of {{images.nbytes:,}} bytes is not streamed under this limit; pass a smaller --limit")
plan = glassnet.recipes.find({recipe!r})
model = plan.build(({SIDE}, {SIDE}, 3), {CLASSES})
steps = min({RECIPES[recipe]}, n) // plan.batch_size
seconds = []
glassnet.fit(
    model, images, labels, batch_size=plan.batch_size, epochs=3, steps_per_epoch=steps,
    memory_limit=None if streamed else 10**15, rng=np.random.RandomState(0),
    on_event=lambda event: seconds.append(event.seconds) if isinstance(event, EpochEnded) else None,
)
status = Path("/proc/self/status").read_text()
own = [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("RssAnon")]
print(plan.batch_size * steps * 2 / sum(seconds[1:]), *own)
"""
    speeds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    own, limited = "", ""
    run(program, json.dumps([0, False]))  # compiles, for the cache of compiled programs
    for _ in range(wanted.rounds):
        for kind in KINDS:
            if kind == "from disk":
                forget(Path(facts["pack"]) / "images.u8")
            with control_group(int(wanted.limit * 1e9) if kind != "in memory" else 0) as group:
                limit = 0 if group or kind == "in memory" else int(wanted.limit * 1e9)
                speed, *sizes = run(program, json.dumps([limit, kind != "in memory"]), group=group).split()
            speeds[kind].append(float(speed))
            if kind != "in memory":
                own, limited = "".join(sizes), "control group" if group else "RLIMIT_DATA"
    rows = []
    for kind in KINDS[1:]:
        ratios = [100 * one / whole for one, whole in zip(speeds[kind], speeds[KINDS[0]], strict=True)]
        words = f"{statistics.median(ratios):.0f} % (rounds: {', '.join(f'{one:.0f}' for one in ratios)}; "
        words += f"{statistics.median(speeds[kind]):,.0f} of {statistics.median(speeds[KINDS[0]]):,.0f} images/s)"
        what = f"`{recipe}` on {wanted.gigabytes:g} GB under {wanted.limit:g} GB ({limited}), {kind}"
        rows.append((what, "≥ 85 % of the speed in memory", words + (f", {own} MB of its own" if own else "")))
    return rows


def forget(path: Path) -> None:
    """Take a file out of the system's cache."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def control_group(limit: int) -> Iterator[Path | None]:
    """Make a control group with a limit of memory; None where that is not allowed, and without a limit."""
    try:
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()] if limit else []
    except OSError:
        lines = []
    made = None
    for _, controllers, own in lines:
        if controllers not in ("", "memory"):
            continue
        base, name = ("memory", "memory.limit_in_bytes") if controllers == "memory" else ("", "memory.max")
        group = Path(f"/sys/fs/cgroup/{base}{own.rstrip('/')}/glassnet-packing-{os.getpid()}")
        try:
            group.mkdir()
            with (group / name).open("r+") as stream:  # it is there already, or this is no control group
                stream.write(str(limit))
        except OSError:
            if group.is_dir():
                group.rmdir()
            continue
        made = group
        break
    try:
        yield made
    finally:
        if made:
            time.sleep(0.5)  # until the system has noticed that nobody is in it any more
            made.rmdir()


def run(program: str, *arguments: str, group: Path | None = None) -> str:
    """Run a program in a process of its own; return what it printed."""
    enter = f"import os\nopen({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n" if group else ""
    done = subprocess.run(
        [sys.executable, "-c", enter + program, *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr or f"a training ended with code {done.returncode}; -9: pass a larger --limit")
    return done.stdout


if __name__ == "__main__":
    main()
