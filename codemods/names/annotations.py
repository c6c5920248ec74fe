"""What a type expression promises."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from codemods.names.module import Module
from codemods.names.shapes import dotted_tail
from codemods.names.values import External, Instance, ProjectClass, Value

if TYPE_CHECKING:
    from typing import Protocol

    class Infers(Protocol):
        """Resolves the names in an annotation."""

        def infer(self, module: Module, node: ast.expr) -> Value | None:
            """The value of an expression."""


_WRAPPERS = frozenset(
    {"Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired"}
)


def annotated(infers: Infers, module: Module, annotation: ast.expr) -> Value | None:
    """The instance that a type expression promises; `X | None` is `X`."""
    match annotation:
        case ast.Constant(value=str() as text):
            return _quoted(infers, module, annotation, text)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return annotated(infers, module, left) or annotated(infers, module, right)
        case ast.Subscript(value=outer, slice=inner):
            if dotted_tail(outer) in _WRAPPERS:
                choices = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                found = (annotated(infers, module, choice) for choice in choices)
                return next((value for value in found if value is not None), None)
            return instance_of(infers.infer(module, outer))
        case ast.Name() | ast.Attribute():
            return instance_of(infers.infer(module, annotation))
    return None


def _quoted(infers: Infers, module: Module, node: ast.Constant, text: str) -> Value | None:
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    scope = module.table.scopes.get(node)
    if scope is None:
        return None
    for part in ast.walk(expression):
        # The parts stand where the string stands, as far as names are concerned.
        module.table.scopes[part] = scope
        ast.copy_location(part, node)
    return annotated(infers, module, expression)


def instance_of(value: Value | None) -> Value | None:
    """An object of a class, given the class."""
    return Instance(value) if isinstance(value, External | ProjectClass) else None
