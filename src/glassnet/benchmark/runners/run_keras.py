"""Keras as it comes, on the backend that KERAS_BACKEND names."""

import json
import sys
import time

import keras
import numpy as np


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
    model = network(job)
    model.fit(*train, batch_size=job["batch_size"], epochs=job["epochs"], callbacks=[clock], verbose=0)  # pyright: ignore[reportArgumentType]
    scores = model.evaluate(*test, batch_size=job["test_batch_size"], verbose=0, return_dict=True)  # pyright: ignore[reportArgumentType]
    sys.stdout.write(json.dumps({"accuracy": float(scores["accuracy"]), "epoch_seconds": clock.seconds}) + "\n")
    sys.stdout.flush()


def network(job: dict) -> keras.Sequential:
    """Return the network that the job describes."""
    shape = (28, 28, 1) if job["filters"] else (28, 28)
    model = keras.Sequential([keras.Input(shape), keras.layers.Rescaling(1 / 255)])
    for filters in job["filters"]:
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(keras.layers.MaxPooling2D(2))
    model.add(keras.layers.Flatten())
    for width in job["hidden"]:
        model.add(keras.layers.Dense(width, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=job["steps_per_execution"],
    )
    return model


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
