"""How numbers are written on a page: each with its full value, and with the name it has in `evaluate --json`."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape


def percent(share: float | None) -> str:
    """Write a share as a percentage with two decimals.

    Example:
        >>> percent(0.84123)
        '84.12 %'
    """
    return "–" if share is None else f"{100 * share:.2f} %"


def decimal(value: float | None) -> str:
    """Write a number with four decimals, none for what is no number.

    Example:
        >>> decimal(0.4512345)
        '0.4512'
    """
    return "–" if value is None else f"{value:.4f}"


def count(value: int | None) -> str:
    """Write a whole number, thousands apart.

    Example:
        >>> count(60000)
        '60,000'
    """
    return "–" if value is None else f"{value:,}"


FORMS: dict[str, Callable[[Any], str]] = {"percent": percent, "decimal": decimal, "count": count}


class Numbers:
    """The numbers of a record, as HTML's `data` elements.

    Args:
        record: plain values in dictionaries and lists.

    Example:
        >>> print(Numbers({"scores": [{"recall": 0.5}]})("scores", 0, "recall"))
        <data data-key="scores.0.recall" data-form="percent" value="0.5">50.00 %</data>
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def __call__(self, *path: str | int, form: str = "percent") -> Markup:
        """Return the number at that path, written in a form of `FORMS`."""
        value: Any = self.record
        for step in path:
            value = value[step]
        key = ".".join(map(str, path))
        raw = "" if value is None else repr(value)
        text = escape(FORMS[form](value))
        element = f'<data data-key="{escape(key)}" data-form="{escape(form)}" value="{escape(raw)}">{text}</data>'
        return Markup(element)  # noqa: S704  (every part is escaped)
