"""What hooks of agents did that no hook of today can do for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.agent_hooks import PARAMETERS, AgentHooks, own_hooks
from codemods.legacy.hook_bodies import RUNNER, can_await, runs_loop
from codemods.names import known
from codemods.names.children import walk
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass

Limit = tuple[ast.AST, str, str, str]  # the place, the hook's name, message and reason

_CHANGES = frozenset(
    {"append", "extend", "insert", "update", "setdefault", "pop", "popitem", "clear", "remove"}
)
LOOP = "hooks run in an event loop today: no other can run there"
_OWN_FRAME = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Yield, ast.YieldFrom)
_LOST = frozenset({"logs", "metadata"})
_TODAYS_RUNNER = RUNNER | {"get_agent", "get_store", "get_worker_id", "step", "iter", "run_context"}


def limits(
    ctx: FileContext,
    cls: ProjectClass,
    methods: dict[str, FunctionNode],
    stay: dict[str, FunctionNode],
) -> Iterator[Limit]:
    """Event loops in hooks and in what they call; in those that `stay`, the rest as well."""
    seen: set[FunctionNode] = set(methods.values()) - set(stay.values())
    seen.update(method for method in stay.values() if awaitable_loops(ctx, cls, method))
    for name, method in methods.items():
        for function in _reached(ctx, cls, method):
            if function not in seen:
                seen.add(function)
                for call in _loops(ctx, function):
                    yield call, name, LOOP, "make the hook `async def` and await it"
    for name, method in stay.items():
        written = list(_writes(method, name))
        yield from written
        inside = {part for place, *_ in written for part in _target_parts(place)}
        yield from (found for found in _reads(method, name) if found[0] not in inside)


def awaitable_loops(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> list[ast.Call]:
    """The event loops in an agent's hook that can be awaited if it becomes async.

    None where one cannot, or where somebody else calls the method, who would have to await it.
    """
    loops = list(_loops(ctx, method))
    relatives = [*ctx.project.ancestors(cls), *ctx.project.subclasses(cls)]
    shared = any(method.name in own_hooks(other) for other in relatives)
    if AgentHooks.of(ctx).mentioned or shared or isinstance(method, ast.AsyncFunctionDef):
        return []
    inner = [part for part in walk(method) if part is not method]
    if method.decorator_list or any(isinstance(part, _OWN_FRAME) for part in inner):
        return []
    plain = all(runs_loop(ctx, call) and can_await(ctx, call) for call in loops)
    return loops if plain else []


def replaced(ctx: FileContext) -> Iterator[tuple[ast.AST, str]]:
    """`agent.on_rollout_end = f`, `setattr(agent, "on_rollout_end", f)`, and in a class body."""
    for function in ctx.module.names.get("setattr", ()):
        call = ctx.parent(function)
        if isinstance(call, ast.Call) and call.func is function and len(call.args) == 3:
            name = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
            if isinstance(name, str) and name in PARAMETERS and _is_agent(ctx, call.args[0]):
                yield call, name
    if not ctx.module.words.isdisjoint(PARAMETERS):
        for node in ctx.module.table.nodes.get(ast.Assign, ()):
            assert isinstance(node, ast.Assign)
            yield from _assigned(ctx, node)


def _assigned(ctx: FileContext, node: ast.Assign) -> Iterator[tuple[ast.AST, str]]:
    around = ctx.parent(node)
    in_agent = isinstance(around, ast.ClassDef) and (
        ProjectClass(ctx.module, around) in ctx.project.agents
    )
    for target in node.targets:
        if isinstance(target, ast.Attribute) and target.attr in PARAMETERS:
            if _is_agent(ctx, target.value):
                yield target, target.attr
        elif in_agent and isinstance(target, ast.Name) and target.id in PARAMETERS:
            yield target, target.id


def _is_agent(ctx: FileContext, node: ast.expr) -> bool:
    return ctx.is_instance(node, known.LIT_AGENT) or ctx.is_class(node, known.LIT_AGENT)


def _reached(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> list[FunctionNode]:
    """A hook and the sync methods of the same file that it calls on itself, over any number."""
    own: dict[str, FunctionNode] = {}
    for base in ctx.project.inference.mro(cls):
        if isinstance(base, ProjectClass) and base.module is ctx.module:
            for part in base.node.body:
                if isinstance(part, ast.FunctionDef):
                    own.setdefault(part.name, part)
    found: list[FunctionNode] = [method]
    for function in found:
        owner = function.args.args[0].arg if function.args.args else ""
        for call in walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                receiver, called = call.func.value, own.get(call.func.attr)
                on_self = isinstance(receiver, ast.Name) and receiver.id == owner
                if on_self and called is not None and called not in found:
                    found.append(called)
    return found


def _loops(ctx: FileContext, function: FunctionNode) -> Iterator[ast.Call]:
    for call in walk(function):
        if isinstance(call, ast.Call):
            until = isinstance(call.func, ast.Attribute) and call.func.attr == "run_until_complete"
            if until or runs_loop(ctx, call):
                yield call


def _parameters(method: FunctionNode) -> dict[str, str]:
    names = [a.arg for a in [*method.args.posonlyargs, *method.args.args]][1:]
    return dict(zip(names, PARAMETERS[method.name], strict=False))


def _writes(method: FunctionNode, name: str) -> Iterator[Limit]:
    """Changes of the task and the rollout, which the legacy runner read, or gave to the next."""
    message = "what a hook changes on its task or rollout is seen by nobody today"
    reason = "keep it on the agent under the rollout's id, or emit it from the rollout itself"
    roles = _parameters(method)
    for node in walk(method):
        target: ast.AST | None = None
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            target = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func.value if node.func.attr in _CHANGES else None
        path = _path(target)
        if len(path) > 1 and roles.get(path[0]) in ("task", "rollout"):
            # The input is the very object that the agent is given.
            inside = roles[path[0]] == "task" and path[1] == "input"
            if not inside or (len(path) == 2 and isinstance(target, ast.Attribute)):
                yield node, name, message, reason


def _target_parts(node: ast.AST) -> list[ast.AST]:
    return walk(node.func if isinstance(node, ast.Call) else node)


def _path(node: ast.AST | None) -> list[str]:
    """`task.metadata["x"].y` as task, metadata, y."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []


def _reads(method: FunctionNode, name: str) -> Iterator[Limit]:
    """Members that only the legacy runner and its report have."""
    roles = _parameters(method)
    for node in walk(method):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        role = roles.get(node.value.id)
        if role == "runner" and node.attr not in _TODAYS_RUNNER:
            message = f"today's runner has no `{node.attr}`"
            yield node, name, message, "take it from the agent, or from runner.get_store()"
        elif role == "rollout" and node.attr in _LOST and isinstance(node.ctx, ast.Load):
            message = f"no `{node.attr}` of a result is kept in the store"
            yield node, name, message, "keep it on the agent, or emit it in the rollout"
