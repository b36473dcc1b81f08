"""glassnet: its recipes for the dense networks, a Keras model for the convolutional one; trained by its own fit."""

import json
import sys
import time

import numpy as np

from glassnet import recipes
from glassnet.training.inference import evaluate
from glassnet.training.trainer import fit

import keras  # isort: skip  (glassnet chooses the backend before)


class Clock(keras.callbacks.Callback):
    """Keeps the seconds of every epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep the time."""
        self.seconds.append(time.perf_counter() - self.started)


def main(job: dict) -> None:
    """Train, test, and print the answer."""
    keras.utils.set_random_seed(job["seed"])
    with np.load(job["data"]) as data:
        train, test = (data["train_images"], data["train_labels"]), (data["test_images"], data["test_labels"])
    if job["filters"]:
        train, test = (train[0][..., None], train[1]), (test[0][..., None], test[1])
    clock = Clock()
    model = convolutional(job) if job["filters"] else dense(job)
    fit(model, *train, batch_size=job["batch_size"], epochs=job["epochs"], callbacks=[clock])
    accuracy = evaluate(model, *test, batch_size=job["test_batch_size"])["accuracy"]
    sys.stdout.write(json.dumps({"accuracy": float(accuracy), "epoch_seconds": clock.seconds}) + "\n")
    sys.stdout.flush()


def dense(job: dict) -> keras.Sequential:
    """Return a recipe's network."""
    return recipes.find("baseline").changed(hidden=tuple(job["hidden"])).build((28, 28), 10)


def convolutional(job: dict) -> keras.Sequential:
    """Return the convolutional network, as `run_keras.py` has it."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255)])
    for filters in job["filters"]:
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(keras.layers.MaxPooling2D(2))
    model.add(keras.layers.Flatten())
    for width in job["hidden"]:
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
