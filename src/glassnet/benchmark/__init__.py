"""Keras or PyTorch? The same model on the same data by each of them, timed on the machine that asks."""

from glassnet.benchmark.plans import Plan
from glassnet.benchmark.records import Failure, Result, Run, Skipped
from glassnet.benchmark.rounds import measure

__all__ = ["Failure", "Plan", "Result", "Run", "Skipped", "measure"]
