"""AGL220: rollout methods that take the rollout's id."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.edit.statements import header_span
from codemods.legacy import unreadable
from codemods.legacy.agents import Agents
from codemods.legacy.definitions import Definition, plan_definition
from codemods.legacy.signatures import Parts
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

# One class; what the file imports already is taken.
_ROLLOUT = ("agentlightning.Rollout", "agentlightning.types.Rollout")


class RolloutMethods(Rule):
    """`training_rollout(task, rollout_id, resources)` and its kin, as they are defined."""

    code = "AGL220"
    title = "Rollout method takes `rollout_id` instead of the rollout"
    why = (
        "Runners call `(task, resources=..., rollout=...)` today, so these parameter names count. "
        "What is not training goes to `validation_rollout` and from there to `rollout`, no more "
        "to `training_rollout`: an agent with only the latter fails on every validation task."
    )
    before = "def training_rollout(self, task, rollout_id, resources): ..."
    after = "def rollout(self, task, resources, rollout): ..."
    applicability = "review"
    nodes = (ast.ClassDef, ast.Call)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The rollout methods of one class that takes part in an agent."""
        if isinstance(node, ast.Call):
            yield from unreadable.made_by_type(ctx, node)
            return
        assert isinstance(node, ast.ClassDef)
        agents = Agents.of(ctx.project)
        cls = ProjectClass(ctx.module, node)
        if not agents.member(cls):
            yield from unreadable.unknown_base(ctx, cls)
            return
        for method in agents.own_methods(cls):
            definition = plan_definition(ctx, method)
            if method.legacy or definition.new_name != method.name:
                hit = _hit(ctx, definition)
                if hit is not None:
                    yield hit


def _hit(ctx: FileContext, definition: Definition) -> Hit | None:
    method = definition.method
    symbol = f"{known.LIT_AGENT}.{method.name}"
    if method.statement is not method.node:
        return _alias(ctx, definition, symbol)
    assert method.node is not None
    span = header_span(ctx.module, method.node)
    if definition.blocked:
        message = (
            f"`{method.name}` has to be `{definition.new_name}(task, resources, rollout)` "
            "in the store API"
        )
        return Hit(method.node, message, reason=definition.blocked, symbol=symbol, span=span)
    if method.legacy:
        message = f"`{method.name}` takes `(task, resources, rollout)` in the store API"
    else:
        message = f"`{method.name}` is not called for validation tasks; `rollout` serves both"
    if method.legacy and definition.new_name != method.name:
        message += f", as `{definition.new_name}`, which serves validation tasks too"
    return Hit(method.node, message, lambda r: _fix(r, definition), symbol=symbol, span=span)


def _alias(ctx: FileContext, definition: Definition, symbol: str) -> Hit | None:
    """A method that is not defined by `def`: an assignment in the class body."""
    method = definition.method
    value = getattr(method.statement, "value", None)
    if method.node is None or not isinstance(value, ast.Name):
        message = f"`{method.name}` has to take `(task, resources, rollout)` in the store API"
        reason = definition.blocked or "it is not defined by a `def` in the class body"
        return Hit(method.statement, message, reason=reason, symbol=symbol)
    target = Agents.of(ctx.project).new_name(method.owner, value.id)
    if target == value.id:
        return None
    message = f"`{value.id}` is `{target}` in the store API"
    return Hit(method.statement, message, lambda r: r.rename(value, target), symbol=symbol)


def _fix(rewrite: Rewrite, definition: Definition) -> None:
    method = definition.method
    assert method.node is not None
    assert method.signature is not None
    header = rewrite.header(method.node)
    if definition.new_name != method.name:
        header.rename(definition.new_name)
    parts = method.signature.parts
    if definition.body is None or parts is None:
        return
    from codemods.edit.signatures import Parameter

    receiver = method.signature.receiver
    parameters = [] if receiver is None else [Parameter(receiver, receiver)]
    annotation = _annotation(rewrite, method.node, parts)
    parameters += [
        Parameter(parts.task.arg, parts.task.arg),
        Parameter("resources", parts.resources.arg, keep_default=False),
        Parameter("rollout", parts.rollout_id.arg, annotation, keep_default=False),
    ]
    header.set_parameters(parameters)
    for name, text in definition.body.renames:
        rewrite.rename(name, text)
    if definition.body.first:
        rewrite.first_in_body(method.node, "\n".join(definition.body.first))


def _annotation(rewrite: Rewrite, function: FunctionNode, parts: Parts) -> str:
    """The type of the new parameter, where the others have one."""
    every = (parts.task, parts.rollout_id, parts.resources)
    if not any(part.annotation is not None for part in every):
        return ""
    imported = {b.path for b in rewrite.module.table.root.bindings.get("Rollout", ())}
    path = next((path for path in _ROLLOUT if path in imported), _ROLLOUT[0])
    return rewrite.use(path, function)
