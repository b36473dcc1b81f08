"""Every error that glassnet raises on purpose.

    GlassnetError
    ├── InputError (also a ValueError)   what was passed cannot work; the text says what would
    │   ├── UnknownNameError             no recipe, data set, split, … of that name
    │   ├── PhotoError                   a picture file that cannot be read
    │   ├── RunError                     a folder that is no run, or a damaged one
    │   └── OutputError                  a place that cannot be written
    ├── DamagedDataError                 data that does not have its published hash
    ├── DownloadError                    no mirror gave a file
    ├── DivergedError                    training reached a loss that is no number
    └── BackendError                     Keras is already running on another backend than JAX

Each text says what was passed, what was expected and how to fix it, on one line.
"""

import difflib
from collections.abc import Iterable


class GlassnetError(Exception):
    """Base of all errors that glassnet raises on purpose."""


class InputError(GlassnetError, ValueError):
    """What was passed cannot work."""


class UnknownNameError(InputError):
    """A name that glassnet does not know; the text suggests the nearest one.

    Args:
        kind: what was looked for, such as "recipe".
        name: what was passed.
        known: the names that exist.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]) -> None:
        known = list(known)
        near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"no {kind} named {str(name)!r}; {hint}known: {', '.join(known)}")


class PhotoError(InputError):
    """A picture file that cannot be read."""


class RunError(InputError):
    """A folder that is no run, or a run that is damaged."""


class OutputError(InputError):
    """A place that cannot be written."""


class DamagedDataError(GlassnetError):
    """Embedded or downloaded data that does not have its published hash."""


class DownloadError(GlassnetError):
    """No mirror gave a file; the text names the file to fetch by hand and where to put it."""


class DivergedError(GlassnetError):
    """Training reached a loss that is no number."""


class BackendError(GlassnetError):
    """Keras is already running on another backend than JAX."""
