"""The nodes below a node, as far as they stand for code."""

from __future__ import annotations

import ast


def children_of(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, without operators and contexts, which stand for no code."""
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = tuple(f for f in kind._fields if f not in _NO_CODE)
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, level by level as `ast.walk` has them, without what is no code."""
    found = [node]
    for each in found:
        found += children_of(each)
    return found


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
# A comparison's `ops` are a list of operators; `op` and `ctx` are single ones.
_NO_CODE = frozenset({"ctx", "op", "ops", "type_comment", "kind", "lineno", "attr", "id"})
