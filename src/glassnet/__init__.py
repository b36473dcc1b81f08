"""Neural networks for images that you can see through.

    import glassnet

    data = glassnet.load("fashion-mnist")
    glassnet.look(data, 0)
    run = glassnet.train("baseline", data)
    print(glassnet.evaluate(run))
    print(glassnet.predict(run, data.test.images[0]))

Names are imported when they are first used, so `import glassnet` costs nothing and Keras is loaded only for networks.
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if "keras" not in sys.modules:
    # Keras reads this when it is imported; so `import glassnet, keras` in a user's script gets the right backend.
    os.environ["KERAS_BACKEND"] = "jax"

if TYPE_CHECKING:
    from glassnet import figures, network, recipes
    from glassnet.datasets import Dataset, Split, load
    from glassnet.errors import GlassnetError, InputError
    from glassnet.evaluation import Evaluation, compare, evaluate
    from glassnet.explanation.arithmetic import explain_neuron
    from glassnet.explanation.attributions import attribute
    from glassnet.figures import look
    from glassnet.prediction import Prediction, predict
    from glassnet.recipes import Recipe
    from glassnet.replay import open_replay
    from glassnet.runs import Run, open_run
    from glassnet.sharing.report import write_report
    from glassnet.training.runner import resume, train, train_many
    from glassnet.training.steering import Steering
    from glassnet.training.trainer import fit

__all__ = [
    "Dataset",
    "Evaluation",
    "GlassnetError",
    "InputError",
    "Prediction",
    "Recipe",
    "Run",
    "Split",
    "Steering",
    "attribute",
    "compare",
    "evaluate",
    "explain_neuron",
    "figures",
    "fit",
    "load",
    "look",
    "network",
    "open_replay",
    "open_run",
    "predict",
    "recipes",
    "resume",
    "train",
    "train_many",
    "write_report",
]

_HOMES = {
    "Dataset": "datasets",
    "Evaluation": "evaluation",
    "GlassnetError": "errors",
    "InputError": "errors",
    "Prediction": "prediction",
    "Recipe": "recipes",
    "Run": "runs",
    "Split": "datasets",
    "Steering": "training.steering",
    "attribute": "explanation.attributions",
    "compare": "evaluation",
    "evaluate": "evaluation",
    "explain_neuron": "explanation.arithmetic",
    "fit": "training.trainer",
    "load": "datasets",
    "look": "figures",
    "open_replay": "replay",
    "open_run": "runs",
    "predict": "prediction",
    "resume": "training.runner",
    "train": "training.runner",
    "train_many": "training.runner",
    "write_report": "sharing.report",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"glassnet.{_HOMES[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"glassnet.{name}")
    raise AttributeError(f"module 'glassnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
