"""AGL247: a legacy server in a thread, its loop and internals, subclasses, `ServerDataStore`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.objects import kind_of
from codemods.legacy.servers import is_handle
from codemods.legacy.swaps import class_references, is_base
from codemods.legacy.threads import is_thread_work
from codemods.names import known
from codemods.rule import Hit, Rule

_HANDLES = {
    "loop": "await the store's methods, or wait() for them: a store with thread_safe=True may be "
    "called from any thread and loop",
    "startup_event": "`await server.start()` returns when the server answers",
    "_store": "keep the store that you give to LightningStoreServer in a variable",
    "_app": "a LightningStoreServer has its FastAPI application as `.app`",
}
_STARTS = frozenset({"run_forever", "start"})
_INTERNAL = "it is an internal of the old server; the store's methods are public"


class ServerInternals(Rule):
    """What scripts did to run the server beside other work, or to look into it."""

    code = "AGL247"
    title = "Legacy server in a thread, or its internals"
    why = (
        "The old server lived in the event loop that started it, so other threads had to go "
        "through that loop. A `LightningStoreServer` starts a thread of its own, and its store "
        "may be called from everywhere; what was done with the loop has to be taken apart by hand."
    )
    before = (
        "threading.Thread(target=lambda: asyncio.run(server.run_forever()), daemon=True).start()\n"
        "server.startup_event.wait()\n"
        "future = asyncio.run_coroutine_threadsafe(server.queue_task(sample), server.loop)"
    )
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Members of servers that have no counterpart; classes made from the server's."""
        if ctx.options.server == "legacy":
            return
        yield from _classes(ctx)
        for name, found in ctx.module.attributes.items():
            if is_handle(name) or name in _STARTS:
                for member in found:
                    yield from _member(member, ctx)


def _member(node: ast.Attribute, ctx: FileContext) -> Iterable[Hit]:
    """One member of what may be a server."""
    if is_handle(node.attr) and kind_of(ctx, node.value) == "server":
        reason = _HANDLES.get(node.attr, _INTERNAL)
        yield _hit(node, f"`{node.attr}` of the legacy server", reason, node.attr)
    elif node.attr in _STARTS and _in_thread(node, ctx):
        message = "a `LightningStoreServer` runs in a thread of its own"
        yield _hit(node, message, "`await server.start()`; no other thread is needed", node.attr)


def _hit(node: ast.AST, message: str, reason: str, name: str) -> Hit:
    return Hit(node, message, reason=reason, symbol=f"{known.SERVER}.{name}")


def _in_thread(node: ast.Attribute, ctx: FileContext) -> bool:
    return kind_of(ctx, node.value) == "server" and is_thread_work(ctx, node)


def _classes(ctx: FileContext) -> Iterator[Hit]:
    for reference, path in class_references(ctx, known.SERVER, known.SERVER_DATA_STORE):
        if path == known.SERVER_DATA_STORE:
            message = "`ServerDataStore` is the store of the legacy server"
            yield Hit(reference, message, reason="use an InMemoryLightningStore", symbol=path)
        elif is_base(ctx, reference):
            message = "a class made from the legacy server"
            reason = (
                "put what it adds around a LightningStoreServer, or into a LightningStore that "
                "you give to one"
            )
            yield Hit(reference, message, reason=reason, symbol=path)
