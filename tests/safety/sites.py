"""Legacy usage counted without the tool: words of the API map in the syntax tree, nothing resolved.

What it finds is only ever too much, never too little: a word that can be nothing but legacy API,
in a place where it names API (an import, a use, an attribute, a keyword, a method).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from codemods import api_map

METHODS = frozenset(
    {
        "training_rollout",
        "training_rollout_async",
        "validation_rollout",
        "validation_rollout_async",
    }
)
# Values of the legacy API that migrated code still builds, for a helper to convert.
STILL_GOOD = frozenset({"RolloutLegacy"})


@dataclass(frozen=True)
class Site:
    """One word, and the lines of the statement (or header) in which a finding has to be."""

    word: str
    line: int
    first: int
    last: int


def sites(tree: ast.Module) -> Iterator[Site]:
    """Every place of a module where a legacy word names API."""
    words = api_map.load().legacy_names() - STILL_GOOD
    flags = _parsed_arguments(tree)
    for statement, node in _with_statements(tree):
        word = "" if _is_flag(node, flags) else _word(node)
        if word in words and not (word in METHODS and not _old_shape(node)):
            line = getattr(node, "lineno", statement.lineno)
            yield Site(word, line, statement.lineno, _last_line(statement))


def _parsed_arguments(tree: ast.Module) -> set[str]:
    """The variables that hold what argparse read: their attributes are the program's own flags."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Attribute) and node.value.func.attr == "parse_args"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _is_flag(node: ast.AST, flags: set[str]) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in flags
    )


def _with_statements(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.AST]]:
    stack: list[tuple[ast.stmt | None, ast.AST]] = [(None, tree)]
    while stack:
        statement, node = stack.pop()
        if isinstance(node, ast.stmt):
            statement = node
        if statement is not None:
            yield statement, node
        stack.extend((statement, child) for child in ast.iter_child_nodes(node))


def _word(node: ast.AST) -> str:
    match node:
        case ast.alias(name=name):
            return name.rpartition(".")[2]
        case ast.Attribute(attr=attr):
            return attr
        case ast.Name(id=name, ctx=ast.Load()):
            # A bare read of these is a variable of the user's own.
            return name if name[:1].isupper() or name in ("configure_logger",) else ""
        case ast.keyword(arg=str() as name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
    return ""


def _old_shape(node: ast.AST) -> bool:
    """Whether a rollout method is defined, or called, as 0.1 did."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(a.arg == "rollout_id" for a in node.args.args)
    return False


def _last_line(statement: ast.stmt) -> int:
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(statement.lineno, body[0].lineno - 1)
    return statement.end_lineno or statement.lineno
