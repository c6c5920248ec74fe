"""AGL245: `AgentLightningServer`, which is the server of a store today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.servers import (
    DEFAULTS,
    TIMEOUT,
    class_stays,
    server_arguments,
    server_problem,
    timeout_has_place,
)
from codemods.legacy.swaps import (
    Reference,
    class_references,
    constructs,
    is_base,
    put_class,
    quoted,
    text_for,
)
from codemods.names import known
from codemods.rule import Hit, Rule

STORE_SERVER = "agentlightning.LightningStoreServer"
STORE = "agentlightning.InMemoryLightningStore"
MESSAGE = "the server of a store is a `LightningStoreServer`"
# The old server handed a task out again after 300 seconds, unless it was told another time.
ONCE = f"{MESSAGE}; a task that a runner loses is handed out again only with a RolloutConfig"


class Server(Rule):
    """Constructions, annotations and type tests of the legacy server."""

    code = "AGL245"
    title = "Legacy server"
    why = (
        "Tasks, resources and results are in a store, and a `LightningStoreServer` answers for "
        "it. Host and port were optional; today they fall back to other values, so they are "
        "written out. How long a task may take is said where it is queued."
    )
    before = 'server = AgentLightningServer(host="0.0.0.0", port=9999)'
    after = (
        "server = LightningStoreServer(\n"
        '    InMemoryLightningStore(thread_safe=True), host="0.0.0.0", port=9999\n'
        ")"
    )
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every reference to the class but the bases of the project's own classes."""
        legacy = ctx.options.server == "legacy"
        for reference, path in class_references(ctx, known.SERVER):
            if is_base(ctx, reference):
                continue
            call = constructs(ctx, reference)
            if legacy and call is not None:
                reason = "it stays as long as its clients are; run again with --server store then"
                message = "the legacy server is deprecated in 0.3.0 and gone in 1.0"
                yield Hit(call, message, reason=reason, symbol=path)
            elif legacy:
                continue
            elif call is not None:
                yield from _construction(reference, call, ctx)
            else:
                yield _named(reference, path, ctx)
        if not legacy and not class_stays(ctx):
            for constant, name, at in quoted(ctx, known.SERVER):
                yield _quoted(constant, name, at)


def _construction(reference: Reference, call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    problem = server_problem(ctx, call)
    if problem:
        yield Hit(call, MESSAGE, reason=problem, symbol=known.SERVER)
        return
    given = server_arguments(call)
    timeout = given.values.get(TIMEOUT)

    def fix(rewrite: Rewrite) -> None:
        put_class(rewrite, reference, STORE_SERVER)
        given.drop(rewrite, TIMEOUT)
        edit = rewrite.call(call)
        edit.add_positional(f"{rewrite.use(STORE, call)}(thread_safe=True)", 0)
        for name, default in DEFAULTS.items():
            if name not in given.values:
                edit.set_keyword(name, default)

    yield Hit(call, ONCE if timeout is None else MESSAGE, fix, symbol=known.SERVER)
    if timeout is not None and not timeout_has_place(ctx, call):
        yield Hit(
            timeout,
            "not everything that queues tasks on this server was found, or can read this value",
            reason="give config=RolloutConfig(timeout_seconds=..., max_attempts=..., "
            'retry_condition=["timeout"]) to enqueue_rollout there',
            symbol=f"{known.SERVER}({TIMEOUT})",
        )


def _named(reference: Reference, path: str, ctx: FileContext) -> Hit:
    if class_stays(ctx):
        reason = "the server is not rewritten where it is built; see there"
        return Hit(reference, MESSAGE, reason=reason, symbol=path)
    return Hit(
        reference, MESSAGE, lambda rewrite: put_class(rewrite, reference, STORE_SERVER), symbol=path
    )


def _quoted(constant: ast.Constant, name: str, at: int) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        text = text_for(rewrite, constant, name, STORE_SERVER)
        rewrite.replace_span(at, at + len(name), text)

    return Hit(constant, MESSAGE, fix, symbol=known.SERVER)
