"""The Python rules on code that stands inside another file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from codemods.formats.asked import Asked
from codemods.source import quiet_parsing

if TYPE_CHECKING:
    from codemods.engine import FileResult


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
    from codemods.engine import check_file, context_for, rewrite_file

    project, module = asked.project.guest(shown, text, tree, awaits=awaits)
    ctx = context_for(project, module, asked.options)
    if not asked.rewrites:
        return check_file(ctx, asked.rules, shown)
    return rewrite_file(ctx, asked.rules, shown, asked.safe_only)
