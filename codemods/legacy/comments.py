"""Comments and docstrings of a file: what is written there, told apart from code."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator

from codemods.context import FileContext

Span = tuple[int, int]

_DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def in_comment(ctx: FileContext, offset: int) -> bool:
    """Whether the text at `offset` stands behind a `#` that begins a comment."""
    text = ctx.module.text
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    at = text.find("#", start, offset)
    while at != -1:
        if not _in_string(ctx, at):
            return True
        at = text.find("#", at + 1, offset)
    return False


def docstrings(ctx: FileContext) -> Iterator[ast.Constant]:
    """The docstrings of the module, its classes and its functions."""
    owners: list[ast.AST] = [ctx.module.tree]
    for kind in _DOCUMENTED:
        owners += ctx.module.table.nodes.get(kind, ())
    for owner in owners:
        body: list[ast.stmt] = getattr(owner, "body", [])
        first = body[0] if body else None
        value = first.value if isinstance(first, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value


def _in_string(ctx: FileContext, offset: int) -> bool:
    spans = _string_spans(ctx)
    index = bisect_right(spans, (offset, len(ctx.module.text))) - 1
    return index >= 0 and offset < spans[index][1]


def _string_spans(ctx: FileContext) -> list[Span]:
    """Where the string literals of a file are, in order; what lies in an f-string is part of it."""
    known = ctx.memo.get("string spans")
    if not isinstance(known, list):
        known = ctx.memo["string spans"] = _merged(ctx)
    return known


def _merged(ctx: FileContext) -> list[Span]:
    nodes = ctx.module.table.nodes
    literals: list[ast.AST] = [
        node
        for node in nodes.get(ast.Constant, ())
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]
    literals += nodes.get(ast.JoinedStr, ())
    merged: list[Span] = []
    for start, end in sorted(map(ctx.module.span, literals)):
        if not merged or start >= merged[-1][1]:
            merged.append((start, end))
        elif end > merged[-1][1]:
            merged[-1] = (merged[-1][0], end)
    return merged
