"""How good a run is, what it gets wrong, how it stands bad images, and whether another run is better."""

from glassnet.evaluation.calibration import CoveragePoint, ReliabilityBin
from glassnet.evaluation.comparison import Comparison, Disagreement, compare
from glassnet.evaluation.confusion import ClassScores, ConfusedPair
from glassnet.evaluation.intervals import wilson_interval
from glassnet.evaluation.mistakes import Mistake, find_mistakes
from glassnet.evaluation.neighbours import Neighbour, nearest
from glassnet.evaluation.robustness import CORRUPTIONS, RobustnessCurve, RobustnessPoint, corrupt, measure_robustness
from glassnet.evaluation.scores import Evaluation, check_fit, evaluate, measure

__all__ = [
    "CORRUPTIONS",
    "ClassScores",
    "Comparison",
    "ConfusedPair",
    "CoveragePoint",
    "Disagreement",
    "Evaluation",
    "Mistake",
    "Neighbour",
    "ReliabilityBin",
    "RobustnessCurve",
    "RobustnessPoint",
    "check_fit",
    "compare",
    "corrupt",
    "evaluate",
    "find_mistakes",
    "measure",
    "measure_robustness",
    "nearest",
    "wilson_interval",
]
