"""What code that was moved off agent-lightning's legacy API runs on.

Importing this package costs next to nothing: a public name is imported when it is first read.
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlightning_compat import legacy as legacy

_MODULES = frozenset({"legacy"})

__all__ = ["__version__", "legacy"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version() -> str:
    try:
        return metadata.version("agentlightning-compat")
    except metadata.PackageNotFoundError:  # run from a source tree
        return "0+source"


def __dir__() -> list[str]:
    return sorted(__all__)
