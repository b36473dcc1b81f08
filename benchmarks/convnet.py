"""How long until a reader of Keras's MNIST convnet example has its accuracy? Measure both; write convnet.md.

Each run is a process of its own, timed from its start to its end, the peer's in an environment of its own.

python benchmarks/convnet.py [--rounds N] [--recipe NAME] [--environments FOLDER]
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
from pathlib import Path

import numpy as np

import glassnet
from glassnet import cache
from glassnet.atomic import new_file
from glassnet.benchmark import environments

TARGET = Path(__file__).with_suffix(".md")
TIMES_SOONER = 10

# The settings of https://keras.io/examples/vision/mnist_convnet/: layers, batch, epochs, validation part.
PEER = """
import json, sys
import keras, numpy as np
keras.utils.set_random_seed(int(sys.argv[2]))
with np.load(sys.argv[1]) as data:
    images, labels = data["images"], data["labels"]
    test_images, test_labels = data["test_images"], data["test_labels"]
scaled = lambda array: (array.astype("float32") / 255)[..., None]
layers = keras.layers
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
    layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
])
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
target = keras.utils.to_categorical(labels, 10)
model.fit(scaled(images), target, batch_size=128, epochs=15, validation_split=0.1, verbose=0)
found = model.evaluate(scaled(test_images), keras.utils.to_categorical(test_labels, 10), verbose=0)
print(json.dumps({"accuracy": float(found[1]), "parameters": model.count_params(), "backend": keras.backend.backend()}))
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--recipe", default="instant")
    parser.add_argument("--environments", type=Path, default=None)
    arguments = parser.parse_args()
    root = arguments.environments or cache.folder("benchmark")
    built = environments.build(environments.find("keras-tensorflow"), root)
    rows: list[tuple[str, int, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder, "mnist.npz")
        data = glassnet.load("mnist")
        np.savez(
            arrays,
            images=data.train.images,
            labels=data.train.labels,
            test_images=data.test.images,
            test_labels=data.test.labels,
        )
        for number in range(arguments.rounds):
            runs = {
                "Keras's example on TensorFlow": [str(built.python), "-c", PEER, str(arrays), str(number)],
                f"glassnet train {arguments.recipe}": [
                    sys.executable, "-m", "glassnet", "train", arguments.recipe, "--data", "mnist",
                    "--seed", str(number), "--out", f"{folder}/run-{number}", "--json",
                ],
            }  # fmt: skip
            for name, command in runs.items():
                rows.append((name, number, *timed(command)))
                print(*rows[-1], flush=True)
    write(rows, built.versions)


def timed(command: list[str]) -> tuple[float, float]:
    """Run a program and return its seconds and the test accuracy that it tells, in percent."""
    variables = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    variables |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"} if "-c" in command else {}
    before = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    seconds = time.monotonic() - before
    told = json.loads(done.stdout[done.stdout.index("{") :])
    return seconds, 100 * (told["accuracy"] if "accuracy" in told else told["test_accuracy"])


def write(rows: list[tuple[str, int, float, float]], versions: dict[str, str]) -> None:
    """Write the table, and fail below the target."""
    names = list(dict.fromkeys(row[0] for row in rows))
    peer, own = ([row for row in rows if row[0] == name] for name in names)
    ratio = statistics.median(row[2] for row in peer) / statistics.median(row[2] for row in own)
    tensorflow = next((f"{k} {v}" for k, v in versions.items() if k.startswith("tensorflow")), "")
    lines = [
        "# Keras's MNIST convnet example, and the recipe that reaches its accuracy",
        "",
        "`python benchmarks/convnet.py`: whole processes, one after the other in turn, test accuracy in percent.",
        f"Python {platform.python_version()}, {tensorflow}, Keras {versions['keras']}; {os.cpu_count()} cores.",
        "",
        "| program | seed | seconds | test accuracy |",
        "| --- | --: | --: | --: |",
        *(f"| {name} | {number} | {seconds:.1f} | {accuracy:.2f} |" for name, number, seconds, accuracy in rows),
        "",
        f"Sooner by: {ratio:.1f} times (target {TIMES_SOONER}).",
    ]
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")
    if ratio < TIMES_SOONER:
        raise SystemExit(f"only {ratio:.1f} times sooner")


if __name__ == "__main__":
    main()
