"""What a function's parameter holds, where no annotation says it."""

from __future__ import annotations

import ast

from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.shapes import dotted_tail
from codemods.names.values import Instance, ProjectClass, ProjectFunction, Value


def self_or_class(module: Module, binding: Binding) -> Value | None:
    """The object or class that a method's first parameter stands for."""
    function = binding.scope.node
    cls = module.table.parents.get(function)
    if not isinstance(cls, ast.ClassDef) or not isinstance(
        function, ast.FunctionDef | ast.AsyncFunctionDef
    ):
        return None
    positional = [*function.args.posonlyargs, *function.args.args]
    if not positional or positional[0].arg != binding.name:
        return None
    decorators = {dotted_tail(d) for d in function.decorator_list}
    if "staticmethod" in decorators:
        return None
    owner = ProjectClass(module, cls)
    return owner if "classmethod" in decorators else Instance(owner)


def fixture(module: Module, name: str) -> ProjectFunction | None:
    """The pytest fixture of the same file that gives a test's parameter its value."""
    for binding in module.table.root.bindings.get(name, ()):
        node: ast.AST | FunctionNode = binding.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            dotted_tail(decorator) == "fixture" for decorator in node.decorator_list
        ):
            return ProjectFunction(module, node)
    return None
