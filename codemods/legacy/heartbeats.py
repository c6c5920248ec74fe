"""Loops of a project's own that tell a server, now and then, that a worker is alive."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from codemods.context import FileContext
from codemods.legacy.http_calls import LIBRARIES
from codemods.legacy.objects import is_today, kind_of, objects
from codemods.legacy.polls import POLLS, POSTS, READS
from codemods.legacy.threads import in_thread_class, is_task_work, is_thread_work
from codemods.names.children import children_of
from codemods.names.module import Module
from codemods.names.shapes import dotted_tail, is_none
from codemods.names.values import BoundMethod, External, Instance

_HINT = re.compile(r"heart_?beat|keep_?alive|(?:^|_)ping(?:$|_|er)", re.IGNORECASE)
# A function of somebody else that is called so runs one; `keepalive_options` does not.
_STARTER = re.compile(
    r"^(?:(?:start|run|launch|spawn|begin)_\w*)?(?:heart_?beat|keep_?alive)s?(?:_loop|_thread)?$",
    re.IGNORECASE,
)
_WORK = POLLS | POSTS | {"poll_rollout", "poll_rollout_async", "dequeue_rollout", "report_rollout"}
_PAUSES = frozenset({"sleep", "wait", "wait_for"})
_SECONDS = frozenset({"interval", "period", "every", "seconds", "delay", "pause"})
_VERBS = frozenset({"get", "head", "post", "options", "request", "urlopen"})
_CLIENTS = ("LightningStoreClient", "LightningStoreServer", "InMemoryLightningStore")
_DEPTH = 4


class Beat(NamedTuple):
    """A heartbeat: the node to speak of, and the seconds between two beats, as far as known."""

    node: ast.AST
    seconds: str


def loops(ctx: FileContext) -> Iterator[Beat]:
    """The loops of a file that sleep and ping, beside what the program is there for."""
    if ctx.module.words.isdisjoint(_PAUSES):
        return
    for kind in (ast.While, ast.For, ast.AsyncFor):
        for loop in ctx.module.table.nodes.get(kind, ()):
            calls = list(_calls(loop))
            tails = {dotted_tail(call) for call in calls}
            pause = next((call for call in calls if _pauses(call)), None)
            if pause is None or tails & _WORK:
                continue
            named = _named_so(ctx, loop)
            pings = any(_tells_store(ctx, call) or (named and _asks(ctx, call)) for call in calls)
            if pings and (named or _beside(ctx, loop)):
                yield Beat(loop, _seconds(ctx, pause))


def borrowed(ctx: FileContext) -> Iterator[Beat]:
    """Calls of what is called a heartbeat and comes from a file that was not read."""
    for call in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        name = dotted_tail(call)
        if not _HINT.search(name):
            continue
        value = ctx.infer(call.func)
        if not isinstance(value, External) or value.path.startswith("agentlightning"):
            continue
        if not (_is_started(ctx, call) if name[:1].isupper() else _STARTER.search(name)):
            continue
        given = [k.value for k in call.keywords if k.arg in _SECONDS]
        given += [a for a in call.args if _number(a)]
        yield Beat(call, _value(ctx.module, ctx, given[0]) if given else "")


def _beside(ctx: FileContext, loop: ast.AST) -> bool:
    return is_thread_work(ctx, loop) or in_thread_class(ctx, loop) or is_task_work(ctx, loop)


def _named_so(ctx: FileContext, loop: ast.AST) -> bool:
    """Whether a function or a class around a loop is called a heartbeat, and runs beside."""
    around = ctx.parent(loop)
    while around is not None:
        named = isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if named and _HINT.search(getattr(around, "name", "")):
            return True
        around = ctx.parent(around)
    return False


def _calls(loop: ast.AST) -> Iterator[ast.Call]:
    """The calls in a loop, not those of functions that are defined in it."""
    stack: list[ast.AST] = [loop]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(children_of(node))


def _pauses(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name) and call.func.id == "wait":
        return False  # the helper that gets the result of a coroutine
    return dotted_tail(call) in _PAUSES and bool(call.args or call.keywords)


def _tells_store(ctx: FileContext, call: ast.Call) -> bool:
    """Whether a call is one of a legacy client, or the heartbeat of a store."""
    func = call.func
    if not isinstance(func, ast.Attribute):
        return False
    if func.attr == "update_worker":
        return ctx.infer(func.value) is None or any(is_today(ctx, func.value, n) for n in _CLIENTS)
    return func.attr in READS and (
        kind_of(ctx, func.value) in ("client", "inside", "server", "own")
        or is_today(ctx, func.value, "LightningStoreClient")
    )


def _asks(ctx: FileContext, call: ast.Call) -> bool:
    """Whether a call is a request of an HTTP library."""
    if dotted_tail(call) not in _VERBS:
        return False
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    value: object = ctx.infer(receiver)
    value = value.owner if isinstance(value, BoundMethod) else value
    value = value.of if isinstance(value, Instance) else value
    return isinstance(value, External) and value.path.partition(".")[0] in LIBRARIES


def _is_started(ctx: FileContext, call: ast.Call) -> bool:
    """Whether what is built here is started, or entered, in this file."""
    around = ctx.parent(call)
    if isinstance(around, ast.withitem | ast.Attribute):
        return True
    if not isinstance(around, ast.Assign) or len(around.targets) != 1:
        return False
    name = dotted_tail(around.targets[0])
    return any(
        isinstance(node, ast.Attribute) and node.attr == "start" and dotted_tail(node.value) == name
        for node in ctx.module.table.nodes.get(ast.Attribute, ())
    )


def _seconds(ctx: FileContext, pause: ast.Call) -> str:
    index = 1 if dotted_tail(pause) == "wait_for" else 0
    given = [k.value for k in pause.keywords if k.arg in ("timeout", "secs", "delay")]
    value = pause.args[index] if len(pause.args) > index else (given[0] if given else None)
    return "" if value is None else _value(ctx.module, ctx, value)


def _number(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


def _value(module: Module, ctx: FileContext, node: ast.expr) -> str:
    """The one number that an expression is; its text, where that is not to be seen."""
    numbers = set(_numbers(module, ctx, node, 0))
    return numbers.pop() if len(numbers) == 1 else module.source(node)


def _numbers(module: Module, ctx: FileContext, node: ast.expr, depth: int) -> Iterator[str]:
    if _number(node):
        yield module.source(node)
        return
    if depth > _DEPTH:
        return
    sources = [s for s in objects(ctx).sources(module, node) if not is_none(s[1])]
    for where, source in sources:
        yield from _numbers(where, ctx, source, depth + 1)
    if not sources and isinstance(node, ast.Name):
        default = _default(module, node)
        if default is not None and _number(default):
            yield module.source(default)


def _default(module: Module, node: ast.Name) -> ast.expr | None:
    """The default of the parameter that a name is."""
    for binding in module.scope(node).lookup(node.id):
        function = binding.scope.node
        if binding.kind == "param" and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            positional = [*function.args.posonlyargs, *function.args.args]
            names = [a.arg for a in positional][len(positional) - len(function.args.defaults) :]
            pairs: dict[str, ast.expr | None] = dict(
                zip(names, function.args.defaults, strict=True)
            )
            pairs |= dict(
                zip(
                    (a.arg for a in function.args.kwonlyargs),
                    function.args.kw_defaults,
                    strict=True,
                )
            )
            return pairs.get(node.id)
    return None
