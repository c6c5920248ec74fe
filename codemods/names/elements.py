"""What comes out of a list: by a loop over it, or by taking it apart."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from codemods.names import known
from codemods.names.annotations import instance_of
from codemods.names.module import Module
from codemods.names.scopes import Binding
from codemods.names.values import BoundMethod, External, Instance, Value

if TYPE_CHECKING:
    from codemods.names.annotations import Infers


def element_of(infers: Infers, module: Module, iterable: ast.expr | None) -> Value | None:
    """One element of what a loop goes over."""
    while isinstance(iterable, ast.Await):
        iterable = iterable.value
    if isinstance(iterable, ast.Name):
        scope = module.table.scopes.get(iterable)
        bindings = scope.lookup(iterable.id) if scope else []
        if bindings and bindings[-1].kind == "assign":
            return element_of(infers, module, bindings[-1].value)
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Attribute):
        callee = infers.infer(module, iterable.func)
        if isinstance(callee, BoundMethod) and isinstance(callee.owner.of, External):
            found = known.ELEMENT_TYPES.get(callee.owner.of.path, {}).get(callee.name)
            return Instance(External(found)) if found else None
    return None


def unpacked(infers: Infers, module: Module, binding: Binding) -> Value | None:
    """The part of a tuple that a name gets."""
    value = binding.value
    if isinstance(value, ast.Tuple | ast.List) and binding.index < len(value.elts):
        return infers.infer(module, value.elts[binding.index])
    if isinstance(value, ast.Call) and binding.index < len(value.args):
        callee = infers.infer(module, value.func)
        if callee == External(known.LIGHTNING_CLI):
            return instance_of(infers.infer(module, value.args[binding.index]))
    return None
