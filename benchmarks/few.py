"""Few images: 20 of each class from a folder, with the recipes and with plain Keras; write few.md.

The images are written as a folder of PNG files per class and opened from there, as a user's own would be. Plain Keras
is the two-layer convolutional network of its MNIST example, with its batch of 128 and 15 epochs, and once more with
batches of 32 and 100 epochs.

python benchmarks/few.py [--seeds N] [--per-class N]
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import glassnet
from glassnet import Dataset, Split
from glassnet._keras import keras, seeded
from glassnet.atomic import new_file

TARGET = Path(__file__).with_suffix(".md")
RECIPES = ("cnn", "quick", "strong", "tiny")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--per-class", type=int, default=20)
    arguments = parser.parse_args()
    lines = [
        "# Few images",
        "",
        f"`python benchmarks/few.py`: {arguments.per_class} images of each class, another choice for each seed;",
        "accuracy on all 10,000 test images in percent.",
        "",
        "| data | way | test accuracy of each seed | mean | seconds |",
        "| --- | --- | --- | --: | --: |",
    ]
    for name in ("mnist", "fashion-mnist"):
        rows: dict[str, list[tuple[float, float]]] = {}
        for seed in range(arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                data = few(glassnet.load(name), arguments.per_class, seed, Path(folder))
                for recipe in RECIPES:
                    passport = glassnet.train(recipe, data, seed=seed).passport
                    rows.setdefault(f"`{recipe}`", []).append((100 * passport.test_accuracy, passport.seconds.train))
                rows.setdefault("Keras, 15 epochs of 128", []).append(plain(data, seed, 128, 15))
                rows.setdefault("Keras, 100 epochs of 32", []).append(plain(data, seed, 32, 100))
        for way, found in rows.items():
            told = ", ".join(f"{one[0]:.1f}" for one in found)
            mean, seconds = (statistics.mean(one[place] for one in found) for place in range(2))
            lines.append(f"| {name} | {way} | {told} | {mean:.1f} | {seconds:.1f} |")
            print(lines[-1], flush=True)
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")


def few(data: Dataset, per_class: int, seed: int, folder: Path) -> Dataset:
    """Write some training images as files, open them as a set of one's own, and give it all the test images."""
    generator = np.random.default_rng(seed)
    for label, title in enumerate(data.classes):
        place = folder / title.replace("/", "-")
        place.mkdir()
        members = generator.permutation(np.flatnonzero(data.train.labels == label))[:per_class]
        for number in members:
            Image.fromarray(data.train.images[number]).save(place / f"{number}.png")
    own = glassnet.load(str(folder))
    order = [own.classes.index(title.replace("/", "-")) for title in data.classes]
    parts = [one for one in (own.train, own.validation, own.test) if one is not None]
    images = np.concatenate([one.images for one in parts])
    labels = np.concatenate([one.labels for one in parts])
    test = Split("test", data.test.images, np.array(order, np.uint8)[data.test.labels])
    return Dataset(name=data.name, classes=own.classes, train=Split("train", images, labels), test=test)


def plain(data: Dataset, seed: int, batch_size: int, epochs: int) -> tuple[float, float]:
    """Train as the example of Keras does; return the test accuracy in percent and the seconds."""
    import time

    layers = keras.layers
    with seeded(seed):
        model = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(len(data.classes), activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        before = time.perf_counter()
        images = data.train.images[..., None]
        model.fit(images, data.train.labels, batch_size=batch_size, epochs=epochs, verbose=0)  # pyright: ignore[reportArgumentType]
        seconds = time.perf_counter() - before
        found = model.evaluate(data.test.images[..., None], data.test.labels, verbose=0, return_dict=True)  # pyright: ignore[reportArgumentType]
    return 100 * found["accuracy"], seconds


if __name__ == "__main__":
    main()
