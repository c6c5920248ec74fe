"""Small questions about syntax that need no names resolved."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode


def returns_of(function: FunctionNode | ast.Lambda) -> Iterator[ast.Return]:
    """The return statements of a function itself, not of functions inside it."""
    if isinstance(function, ast.Lambda):
        return
    # Only statements hold statements, so expressions need not be looked into.
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            blocks = [getattr(node, name, ()) for name in _BLOCKS]
            stack.extend(part for block in reversed(blocks) for part in reversed(block))


_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")


def self_assignments(module: Module, cls: ast.ClassDef, name: str) -> list[Binding]:
    """The assignments to `self.name` in the methods of a class."""
    if module.self_attributes is None:
        module.self_attributes = _collect_self_assignments(module)
    return module.self_attributes.get((cls, name), [])


def _collect_self_assignments(module: Module) -> dict[tuple[ast.AST, str], list[Binding]]:
    found: dict[tuple[ast.AST, str], list[Binding]] = {}
    for kind in (ast.Assign, ast.AnnAssign):
        for node in module.table.nodes.get(kind, ()):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if not isinstance(target, ast.Attribute) or not _is_self(target.value):
                    continue
                cls = module.enclosing(node, ast.ClassDef)
                if cls is None:
                    continue
                annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
                binding = Binding(
                    target.attr, "assign", node, module.table.inner[cls], node.value, annotation
                )
                found.setdefault((cls, target.attr), []).append(binding)
    return found


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def meant(bindings: list[Binding]) -> Binding:
    """The binding that counts of all that a read of a name may see."""
    last = bindings[-1]
    if last.kind == "assign" and isinstance(last.value, ast.Constant):
        # `try: from agentlightning import X` / `except ImportError: X = None`
        imports = [b for b in bindings if b.kind in ("from", "import")]
        if imports and last.value.value is None:
            return imports[-1]
    return last


def is_property(function: ast.FunctionDef) -> bool:
    """Whether reading the attribute calls the function."""
    return any(dotted_tail(d) in ("property", "cached_property") for d in function.decorator_list)


def dotted_tail(node: ast.expr) -> str:
    """The last name of a dotted expression, or of the callee of a call."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_none(node: ast.expr) -> bool:
    """Whether an expression is the literal None."""
    return isinstance(node, ast.Constant) and node.value is None
