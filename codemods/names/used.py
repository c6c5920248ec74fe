"""Which names a file uses, wherever it may write them."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.names.scopes import ScopeTable


def used_names(table: ScopeTable) -> set[str]:
    """Names that are read anywhere, listed in `__all__`, or written in a string annotation."""
    names = (n for n in table.nodes.get(ast.Name, ()) if isinstance(n, ast.Name))
    used = {node.id for node in names if _reads_import(table, node)}
    for constant in table.string_annotations:
        used.update(_words(str(constant.value)))
    for binding in table.root.bindings.get("__all__", ()):
        statement = table.parents[binding.node]
        for part in ast.walk(statement):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                used.add(part.value)
    for call in table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in ("cast", "TypeVar"):
            for part in [*call.args, *(k.value for k in call.keywords)]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    used.update(_words(part.value))
    return used


def _reads_import(table: ScopeTable, node: ast.Name) -> bool:
    """Whether a name is read and can stand for an import, not only for a local variable."""
    if isinstance(node.ctx, ast.Store):
        return False
    bindings = table.scopes[node].lookup(node.id)
    local = all(b.scope.kind in ("function", "comprehension") for b in bindings)
    return not (bindings and local) or any(b.kind in ("import", "from") for b in bindings)


def _words(text: str) -> Iterable[str]:
    word = ""
    for char in text + " ":
        if char.isidentifier() or (word and char.isdigit()):
            word += char
        elif word:
            yield word
            word = ""
