"""How sure a network is: calibrated probabilities, sets of classes, "I don't know", "unlike the training images"."""

from glassnet.confidence.assurance import Assurance, fit_assurance, read_assurance
from glassnet.confidence.verdicts import Verdict, judge

__all__ = ["Assurance", "Verdict", "fit_assurance", "judge", "read_assurance"]
