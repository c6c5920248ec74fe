"""Whether and how the definition of a rollout method can be rewritten."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.legacy.agents import Agents, Method
from codemods.legacy.bodies import BodyPlan, plan_body
from codemods.legacy.signatures import Parts
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, ProjectFunction

# Decorators that hand on whatever arguments they get.
_TRANSPARENT = (
    "abc.abstractmethod",
    "backoff.",
    "tenacity.",
    "typing.override",
    "typing_extensions.override",
    "typing.no_type_check",
    "staticmethod",
)


class Definition:
    """A method with its new name; `blocked` says why a person has to rewrite it."""

    def __init__(self, method: Method, new_name: str) -> None:
        self.method = method
        self.new_name = new_name
        self.body: BodyPlan | None = None
        self.blocked = ""


def plan_definition(ctx: FileContext, method: Method) -> Definition:
    """How a rollout method becomes one that takes `(task, resources, rollout)`.

    `ctx` may be the context of any file of the project.
    """
    key = (plan_definition, method.owner, method.name)
    known = ctx.project.memo.get(key)
    if not isinstance(known, Definition):
        known = ctx.project.memo[key] = _planned(ctx, method)
    return known


def _planned(ctx: FileContext, method: Method) -> Definition:
    agents = Agents.of(ctx.project)
    definition = Definition(method, agents.new_name(method.owner, method.name))
    function, signature = method.node, method.signature
    if function is None or signature is None:
        definition.blocked = "it is not defined by a `def` in the class body"
    elif signature.style == "unclear":
        definition.blocked = signature.reason
    elif signature.parts is not None:
        definition.blocked = _obstacle(ctx, method, function, signature.parts)
        if not definition.blocked:
            definition.body = plan_body(method.owner.module, function, signature.parts)
            definition.blocked = definition.body.blocked
    return definition


def _obstacle(ctx: FileContext, method: Method, function: FunctionNode, parts: Parts) -> str:
    if function.args.posonlyargs:
        return "its parameters are positional-only"
    if isinstance(function, ast.AsyncFunctionDef) and not method.name.endswith("_async"):
        return f"it is `async def`; the store API awaits `{method.name}_async` only"
    if _has_default(function, parts.task):
        return "its first parameter has a default value"
    for decorator in function.decorator_list:
        if not _hands_on(ctx, method, decorator):
            return f"the decorator `{ast.unparse(decorator)}` may depend on the signature"
    return ""


def _has_default(function: FunctionNode, arg: ast.arg) -> bool:
    positional = [*function.args.posonlyargs, *function.args.args]
    return arg in positional[len(positional) - len(function.args.defaults) :]


def _hands_on(ctx: FileContext, method: Method, decorator: ast.expr) -> bool:
    """Whether a decorator passes its arguments through, whatever they are."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Name) and called.id == "staticmethod":
        return True
    value = ctx.project.inference.infer(method.owner.module, called)
    if isinstance(value, External):
        return value.path.startswith(_TRANSPARENT)
    if not isinstance(value, ProjectFunction):
        return False
    inner = [
        node
        for node in ast.walk(value.node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node is not value.node
        and not any(
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.walk(node)
            if child is not node
        )
    ]
    return bool(inner) and all(_passes_everything(node) for node in inner)


def _passes_everything(wrapper: FunctionNode) -> bool:
    """Whether a wrapper takes `*args, **kwargs` and only hands them on."""
    args = wrapper.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    if args.vararg is None or args.kwarg is None or len(named) > 1:
        return False
    looked_into = any(
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in (args.vararg.arg, args.kwarg.arg)
        for node in ast.walk(wrapper)
    )
    return not looked_into
