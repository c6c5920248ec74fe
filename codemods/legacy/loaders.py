"""What a `DevTaskLoader` given to `fit` was made of, and who else uses it."""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

from codemods.context import FileContext
from codemods.legacy.trainers import uses
from codemods.names import known
from codemods.names.scopes import Binding
from codemods.names.shapes import returns_of
from codemods.names.values import External, ProjectFunction

Tasks = Literal["inputs", "tasks", "unknown"]
_PLAIN = (ast.Dict, ast.Constant, ast.List, ast.Tuple, ast.JoinedStr)
# `df.to_dict(orient="records")` and the like give plain records.
_RECORDS = frozenset({"to_dict", "to_list", "to_pylist", "tolist", "loads", "load", "read_json"})


class Loader(NamedTuple):
    """A loader's construction in this file, and the name by which `fit` was given it.

    `binding` is the variable or the function without parameters that returns it; None where the
    construction stands in the call of `fit`.
    """

    call: ast.Call
    tasks: ast.expr
    resources: ast.expr
    binding: Binding | None = None

    @property
    def function(self) -> ast.FunctionDef | None:
        """The function that builds it, if one does."""
        node = None if self.binding is None else self.binding.node
        return node if isinstance(node, ast.FunctionDef) else None


def loader_of(ctx: FileContext, node: ast.expr) -> Loader | None:
    """Where in this file the loader that `node` stands for is built, if that is certain."""
    if isinstance(node, ast.Call):
        direct = _constructed(ctx, node, None)
        return direct if direct is not None else _from_function(ctx, node)
    if isinstance(node, ast.Name):
        bindings = ctx.module.scope(node).lookup(node.id)
        if len(bindings) == 1 and bindings[0].kind == "assign":
            return _constructed(ctx, bindings[0].value, bindings[0])
    return None


def _constructed(ctx: FileContext, node: ast.expr | None, binding: Binding | None) -> Loader | None:
    if not isinstance(node, ast.Call) or ctx.infer(node.func) != External(known.DEV_LOADER):
        return None
    keywords = {k.arg: k.value for k in node.keywords}
    if keywords.keys() - {"tasks", "resources"} or len(node.args) + len(keywords) != 2:
        return None
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return None
    tasks = node.args[0] if node.args else keywords.get("tasks")
    resources = node.args[1] if len(node.args) == 2 else keywords.get("resources")
    if tasks is None or resources is None:
        return None
    return Loader(node, tasks, resources, binding)


def _from_function(ctx: FileContext, node: ast.Call) -> Loader | None:
    function = ctx.infer(node.func)
    if not isinstance(function, ProjectFunction) or function.module is not ctx.module:
        return None
    if node.args or node.keywords or not isinstance(node.func, ast.Name):
        return None
    definition = function.node
    bindings = ctx.module.scope(node.func).lookup(node.func.id)
    returned = [r.value for r in returns_of(definition)]
    simple = isinstance(definition, ast.FunctionDef) and not definition.decorator_list
    if not simple or len(bindings) != 1 or len(returned) != 1:
        return None
    return _constructed(ctx, returned[0], bindings[0])


def only_for(ctx: FileContext, loader: Loader, given: ast.expr) -> bool:
    """Whether nothing but the one argument `given` uses the loader."""
    binding = loader.binding
    if binding is None:
        return True
    if binding.name in ctx.project.exported(ctx.module) and binding.scope.kind == "module":
        return False
    name = given.func if isinstance(given, ast.Call) else given
    return [*uses(ctx, binding)] == [name]


def kind_of_tasks(ctx: FileContext, node: ast.expr) -> Tasks:
    """Whether a loader's tasks are plain inputs or `Task` objects, as far as can be seen."""
    if isinstance(node, ast.Name):
        bindings = ctx.module.scope(node).lookup(node.id)
        values = [b.value for b in bindings if b.kind == "assign" and b.value is not None]
        if len(bindings) != 1 or not values:
            return "unknown"
        found = kind_of_tasks(ctx, values[0])
        return found if found == "inputs" else "unknown"
    if isinstance(node, ast.ListComp):
        return "inputs" if isinstance(node.elt, _PLAIN) else "unknown"
    if isinstance(node, ast.Call):
        last = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return "inputs" if last in _RECORDS else "unknown"
    if not isinstance(node, ast.List) or not node.elts:
        return "unknown"
    if all(isinstance(element, _PLAIN) for element in node.elts):
        return "inputs"
    if all(task_input(ctx, element) is not None for element in node.elts):
        return "tasks"
    return "unknown"


def task_input(ctx: FileContext, node: ast.expr) -> ast.expr | None:
    """The input of a `Task(...)` written out by keywords."""
    if not isinstance(node, ast.Call) or ctx.infer(node.func) != External(known.TASK):
        return None
    return next((k.value for k in node.keywords if k.arg == "input"), None)


def is_validation(ctx: FileContext, node: ast.expr) -> bool:
    """Whether tasks written out as `Task(...)` are all of a mode other than training."""
    if not isinstance(node, ast.List):
        return False
    modes = []
    for element in node.elts:
        keywords = element.keywords if isinstance(element, ast.Call) else []
        mode = next((k.value for k in keywords if k.arg == "mode"), None)
        modes.append(mode.value if isinstance(mode, ast.Constant) else None)
    return all(mode in ("val", "test") for mode in modes)


def are_named_resources(ctx: FileContext, node: ast.expr) -> bool:
    """Whether a loader's resources are a plain dict, and not a `ResourcesUpdate`."""
    if isinstance(node, ast.Dict):
        return True
    if isinstance(node, ast.Name):
        bindings = ctx.module.scope(node).lookup(node.id)
        if len(bindings) == 1 and bindings[0].kind == "assign" and bindings[0].value is not None:
            return are_named_resources(ctx, bindings[0].value)
    return False
