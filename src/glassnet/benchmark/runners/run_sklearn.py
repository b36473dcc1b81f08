"""scikit-learn's MLPClassifier; each epoch is one `partial_fit`, which is one pass over the images."""

import json
import sys
import time

import numpy as np
from sklearn.neural_network import MLPClassifier  # pyright: ignore[reportMissingImports]


def main(job: dict) -> None:
    """Train, test, and print the answer."""
    with np.load(job["data"]) as data:
        images, labels = pixels(data["train_images"]), data["train_labels"]
        test_images, test_labels = pixels(data["test_images"]), data["test_labels"]
    model = MLPClassifier(
        hidden_layer_sizes=tuple(job["hidden"]),
        batch_size=job["batch_size"],
        alpha=0.0,  # the others train without a penalty on the weights
        epsilon=1e-7,
        random_state=job["seed"],
    )
    classes = np.arange(10)
    epoch_seconds = []
    for _ in range(job["epochs"]):
        started = time.perf_counter()
        model.partial_fit(images, labels, classes=classes)
        epoch_seconds.append(time.perf_counter() - started)
    accuracy = float((model.predict(test_images) == test_labels).mean())
    sys.stdout.write(json.dumps({"accuracy": accuracy, "epoch_seconds": epoch_seconds}) + "\n")
    sys.stdout.flush()


def pixels(images: np.ndarray) -> np.ndarray:
    """Return one row of floats from 0 to 1 for each image."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
