"""The Python rules on code that stands inside another file."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codemods.formats.asked import Asked
from codemods.source import quiet_parsing

if TYPE_CHECKING:
    from codemods.engine import FileResult

_RULER = "# __agl_migrate_part_{}__\n"
_RULERS = re.compile(r"^# __agl_migrate_part_\d+__\n", re.MULTILINE)


def joined(parts: Sequence[str]) -> str:
    """Several pieces of code as one; each has a line in front of it, and ends its last line."""
    return "".join(_RULER.format(number) + part + "\n" for number, part in enumerate(parts))


def split(text: str, count: int) -> list[str] | None:
    """What became of the pieces; None where they cannot be told apart any more."""
    if _RULERS.findall(text) != [_RULER.format(number) for number in range(count)]:
        return None
    before, *parts = _RULERS.split(text)
    return [part.removesuffix("\n") for part in [before + parts[0], *parts[1:]]]


def parsed(text: str) -> ast.Module | None:
    """The tree of a piece of code; None for what is no Python."""
    try:
        with quiet_parsing():
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def run_rules(
    shown: str, text: str, tree: ast.Module, asked: Asked, *, awaits: bool = False
) -> FileResult:
    """What the rules of a run say of a piece of code, and its text with what they rewrite.

    The places of the findings are those in `text`. `awaits` says that the code may await outside
    of functions. Raises RewriteError for a result that would not parse.
    """
    from codemods.engine import check_file, context_for

    project, module = asked.project.guest(shown, text, tree, awaits=awaits)
    ctx = context_for(project, module, asked.options)
    if not asked.rewrites:
        return check_file(ctx, asked.rules, shown)
    from codemods.applying import rewrite_file

    return rewrite_file(ctx, asked.rules, shown, asked.safe_only)
