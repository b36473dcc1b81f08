"""Overrides: attributes set on Keras's objects while a step is traced; classes and configuration stay as they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_MISSING = object()


@contextmanager
def overridden(changes: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Inside, each object of `(object, name, value)` has that attribute; afterwards it is as it was before."""
    before = [(thing, name, vars(thing).get(name, _MISSING)) for thing, name, _ in changes]
    try:
        for thing, name, value in changes:
            vars(thing)[name] = value  # past Keras's __setattr__, which would record the attribute in its tracker
        yield
    finally:
        for thing, name, value in reversed(before):
            if value is _MISSING:
                vars(thing).pop(name, None)
            else:
                vars(thing)[name] = value
