"""The facts about a data set's images, measured once and kept in the user's cache; recipes adapt to them."""

import json
from contextlib import suppress
from dataclasses import replace

from glassnet import cache
from glassnet.atomic import new_file
from glassnet.datasets import Dataset
from glassnet.errors import OutputError
from glassnet.photos.facts import DataFacts, data_facts
from glassnet.recipe import Recipe

VERSION = 2
"""Of the way in which images are measured; with another one, facts that were kept are measured again."""


def kept_facts(data: Dataset) -> DataFacts:
    """Return the facts of the training images; from the cache, where they were measured before."""
    facts = _measured(data)
    return replace(facts, fit=data.source.preparation.fit) if data.source else facts


def adapt(recipe: Recipe, data: Dataset) -> Recipe:
    """Return the recipe with the changes of images that suit a data set; its images are measured only if it adapts."""
    return recipe.adapted(kept_facts(data).kind, min(data.image_shape[:2])) if recipe.adapts else recipe


def _measured(data: Dataset) -> DataFacts:
    path = cache.folder("facts", f"{data.sha256}-{VERSION}.json")
    with suppress(OSError, ValueError, TypeError):  # missing or damaged: measured again
        return DataFacts.of_record(json.loads(path.read_text("utf-8")))
    facts = data_facts(data.train.images)
    with suppress(OutputError), new_file(path) as beside:
        beside.write_text(json.dumps(facts.record()), "utf-8")
    return facts
