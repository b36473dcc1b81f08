"""Which callbacks want to hear of every batch: those cost most of the speed, all others nothing."""

from typing import Literal

from glassnet._keras import keras


def wants_batches(callback: keras.callbacks.Callback, kind: Literal["train", "test"]) -> bool:
    """Tell whether a callback wants to hear of every batch of that kind."""
    kept = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)
    if isinstance(callback, kept) and type(callback) in kept:  # one that adds to them may have hooks of its own
        return kind == "train" and callback.save_freq != "epoch"  # else their batch hooks do nothing
    if type(callback) is keras.callbacks.ProgbarLogger:
        return False  # it draws as well after many batches as after each
    names = [f"on_{kind}_batch_begin", f"on_{kind}_batch_end"]
    if kind == "train":
        names += ["on_batch_begin", "on_batch_end"]
    return any(
        name in vars(callback) or getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name)
        for name in names
    )
