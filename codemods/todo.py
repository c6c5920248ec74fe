"""The lines that mark, in the file itself, what a run left to a person."""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Sequence
from typing import NamedTuple

from codemods.edit.ranges import Edit, replacement
from codemods.edit.statements import indentation, line_start, owns_first_line
from codemods.names.module import Module

MARK = "TODO(agl-migrate "

_GLUE = re.compile(r"(?:[ \t\f;]|\\(?:\r\n|\r|\n))*;(?:[ \t\f]|\\(?:\r\n|\r|\n))*")
"""What stands between two statements of one line."""


class Left(NamedTuple):
    """A finding that no rewrite took care of: where it begins in the text, and what to do."""

    offset: int
    code: str
    advice: str


def edits(module: Module, left: Sequence[Left]) -> list[Edit]:
    """One comment line for each code above each statement, where there is none yet."""
    found: list[Edit] = []
    seen: set[tuple[int, str]] = set()
    statements = _Statements(module)
    for finding in left:
        statement = statements.at(finding.offset)
        if statement is None:
            continue
        start = line_start(module, statement)
        if (start, finding.code) in seen or _is_marked(module.text, start, finding.code):
            continue
        seen.add((start, finding.code))
        line = indentation(module, statement) + _comment(finding) + module.newline
        found.append(replacement(start, start, line, rank=100))
    return found


def _comment(finding: Left) -> str:
    return f"# {MARK}{finding.code}): {' '.join(finding.advice.split())}"


class _Statements:
    """The statements of a file in their order, the outer ones first."""

    def __init__(self, module: Module) -> None:
        found = [
            (_begin(module, node), module.span(node)[1], node)
            for node in ast.walk(module.tree)
            if isinstance(node, ast.stmt)
        ]
        found.sort(key=lambda item: (item[0], -item[1]))
        self._module = module
        self._found = found
        self._begins = [begin for begin, _, _ in found]

    def at(self, offset: int) -> ast.stmt | None:
        """The innermost statement around a place that a line can go above, or the next one."""
        index = bisect.bisect_right(self._begins, offset)
        place = offset
        for begin, end, statement in reversed(self._found[:index]):
            if offset < end or _GLUE.fullmatch(self._module.text, end, place):
                if _can_follow_a_line(self._module, statement):
                    return statement
                place = begin
        return self._found[index][2] if index < len(self._found) else None


def _begin(module: Module, statement: ast.stmt) -> int:
    """The index of a statement's first character, decorators included."""
    start = module.span(statement)[0]
    decorators = getattr(statement, "decorator_list", [])
    return min([start, *(module.span(d)[0] - 1 for d in decorators)])


def _can_follow_a_line(module: Module, statement: ast.stmt) -> bool:
    start = line_start(module, statement)
    return owns_first_line(module, statement) and not module.text[:start].endswith(
        ("\\\n", "\\\r\n", "\\\r")
    )


def _is_marked(text: str, start: int, code: str) -> bool:
    """Whether the comment lines right above a line hold the mark already."""
    for line in reversed(text[:start].splitlines()):
        if not line.lstrip().startswith("#"):
            return False
        if f"{MARK}{code})" in line:
            return True
    return False
