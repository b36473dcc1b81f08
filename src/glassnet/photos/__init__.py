"""A photo becomes a network input, one visible step at a time; which steps, the training images decide.

The way of a drawing: upright, the gray that carries the contrast, the sheet alone, light on dark as the training data,
even light, no printed lines, strokes only, one subject, cropped, strokes as thick, centred. The way of a filled thing:
upright, gray, as the training data, cut out, as bright, filling the frame. Whole pictures are turned upright and
resized.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.photos.development import develop, develop_otherwise, read_photo
    from glassnet.photos.facts import DataFacts, assumed_facts, data_facts, subject_size
    from glassnet.photos.files import develop_files
    from glassnet.photos.kept import adapt, kept_facts
    from glassnet.photos.many import develop_many, picture_files
    from glassnet.photos.opening import PhotoSource
    from glassnet.photos.steps import STEPS, Development, Step

_HOMES = {
    "STEPS": "steps",
    "DataFacts": "facts",
    "Development": "steps",
    "PhotoSource": "opening",
    "Step": "steps",
    "adapt": "kept",
    "assumed_facts": "facts",
    "data_facts": "facts",
    "develop": "development",
    "develop_files": "files",
    "develop_many": "many",
    "develop_otherwise": "development",
    "kept_facts": "kept",
    "picture_files": "many",
    "read_photo": "development",
    "subject_size": "facts",
}

__all__ = [
    "STEPS",
    "DataFacts",
    "Development",
    "PhotoSource",
    "Step",
    "adapt",
    "assumed_facts",
    "data_facts",
    "develop",
    "develop_files",
    "develop_many",
    "develop_otherwise",
    "kept_facts",
    "picture_files",
    "read_photo",
    "subject_size",
]


def __getattr__(name: str) -> Any:  # training needs the facts alone, and SciPy takes a quarter of a second to import
    if name in _HOMES:
        return getattr(importlib.import_module(f"glassnet.photos.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'glassnet.photos' has no attribute {name!r}")
