"""Files that are no Python but hold Python or dotted names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codemods.formats.asked import Asked
from codemods.formats.kinds import SUFFIXES

if TYPE_CHECKING:
    from codemods.finding import Finding

__all__ = ["LITERALS", "SUFFIXES", "Asked", "check", "lists_requirements"]

LITERALS: tuple[bytes, ...] = (b"agentlightning", b"--trainer.", b".trained-agents")
"""What a file has to hold, one of them, to be looked at."""


def check(path: str, data: bytes, asked: Asked) -> tuple[tuple[Finding, ...], bytes | None]:
    """The findings of a file and its rewritten bytes, None where nothing is to be changed.

    Findings that the new bytes take care of are marked as fixed. Raises SourceError for bytes
    that are no UTF-8.
    """
    from codemods.formats.kinds import kind_of

    kind = kind_of(path)
    if kind is None:
        return (), None
    from codemods.formats.scan import scan

    return scan(path, data, kind, asked)


def lists_requirements(other: tuple[str, bytes]) -> bool:
    """Whether a file, of a path and its bytes, says what has to be installed."""
    from codemods.formats.kinds import kind_of

    return kind_of(other[0]) in ("requirements", "pyproject", "environment", "ini", "lock")
