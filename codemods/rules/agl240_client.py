"""AGL240: `AgentLightningClient`, which is a client of the store today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.clients import client_arguments, clients_stay, has_place
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

STORE_CLIENT = "agentlightning.LightningStoreClient"


class Client(Rule):
    """Constructions, annotations and type tests of the legacy client."""

    code = "AGL240"
    title = "Legacy client"
    why = (
        "The store server answers other requests than the server of 0.1, so work is claimed and "
        "reported through a `LightningStoreClient`. It does not poll by itself: the interval is "
        "an argument of what does."
    )
    before = "client = AgentLightningClient(endpoint=url, poll_interval=1.0, timeout=20)"
    after = "client = LightningStoreClient(url, request_timeout=20)"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every reference to the class but the bases of the project's own classes."""
        for reference, path in class_references(ctx, known.CLIENT):
            if is_base(ctx, reference):
                continue
            call = constructs(ctx, reference)
            if ctx.options.server == "legacy":
                if call is not None:
                    yield _stays(call)
            elif call is not None:
                yield from _construction(reference, call, ctx)
            else:
                yield _named(reference, path, ctx)
        if ctx.options.server == "store" and not clients_stay(ctx):
            for constant, name, at in quoted(ctx, known.CLIENT):
                yield _quoted(constant, name, at)


def _stays(call: ast.Call) -> Hit:
    return Hit(
        call,
        "the legacy client is deprecated in 0.3.0 and gone in 1.0",
        reason="it stays as long as the old server does; run again with --server store then",
        symbol=known.CLIENT,
    )


def _construction(reference: Reference, call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    given = client_arguments(call)
    message = "the client of a store server is a `LightningStoreClient`"
    if given.problem or "endpoint" not in given.values:
        reason = given.problem or "it is given no address"
        yield Hit(call, message, reason=reason, symbol=known.CLIENT)
        return

    def fix(rewrite: Rewrite) -> None:
        put_class(rewrite, reference, STORE_CLIENT)
        given.rename(rewrite, timeout="request_timeout")
        given.drop(rewrite, "poll_interval")
        edit = rewrite.call(call).unname_first("endpoint")
        edit.rename_keyword("endpoint", "server_address")

    yield Hit(call, message, fix, symbol=known.CLIENT)
    interval = given.values.get("poll_interval")
    if interval is not None and not has_place(ctx, call):
        yield Hit(
            interval,
            "what polls with this client was not found",
            reason=f"poll_interval={ctx.source(interval)} goes to poll_rollout, or LitAgentRunner",
            symbol=f"{known.CLIENT}(poll_interval)",
        )


def _named(reference: Reference, path: str, ctx: FileContext) -> Hit:
    message = "the client of a store server is a `LightningStoreClient`"
    if clients_stay(ctx):
        reason = "the clients of this project are of a class of its own; see there"
        return Hit(reference, message, reason=reason, symbol=path)
    return Hit(
        reference, message, lambda rewrite: put_class(rewrite, reference, STORE_CLIENT), symbol=path
    )


def _quoted(constant: ast.Constant, name: str, at: int) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        text = text_for(rewrite, constant, name, STORE_CLIENT)
        rewrite.replace_span(at, at + len(name), text)

    message = "the client of a store server is a `LightningStoreClient`"
    return Hit(constant, message, fix, symbol=known.CLIENT)
