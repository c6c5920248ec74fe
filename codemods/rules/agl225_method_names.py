"""AGL225: rollout methods named in strings."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agents import METHODS, Agents
from codemods.names import known
from codemods.names.values import Instance, ProjectClass
from codemods.rule import Hit, Rule

# Calls that take an object and the name of an attribute of it.
_BY_NAME = frozenset({"object", "setattr", "delattr", "hasattr", "getattr", "spy", "stub"})


class MethodNames(Rule):
    """`patch.object(Agent, "training_rollout")` and other strings that name a rollout method."""

    code = "AGL225"
    title = "Rollout method named in a string"
    why = (
        "Where a rollout method gets another name, the strings by which tests patch it and code "
        "looks it up have to follow."
    )
    before = 'mocker.patch.object(agent, "training_rollout")'
    after = 'mocker.patch.object(agent, "rollout")'
    applicability = "review"
    nodes = (ast.Constant, ast.Attribute)
    attributes = METHODS

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """A string that is the name of a rollout method, a dotted path to one, or a new value."""
        if isinstance(node, ast.Attribute):
            yield from _assigned(ctx, node)
            return
        assert isinstance(node, ast.Constant)
        if not isinstance(node.value, str):
            return
        path, _, name = node.value.rpartition(".")
        if name not in METHODS or not all(part.isidentifier() for part in node.value.split(".")):
            return
        agents = Agents.of(ctx.project)
        cls = _at_path(ctx, path) if path else _first_argument(ctx, node)
        if cls is not None and agents.member(cls):
            new = agents.new_name(cls, name)
            if _replaced_by_function(ctx, node):
                yield _unsure(node, name, "the function that takes its place has to take them")
            elif new != name:
                yield _hit(node, name, new)
            elif agents.legacy(cls) and _looks_up(ctx, node):
                yield _unsure(node, name, "what is looked up takes other arguments now")
        elif cls is None and not path and agents.any_legacy():
            yield _unsure(node, name, "it is not known whose method it names")


def _hit(node: ast.Constant, name: str, new: str) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        text = rewrite.module.source(node)
        if text.count(name) != 1:
            rewrite.block("the string is put together from parts")
        rewrite.replace(node, text.replace(name, new))

    message = f"`{name}` of this agent is `{new}` in the store API"
    return Hit(node, message, fix, symbol=f"{known.LIT_AGENT}.{name}")


def _assigned(ctx: FileContext, node: ast.Attribute) -> Iterable[Hit]:
    """`agent.training_rollout = Mock()`."""
    if isinstance(node.ctx, ast.Load):
        return
    value = ctx.infer(node.value)
    of = value.of if isinstance(value, Instance) else value
    agents = Agents.of(ctx.project)
    if not isinstance(of, ProjectClass) or not agents.member(of):
        return
    new = agents.new_name(of, node.attr)
    assigned = getattr(ctx.parent(node), "value", None)
    if assigned is not None and "Mock" not in ast.unparse(assigned):
        yield _unsure(node, node.attr, "the function that takes its place has to take them")
    elif new != node.attr:
        message = f"`{node.attr}` of this agent is `{new}` in the store API"
        symbol = f"{known.LIT_AGENT}.{node.attr}"
        yield Hit(node, message, lambda rewrite: rewrite.rename(node, new), symbol=symbol)


def _unsure(node: ast.Constant | ast.Attribute, name: str, reason: str) -> Hit:
    message = f"`{name}` takes `(task, resources, rollout)` in the store API"
    return Hit(node, message, reason=reason, symbol=f"{known.LIT_AGENT}.{name}")


def _call_around(ctx: FileContext, node: ast.Constant) -> ast.Call | None:
    call = ctx.parent(node)
    if not isinstance(call, ast.Call) or len(call.args) < 2 or call.args[1] is not node:
        return None
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return call if name in _BY_NAME else None


def _first_argument(ctx: FileContext, node: ast.Constant) -> ProjectClass | None:
    """The class of the object whose attribute a string names."""
    call = _call_around(ctx, node)
    value = ctx.infer(call.args[0]) if call is not None else None
    of = value.of if isinstance(value, Instance) else value
    return of if isinstance(of, ProjectClass) else None


def _replaced_by_function(ctx: FileContext, node: ast.Constant) -> bool:
    call = _call_around(ctx, node)
    if call is None or len(call.args) < 3 or getattr(call.func, "id", "") == "getattr":
        return False
    return "Mock" not in ast.unparse(call.args[2])


def _looks_up(ctx: FileContext, node: ast.Constant) -> bool:
    call = _call_around(ctx, node)
    return call is not None and getattr(call.func, "id", "") == "getattr"


def _at_path(ctx: FileContext, path: str) -> ProjectClass | None:
    """The class of the project at a dotted path, as `mock.patch` takes it."""
    module, _, name = path.rpartition(".")
    found = ctx.project.find_module(ctx.module, module) if module else None
    value = ctx.project.inference.export(found, name) if found is not None else None
    return value if isinstance(value, ProjectClass) else None
