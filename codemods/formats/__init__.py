"""Files that are no Python but hold Python or dotted names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from codemods.context import Options
    from codemods.finding import Finding
    from codemods.project import Project
    from codemods.rule import Rule

SUFFIXES: tuple[str, ...] = ()
"""Ends of names (with a dot) and whole names of the files to look at beside Python's."""


class Asked(NamedTuple):
    """What a run wants to know of a file, and what it knows already."""

    options: Options
    rules: tuple[Rule, ...]
    project: Project
    safe_only: bool = False


def check(path: str, data: bytes, asked: Asked) -> tuple[tuple[Finding, ...], bytes | None]:
    """The findings of a file and its rewritten bytes, None where nothing is to be changed.

    Findings that the new bytes take care of are marked as fixed.
    """
    return (), None
