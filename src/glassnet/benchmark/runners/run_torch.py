"""PyTorch by hand: a plain training loop, written to be fast.

The images are converted to floats once and batches are gathered by index: no DataLoader. Adam is the fused one, which
takes one call for all weights. Weights begin as in Keras (Glorot's uniform distribution, biases zero) and Adam has
Keras's epsilon. The sum of the losses is kept, as every tutorial does, but no accuracy, which Keras and glassnet
compute for the training images too. Convolutions run channels-last, and on request in bfloat16 autocast.
"""

import contextlib
import json
import sys
import time

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]


def main(job: dict) -> None:
    """Train, test, and print the answer."""
    torch.manual_seed(job["seed"])
    with np.load(job["data"]) as data:
        images, labels = tensors(data["train_images"], data["train_labels"])
        test_images, test_labels = tensors(data["test_images"], data["test_labels"])
    model = network(job)
    if job["filters"]:
        model, images = (value.to(memory_format=torch.channels_last) for value in (model, images))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7, fused=True)
    loss_function = nn.CrossEntropyLoss()

    model.train()
    epoch_seconds = []
    for _ in range(job["epochs"]):
        started = time.perf_counter()
        total = torch.zeros(())
        for rows in torch.randperm(len(images)).split(job["batch_size"]):
            x, y = images.index_select(0, rows), labels.index_select(0, rows)
            with precision(job):
                loss = loss_function(model(x), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        epoch_seconds.append(time.perf_counter() - started)

    model.eval()
    correct = 0
    with torch.inference_mode(), precision(job):
        size = job["test_batch_size"]
        for x, y in zip(test_images.split(size), test_labels.split(size), strict=True):
            correct += int((model(x).argmax(1) == y).sum())
    answer = {"accuracy": correct / len(test_labels), "epoch_seconds": epoch_seconds}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images as floats from 0 to 1, of shape (n, 1, 28, 28), and labels."""
    return torch.from_numpy(images).unsqueeze(1).float().div_(255), torch.from_numpy(labels).long()


def precision(job: dict) -> contextlib.AbstractContextManager:
    """Return the context in which the network computes."""
    if job["precision"] == "bfloat16":
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def network(job: dict) -> nn.Sequential:
    """Return the network that the job describes; its outputs are logits."""
    layers: list[nn.Module] = []
    side, channels = 28, 1
    for filters in job["filters"]:
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        side, channels = side // 2, filters
    layers.append(nn.Flatten())
    width = side * side * channels
    for hidden in job["hidden"]:
        layers += [nn.Linear(width, hidden), nn.ReLU()]
        width = hidden
    layers.append(nn.Linear(width, 10))
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
