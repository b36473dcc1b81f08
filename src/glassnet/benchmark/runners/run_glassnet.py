"""glassnet: its recipes for the dense networks, a Keras model for the convolutional one; trained by its own fit."""

import json
import sys

import numpy as np

from glassnet import recipes
from glassnet.training.inference import evaluate
from glassnet.training.trainer import fit

import keras  # isort: skip  (glassnet chooses the backend before)
from run_keras import Clock, network  # isort: skip  (a program finds what lies beside it)


def main(job: dict) -> None:
    """Train, test, and print the answer."""
    keras.utils.set_random_seed(job["seed"])
    with np.load(job["data"]) as data:
        train, test = (data["train_images"], data["train_labels"]), (data["test_images"], data["test_labels"])
    if job["filters"]:
        train, test = (train[0][..., None], train[1]), (test[0][..., None], test[1])
    clock = Clock()
    model = network(job) if job["filters"] else dense(job)
    fit(model, *train, batch_size=job["batch_size"], epochs=job["epochs"], callbacks=[clock])
    accuracy = evaluate(model, *test, batch_size=job["test_batch_size"])["accuracy"]
    sys.stdout.write(json.dumps({"accuracy": float(accuracy), "epoch_seconds": clock.seconds}) + "\n")
    sys.stdout.flush()


def dense(job: dict) -> keras.Sequential:
    """Return a recipe's network."""
    return recipes.find("baseline").changed(hidden=tuple(job["hidden"])).build((28, 28), 10)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
