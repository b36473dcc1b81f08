"""The folder in the user's cache directory where glassnet keeps what it can make again."""

from pathlib import Path

import platformdirs


def folder(*parts: str) -> Path:
    """Return the path of a folder in the cache (it may not exist and may not be writable)."""
    return platformdirs.user_cache_path("glassnet", appauthor=False).joinpath(*parts)
