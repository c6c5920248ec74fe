"""Where clients are built, and how often what polls on them asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.given import Arguments, arguments
from codemods.legacy.objects import Built, kind_of, objects
from codemods.names import known
from codemods.names.module import Module
from codemods.names.shapes import dotted_tail
from codemods.project import Project

CLIENT_PARAMETERS = ("endpoint", "poll_interval", "timeout")
RUNNER_PARAMETERS = ("agent", "client", "tracer", "triplet_exporter", "worker_id", "max_tasks")
_POLLS = frozenset({"poll_next_task", "poll_next_task_async"})
_RUNNERS = frozenset({"AgentRunner", "LegacyAgentRunner"})
_FITS = frozenset({"fit", "fit_v0"})
_MEMO = "clients with a place for their poll interval"


def client_arguments(call: ast.Call) -> Arguments:
    """What the construction of a client gives."""
    return arguments(call, CLIENT_PARAMETERS)


def poll_interval(ctx: FileContext, receiver: ast.expr) -> str:
    """The seconds that a client was built with, as text that `receiver`'s place can hold."""
    texts = {
        _interval(ctx, receiver, built) for built in objects(ctx).origins(ctx.module, receiver)
    }
    return texts.pop() if len(texts) == 1 else ""


def _interval(ctx: FileContext, receiver: ast.expr, built: Built) -> str:
    if objects(ctx).kind(built.module, built.call) != "client":
        return ""
    value = client_arguments(built.call).values.get("poll_interval")
    return "" if value is None else text_at(ctx, receiver, built, value)


def text_at(ctx: FileContext, receiver: ast.expr, built: Built, value: ast.expr) -> str:
    """An argument of a construction as text that `receiver`'s place can hold; empty if it can't."""
    text = built.module.source(value)
    if isinstance(value, ast.Constant):
        return text
    together = built.module is ctx.module and (
        ctx.function_around(built.call) is ctx.function_around(receiver)
        or _of_module_level(ctx, value)
    )
    movable = isinstance(value, ast.Name | ast.Attribute | ast.UnaryOp | ast.BinOp)
    return text if together and movable else ""


def _of_module_level(ctx: FileContext, value: ast.expr) -> bool:
    names = [part for part in ast.walk(value) if isinstance(part, ast.Name)]
    return all(
        (found := ctx.module.scope(name).lookup(name.id)) and found[0].scope.kind == "module"
        for name in names
    )


def constructions(ctx: FileContext, path: str) -> Iterator[ast.Call]:
    """The calls of a file that build an object of a legacy class, or of one made from it."""
    # By their last name first: inference is not asked about every call of a project.
    likely = ctx.memo.get(constructions)
    if not isinstance(likely, list):
        calls = ctx.module.table.nodes.get(ast.Call, ())
        likely = [c for c in calls if isinstance(c, ast.Call)]
        likely = [c for c in likely if dotted_tail(c.func)[:1].isupper()]
        ctx.memo[constructions] = likely
    yield from (call for call in likely if ctx.is_instance(call, path))


def clients_stay(ctx: FileContext) -> bool:
    """Whether every client that the project builds is of a class of its own."""

    def builds(kind: str) -> bool:
        def in_file(project: Project, module: Module) -> bool:
            there = FileContext.of(project, module, ctx.options)
            return any(kind_of(there, c) == kind for c in constructions(there, known.CLIENT))

        return ctx.project.anywhere((clients_stay, kind), in_file)

    return builds("own") and not builds("client")


def has_place(ctx: FileContext, call: ast.Call) -> bool:
    """Whether a poll, a runner or a `fit` takes over the interval of the client built here."""
    known_calls = ctx.project.memo.get(_MEMO)
    if not isinstance(known_calls, frozenset):
        known_calls = frozenset(_served(ctx))
        ctx.project.memo[_MEMO] = known_calls
    return call in known_calls


def _served(ctx: FileContext) -> Iterator[ast.Call]:
    for module in ctx.project.modules.values():
        for receiver in _receivers(module):
            there = ctx.beside(module)
            for built in objects(ctx).origins(module, receiver):
                tail = dotted_tail(built.call.func)
                takes = _is_fit(module, receiver) or _interval(there, receiver, built)
                if takes and tail:
                    yield built.call


def _receivers(module: Module) -> Iterator[ast.expr]:
    for call in module.table.nodes.get(ast.Call, ()):
        assert isinstance(call, ast.Call)
        tail = dotted_tail(call.func)
        if tail in _POLLS and isinstance(call.func, ast.Attribute):
            yield call.func.value
        elif tail in _RUNNERS:
            client = arguments(call, RUNNER_PARAMETERS).values.get("client")
            if client is not None:
                yield client
        elif tail in _FITS:
            yield from [*call.args, *(k.value for k in call.keywords)]


def _is_fit(module: Module, node: ast.expr) -> bool:
    around = module.parent(node)
    if isinstance(around, ast.keyword):
        around = module.parent(around)
    return isinstance(around, ast.Call) and dotted_tail(around.func) in _FITS
