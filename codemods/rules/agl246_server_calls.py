"""AGL246: queueing tasks, publishing resources and collecting results on the legacy server."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.awaiting import misplaced
from codemods.legacy.objects import asking, is_today, is_unknown, kind_of
from codemods.legacy.queued import HELPER, OF_STORE, by_helper, call_problem, use_store
from codemods.legacy.servers import server_stays
from codemods.names import known
from codemods.names.values import External, Instance
from codemods.rule import Hit, Rule

# Stores have a method of this name as well: only the receiver tells.
TELLING = HELPER.keys() - {"update_resources"}
RESULTS = TELLING - {"queue_task"}


class ServerCalls(Rule):
    """`queue_task`, `update_resources` and the calls that fetch what is finished."""

    code = "AGL246"
    title = "Call of the legacy server"
    why = (
        "A store returns objects where the server returned ids, and rollouts with spans where it "
        "returned reports. Its `update_resources` is another operation, and the fourth argument "
        "of `enqueue_rollout` is not the metadata. What is finished is never taken out of a "
        "store, so helpers wait for it and remember what they gave."
    )
    before = (
        'rollout_id = await server.queue_task(sample, "train", resources_id, metadata)\n'
        "rollout = await server.poll_completed_rollout(rollout_id, timeout=60)"
    )
    after = (
        "rollout_id = (\n"
        '    await server.enqueue_rollout(sample, "train", resources_id, metadata=metadata)\n'
        ").rollout_id\n"
        "rollout = await wait_completed(server, rollout_id, timeout=60)"
    )
    applicability = "shim"
    nodes = (ast.Attribute,)
    words = frozenset({*HELPER, "trace"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """These members of servers; those that no other library has, on what nobody knows, too."""
        assert isinstance(node, ast.Attribute)
        if ctx.options.server == "legacy":
            return
        if node.attr == "trace":
            yield from _trace(node, ctx)
        if node.attr not in HELPER:
            return
        if kind_of(ctx, node.value) == "server":
            parent = ctx.parent(node)
            if isinstance(parent, ast.Call) and parent.func is node:
                yield _call(node, parent, ctx)
            else:
                yield _left(node, f"hand on functools.partial({HELPER[node.attr]}, server) instead")
        elif ctx.is_instance(node.value, known.SERVER):
            yield _left(node, "the server is of a class of the project's own; see there")
        elif node.attr in TELLING and is_today(ctx, node.value, "LightningStoreServer"):
            yield _left(node, f"a store has no such method; {HELPER[node.attr]}() does what it did")
        elif node.attr in TELLING and is_unknown(ctx, node.value):
            yield _left(node, asking(ctx, node.value, "server"))


def _left(node: ast.Attribute, reason: str) -> Hit:
    message = f"`{node.attr}` of the legacy server"
    return Hit(node, message, reason=reason, symbol=f"{known.SERVER}.{node.attr}")


def _call(node: ast.Attribute, call: ast.Call, ctx: FileContext) -> Hit:
    name = node.attr
    if server_stays(ctx, node.value):
        return _left(node, "the server is not rewritten where it is built; see there")
    problem = misplaced(ctx, call) or call_problem(call, name)
    if problem:
        return _left(node, problem)
    helped = by_helper(ctx, call, name)
    today = HELPER[name] if helped else OF_STORE[name][0]
    message = f"`{name}` is {'the helper' if helped else 'the method'} `{today}` on a store"
    return Hit(
        call,
        message,
        lambda rewrite: use_store(rewrite, ctx, call, name),
        applicability=None if helped else "review",
        symbol=f"{known.SERVER}.{name}",
    )


def _trace(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    """The spans of a result: those of a store are written in another way."""
    if not any(name in ctx.module.text for name in RESULTS):
        return
    result = ctx.infer(node.value)
    if (
        isinstance(result, Instance)
        and result.call is None
        and result.of == External(known.ROLLOUT)
    ):
        yield Hit(
            node,
            "the spans of a finished rollout have other fields than OpenTelemetry's JSON",
            reason="look at what is read of them: times are seconds, ids have no 0x",
            symbol=f"{known.ROLLOUT}.trace",
        )
