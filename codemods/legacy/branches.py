"""A compound statement cut down to the one branch of it that still runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from codemods.edit import statements
from codemods.edit.ranges import Blocked, Edit
from codemods.edit.rewrite import Rewrite

Pick = Callable[[ast.AST], Sequence[ast.stmt]]


def keep(rewrite: Rewrite, node: ast.stmt, pick: Pick) -> None:
    """Leave of a statement what `pick` takes of it: its body, or that of its other branch.

    It is given the statement as it stands after every other edit in it, so that those stay.
    """
    indent = statements.indentation(rewrite.module, node)
    rewrite.transform(node, lambda text: _branch(text, indent, pick), rank=90)


def discard(rewrite: Rewrite, node: ast.stmt) -> None:
    """Take a statement out with all that other edits make of it."""
    module = rewrite.module
    if not statements.owns_its_lines(module, node):
        rewrite.block("other code stands on the same line")
    if len(statements.suite(module, node)) == 1 and not isinstance(module.parent(node), ast.Module):
        rewrite.transform(node, lambda _: "pass", rank=90)
        return
    start, end = statements.line_start(module, node), statements.line_end(module, node)
    rewrite.edits.append(Edit(start, end, lambda _: "", 90))


def _branch(text: str, indent: str, pick: Pick) -> str:
    before = f"if 1:\n{indent}" if indent else ""
    tree = ast.parse(before + text)
    outer = tree.body[0]
    body = pick(outer.body[0] if indent and isinstance(outer, ast.If) else outer)
    lines = (before + text).splitlines(keepends=True)
    inner = lines[body[0].lineno - 1][: body[0].col_offset]
    if inner.strip():
        raise Blocked("the branches are written on one line")
    if _long_strings(body):
        raise Blocked("a string over several lines would lose its indentation")
    first, last = _with_comments(body, lines, inner)
    kept = "".join(_outdented(lines[first:last], inner, indent))
    return kept.rstrip("\r\n")[len(indent) :]


def _with_comments(body: Sequence[ast.stmt], lines: list[str], inner: str) -> tuple[int, int]:
    """The lines of a branch, from and up to, the comments around its statements included."""
    first = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", []))]) - 1
    while lines[first - 1].startswith(f"{inner}#"):
        first -= 1
    last = body[-1].end_lineno or body[-1].lineno
    while last < len(lines) and lines[last].startswith(f"{inner}#"):
        last += 1
    return first, last


def _long_strings(body: Sequence[ast.stmt]) -> bool:
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str | bytes))
        for statement in body
        for part in ast.walk(statement)
        if getattr(part, "lineno", 0) != getattr(part, "end_lineno", 0)
    )


def _outdented(lines: Sequence[str], inner: str, outer: str) -> Iterator[str]:
    for line in lines:
        yield outer + line[len(inner) :] if line.startswith(inner) else line
