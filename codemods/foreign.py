"""Folders that a walk passes over: other people's code, and what no person wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FRAMEWORK = "agentlightning"

_VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr", ".jj")
_INSTALLED = (".venv", "venv", "node_modules", "site-packages", "__pypackages__", ".direnv")
_TOOLS = (".tox", ".nox", ".eggs", ".agl-migrate", ".ipynb_checkpoints", ".hypothesis")
_CACHES = ("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")
VENDORED = frozenset((*_VERSION_CONTROL, *_INSTALLED, *_TOOLS, *_CACHES))

_STARTS = ("litagent", "trainer", "runner")
_NAMES = frozenset(("client.py", "server.py", "store", "store.py"))


def is_vendored(name: str) -> bool:
    """Whether a folder's name alone says that a walk passes over it."""
    return name in VENDORED or name.endswith(".egg-info")


def is_framework_copy(folder: str, names: Collection[str]) -> bool:
    """Whether a folder with these entries is a copy of the framework, as vendored by some."""
    if folder != FRAMEWORK or "__init__.py" not in names:
        return False
    return sum(name.startswith(_STARTS) or name in _NAMES for name in names) >= 2
