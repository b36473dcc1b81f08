"""Values of a dataclass as they stand in JSON."""

from dataclasses import asdict
from typing import Any


def plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as dictionaries and lists, those inside it too."""
    return asdict(
        value, dict_factory=lambda pairs: {key: list(one) if isinstance(one, tuple) else one for key, one in pairs}
    )
