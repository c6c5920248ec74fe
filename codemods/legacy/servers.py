"""Legacy task servers that a project builds: what they are given, and which have to stay."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy.clients import constructions, text_at
from codemods.legacy.given import Arguments, arguments
from codemods.legacy.objects import Built, kind_of, may_be_own, objects
from codemods.names import known

SERVER_PARAMETERS = ("host", "port", "task_timeout_seconds")
# What the constructor fell back to; today's would take every address and port 4747.
DEFAULTS = {"host": '"127.0.0.1"', "port": "8000"}
TIMEOUT = "task_timeout_seconds"
HANDLES = frozenset({"loop", "startup_event"})
_MEMO = "legacy servers"


class _Servers:
    """What the files of a project do with the servers that it builds.

    `held` are constructions of which the loop, or an internal, is used; `served` and `missed`
    those whose timeout can, or cannot, be written where a task is queued.
    """

    def __init__(self) -> None:
        self.held: set[ast.Call] = set()
        self.served: set[ast.Call] = set()
        self.missed: set[ast.Call] = set()
        self.staying = 0
        self.going = 0


def server_arguments(call: ast.Call) -> Arguments:
    """What the construction of a server gives."""
    return arguments(call, SERVER_PARAMETERS)


def server_problem(ctx: FileContext, call: ast.Call) -> str:
    """Why a construction has to stay; empty if it can become a server of a store."""
    problem = server_arguments(call).problem
    if not problem and call in _servers(ctx).held:
        return "its event loop or an internal of it is used; see there"
    return problem


def server_stays(ctx: FileContext, receiver: ast.expr) -> bool:
    """Whether an object may be a server whose construction is left to a person."""
    return may_be_own(ctx, receiver) or any(
        server_problem(ctx.beside(built.module), built.call)
        for built in objects(ctx).origins(ctx.module, receiver)
    )


def class_stays(ctx: FileContext) -> bool:
    """Whether annotations have to go on naming the legacy class: every construction stays."""
    # Code in a document sees a part of the project only; the rest of it counts here.
    both = _servers(ctx), _servers(FileContext(ctx.module, ctx.project.whole, ctx.options))
    return any(found.staying for found in both) and not any(found.going for found in both)


def timeout_has_place(ctx: FileContext, call: ast.Call) -> bool:
    """Whether all that queues tasks on the server built here can be given its timeout."""
    servers = _servers(ctx)
    return call in servers.served and call not in servers.missed


def timeout_text(ctx: FileContext, receiver: ast.expr) -> str:
    """The seconds that a server waited for a task, as text that `receiver`'s place can hold."""
    built = objects(ctx).origins(ctx.module, receiver)
    texts = {_timeout(ctx, receiver, one) for one in built}
    return texts.pop() if len(texts) == 1 else ""


def is_handle(name: str) -> bool:
    """Whether a member of the server is its loop, its event or an internal."""
    return name in HANDLES or (name.startswith("_") and not name.endswith("__"))


def _timeout(ctx: FileContext, receiver: ast.expr, built: Built) -> str:
    if objects(ctx).kind(built.module, built.call) != "server":
        return ""
    value = server_arguments(built.call).values.get(TIMEOUT)
    return "" if value is None else text_at(ctx, receiver, built, value)


def _servers(ctx: FileContext) -> _Servers:
    found = ctx.project.memo.get(_MEMO)
    if not isinstance(found, _Servers):
        found = ctx.project.memo[_MEMO] = _Servers()
        if any("AgentLightningServer" in module.text for module in ctx.project.modules.values()):
            _collect(ctx, found)
    return found


def _collect(ctx: FileContext, found: _Servers) -> None:
    for module in ctx.project.modules.values():
        there = ctx.beside(module)
        for receiver in _handles(there):
            found.held.update(b.call for b in objects(ctx).origins(module, receiver))
        for receiver in _queues(there):
            for built in objects(ctx).origins(module, receiver):
                place = found.served if _timeout(there, receiver, built) else found.missed
                place.add(built.call)
    for module in ctx.project.modules.values():
        there = ctx.beside(module)
        for call in constructions(there, known.SERVER):
            own = kind_of(there, call) == "own"
            stays = own or server_arguments(call).problem or call in found.held
            found.staying += bool(stays)
            found.going += not stays


def _handles(ctx: FileContext) -> Iterator[ast.expr]:
    for name, members in ctx.module.attributes.items():
        if is_handle(name):
            yield from (m.value for m in members if kind_of(ctx, m.value) == "server")


def _queues(ctx: FileContext) -> Iterator[ast.expr]:
    for func in ctx.module.attributes.get("queue_task", ()):
        call = ctx.parent(func)
        if isinstance(call, ast.Call) and call.func is func:
            yield func.value
