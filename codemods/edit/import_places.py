"""Where a new import of the framework goes, among the imports that a file has."""

from __future__ import annotations

import ast
import sys
from collections.abc import Set
from typing import NamedTuple

from codemods.names.module import Module
from codemods.names.scopes import Scope


class Place(NamedTuple):
    """The statement beside which it goes; `gap` asks for a blank line between the two."""

    statement: ast.stmt
    behind: bool
    gap: bool = False


def of_framework(path: str) -> bool:
    """Whether a dotted path belongs to agentlightning, or to this distribution."""
    return path.partition(".")[0] in ("agentlightning", "agentlightning_compat")


def place_for(module: Module, scope: Scope, source: str, own: Set[ast.stmt]) -> Place | None:
    """The place of `from source import ...` in a scope; None for a file without statements.

    Beside imports of the framework if there are any, else among those of other packages, which
    stand between the standard library's and the project's `own`.
    """
    body: list[ast.stmt] = getattr(scope.node, "body", [])
    imports = [s for s in body if isinstance(s, ast.Import | ast.ImportFrom)]
    related = [s for s in imports if of_framework(_source_of(s))]
    if related:
        earlier = [s for s in related if _source_of(s) <= source]
        return Place(earlier[-1], True) if earlier else Place(related[0], False)
    nested = _nested_import(module, scope)
    if nested is not None:
        return Place(nested, True)
    if imports:
        return _by_origin(imports, source, own, scope.kind == "module")
    if not body:
        return None
    has_docstring = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return Place(body[0], has_docstring)


def _by_origin(
    imports: list[ast.Import | ast.ImportFrom], source: str, own: Set[ast.stmt], gap: bool
) -> Place:
    standard = [s for s in imports if _standard(s)]
    mine = [s for s in imports if s in own]
    others = [s for s in imports if s not in standard and s not in own]
    if others:
        earlier = [s for s in others if isinstance(s, ast.Import) or _source_of(s) <= source]
        return Place(earlier[-1], True) if earlier else Place(others[0], False)
    if mine and (not standard or standard[-1].lineno < mine[0].lineno):
        return Place(mine[0], False, gap)
    return Place(imports[-1], True, gap)


def _standard(statement: ast.Import | ast.ImportFrom) -> bool:
    if getattr(statement, "level", 0):
        return False
    return _source_of(statement).partition(".")[0] in sys.stdlib_module_names


def _nested_import(module: Module, scope: Scope) -> ast.stmt | None:
    """The statement of the scope's own block that holds a framework import (`try:`, `if`)."""
    for node in module.table.nodes.get(ast.ImportFrom, ()):
        assert isinstance(node, ast.ImportFrom)
        if module.table.scopes[node] is not scope or not of_framework(node.module or ""):
            continue
        top: ast.AST = node
        while (parent := module.parent(top)) is not scope.node and parent is not None:
            top = parent
        return top if isinstance(top, ast.stmt) else None
    return None


def _source_of(statement: ast.Import | ast.ImportFrom) -> str:
    if isinstance(statement, ast.ImportFrom):
        return statement.module or ""
    return statement.names[0].name
