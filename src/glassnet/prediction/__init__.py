"""What a run says about images and photos: every class with its probability, and how sure it may be."""

from glassnet.prediction.answers import Prediction, Ranked, Unreadable
from glassnet.prediction.developed import photo_facts, predict_developed
from glassnet.prediction.questions import answer_photos, predict, predict_photos

__all__ = [
    "Prediction",
    "Ranked",
    "Unreadable",
    "answer_photos",
    "photo_facts",
    "predict",
    "predict_developed",
    "predict_photos",
]
