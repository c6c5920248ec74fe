"""What a function's parameter holds, where no annotation says it."""

from __future__ import annotations

import ast
from collections.abc import Callable

from codemods.names.module import Module
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.shapes import dotted_tail
from codemods.names.values import Instance, ProjectClass, ProjectFunction, Value

FindModule = Callable[[Module, str], Module | None]

_CONFTESTS = 5


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


def fixture(find: FindModule, module: Module, binding: Binding) -> ProjectFunction | None:
    """The pytest fixture that gives a test's parameter its value: here, or in a conftest above."""
    if not _takes_fixtures(binding.scope.node):
        return None
    place: Module | None = module
    for level in range(_CONFTESTS + 1):
        same_name = () if place is None else place.table.root.bindings.get(binding.name, ())
        for given in same_name:
            node: ast.AST | FunctionNode = given.node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_fixture(node):
                assert place is not None
                return ProjectFunction(place, node)
        place = find(module, "." * (level + 1) + "conftest")
    return None


def _takes_fixtures(function: ast.AST) -> bool:
    """Whether pytest calls a function: a test, or a fixture itself."""
    return isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and (
        function.name.startswith("test") or _is_fixture(function)
    )


def _is_fixture(function: FunctionNode) -> bool:
    return any(dotted_tail(decorator) == "fixture" for decorator in function.decorator_list)


def yields_of(function: FunctionNode) -> list[ast.expr]:
    """What a fixture that cleans up behind itself hands to the test."""
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Yield) and node.value is not None
    ]
