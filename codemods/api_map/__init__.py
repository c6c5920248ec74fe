"""The legacy API of agent-lightning as data: the single source for rules, lint texts and docs.

Importing this module is cheap; `load()` reads the packaged files on its first call.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codemods.api_map.symbol import Symbol
    from codemods.api_map.table import ApiMap

__all__ = ["ApiMap", "Symbol", "load"]


@lru_cache(maxsize=1)
def load() -> ApiMap:
    """The API map. Raises `codemods.api_map.source.ApiMapError` if its data is damaged."""
    from codemods.api_map.source import read_packaged

    return read_packaged()


def __getattr__(name: str) -> object:
    """Resolve the classes on first use."""
    if name == "Symbol":
        from codemods.api_map.symbol import Symbol

        return Symbol
    if name == "ApiMap":
        from codemods.api_map.table import ApiMap

        return ApiMap
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
