"""AGL303: `llm.endpoint` inside a rollout."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.agent_calls import origin
from codemods.legacy.agents import METHODS, NEW, RENAMED, Agents
from codemods.legacy.unreadable import doubt
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import Instance, ProjectClass
from codemods.rule import Hit, Rule

_ROUTED = "get_base_url(rollout.rollout_id, rollout.attempt.attempt_id)"
_MESSAGE = "`endpoint` does not tell an LLM proxy which rollout is asking; `get_base_url` does"


class LlmEndpoint(Rule):
    """`llm.endpoint` into `llm.get_base_url(rollout_id, attempt_id)`."""

    code = "AGL303"
    title = "LLM endpoint without the rollout it is used for"
    why = (
        "Behind an LLM proxy, calls are attributed to a rollout by their address, so `endpoint` "
        "warns there and loses the traces. `get_base_url(rollout_id, attempt_id)` is right for "
        "every LLM. Runners pass an AttemptedRollout, which has the attempt."
    )
    before = 'OpenAI(base_url=resources["main_llm"].endpoint)'
    after = (
        "OpenAI(\n"
        '    base_url=resources["main_llm"].get_base_url(\n'
        "        rollout.rollout_id, rollout.attempt.attempt_id\n    )\n)"
    )
    applicability = "review"
    nodes = (ast.Attribute,)
    words = frozenset({"endpoint"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The endpoint of an LLM that came as a resource."""
        assert isinstance(node, ast.Attribute)
        legacy_server = ctx.options.server == "legacy"  # fit_v0 passes no attempt
        if not isinstance(node.ctx, ast.Load) or legacy_server:
            return
        if not _is_resource(ctx, node.value) or _gets_plain_llm(ctx, node):
            return
        reason = _obstacle(ctx, node)
        symbol = f"{known.LLM}.endpoint"
        if reason:
            yield Hit(node, _MESSAGE, reason=reason, symbol=symbol)
        else:
            yield Hit(node, _MESSAGE, lambda rewrite: rewrite.rename(node, _ROUTED), symbol=symbol)


def _is_resource(ctx: FileContext, node: ast.expr, depth: int = 0) -> bool:
    """Whether an expression is an LLM that was handed in, not one built in this file."""
    value = ctx.infer(node)
    if isinstance(value, Instance):
        return value.call is None and ctx.is_instance(node, known.LLM)
    if isinstance(node, ast.Subscript):
        return _are_resources(ctx, node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "get" and _are_resources(ctx, node.func.value)
    if isinstance(node, ast.Name) and depth < 3:
        bindings = ctx.module.scope(node).lookup(node.id)
        values = [b.value for b in bindings if b.kind == "assign" and b.value is not None]
        return len(values) == 1 == len(bindings) and _is_resource(ctx, values[0], depth + 1)
    return False


def _are_resources(ctx: FileContext, node: ast.expr) -> bool:
    """Whether an expression is the dict of resources that a rollout method was given."""
    if not isinstance(node, ast.Name):
        return False
    method = origin(ctx, node)
    parts = method.signature.parts if method is not None and method.signature else None
    bindings = ctx.module.scope(node).lookup(node.id)
    if any(binding.kind != "param" for binding in bindings) or not bindings:
        return False
    if parts is not None:
        return bindings[0].node is parts.resources
    return node.id == "resources" and not _of_stranger(ctx, node)


def _of_stranger(ctx: FileContext, node: ast.AST) -> bool:
    """Whether a node is in a rollout method of a class that is certainly no agent."""
    around = ctx.module.enclosing(node, ast.ClassDef)
    function = ctx.function_around(node)
    if function is None or not isinstance(around, ast.ClassDef):
        return False
    while (outer := ctx.function_around(function)) is not None:
        function = outer
    named = function.name in METHODS or function.name in RENAMED.values()
    cls = ProjectClass(ctx.module, around)
    return named and not Agents.of(ctx.project).member(cls) and not doubt(ctx, cls)


def _gets_plain_llm(ctx: FileContext, node: ast.AST) -> bool:
    """Whether the function around is `@rollout`-decorated: its LLM has the rollout in it."""
    function = ctx.function_around(node)
    return function is not None and any(
        ctx.qual(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list
    )


def _obstacle(ctx: FileContext, node: ast.Attribute) -> str:
    """Why the rollout cannot be named where the endpoint is read."""
    if not ctx.source(node).endswith(node.attr):
        return "its place in the f-string is not certain"
    method = origin(ctx, node)
    function = method.node if method is not None else _new_method(ctx, node)
    if function is None:
        return "no rollout is in reach here; hand it on, or the address from get_base_url"
    if method is None and (why := _maybe_no_agent(ctx, function)):
        return why
    scope = ctx.module.table.inner[function]
    bindings = ctx.module.scope(node).lookup(NEW)
    inner = [b for b in bindings if b.scope is not scope and b.scope.kind != "module"]
    legacy = method is not None and method.legacy
    if inner or (not legacy and [b.kind for b in bindings] != ["param"]):
        return "`rollout` stands for something else here"
    return ""


def _maybe_no_agent(ctx: FileContext, function: FunctionNode) -> str:
    """Why a method of the new shape may have nothing to do with agentlightning."""
    owner = ctx.parent(function)
    assert isinstance(owner, ast.ClassDef)
    cls = ProjectClass(ctx.module, owner)
    if Agents.of(ctx.project).member(cls):
        return ""
    return doubt(ctx, cls) or f"`{owner.name}` is no LitAgent"


def _new_method(ctx: FileContext, node: ast.AST) -> FunctionNode | None:
    """The method `rollout(task, resources, rollout)` around, in code migrated before."""
    function = ctx.function_around(node)
    while function is not None:
        names = [arg.arg for arg in function.args.args]
        inside = isinstance(ctx.parent(function), ast.ClassDef)
        if inside and function.name in RENAMED.values() and names[2:4] == ["resources", NEW]:
            return function
        function = ctx.function_around(function)
    return None
