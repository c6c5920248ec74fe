"""Rewrite a repository from agent-lightning's legacy API to the store API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codemods.sources import Fixed, fix_source, lint_source

__all__ = ["Fixed", "fix_source", "lint_source"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from codemods import sources

        return getattr(sources, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
