"""AGL257: results of a store's queries that are used as lists."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import misplaced
from codemods.legacy.store_queries import is_store, query, used_as_list
from codemods.names import known
from codemods.rule import Hit, Rule

ADDS = frozenset({"add_span", "add_otel_span"})


class QueryResults(Rule):
    """`list(...)` around the query, where something is done to its result that needs a list."""

    code = "AGL257"
    title = "Results of a store's queries are no lists"
    why = (
        "Since 0.3 `query_rollouts`, `query_attempts` and `query_spans` give a `PaginatedResult`, "
        "a sequence that cannot be added, changed, compared with a list or given to json. "
        "`add_span` and `add_otel_span` give None for a span that the store has already."
    )
    before = "spans = await store.query_spans(rollout_id)\nspans.sort(key=by_time)"
    after = "spans = list(await store.query_spans(rollout_id))\nspans.sort(key=by_time)"
    applicability = "review"
    nodes = (ast.Await,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Awaited queries by what is done with the result."""
        assert isinstance(node, ast.Await)
        call = query(ctx, node)
        use = "" if call is None else used_as_list(ctx, node)
        if call is not None and use:
            name = getattr(call.func, "attr", "")
            message = f"what `{name}` gives is no list since 0.3, and `{use}` needs one"
            reason = misplaced(ctx, node)
            fix = None if reason else lambda rewrite: _wrap(rewrite, node)
            yield Hit(node, message, fix, reason, symbol=f"{known.STORE}.{name}")
        added = _added(node, ctx)
        if added:
            message = f"`{added}` gives None for a span that the store has already"
            reason = "say what happens then"
            yield Hit(node, message, reason=reason, symbol=f"{known.STORE}.{added}")


def _wrap(rewrite: Rewrite, node: ast.Await) -> None:
    rewrite.wrap(node, "list(", ")")


def _added(node: ast.Await, ctx: FileContext) -> str:
    """The method that adds a span, if a member of what it gives is used right there."""
    call = node.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    used = isinstance(ctx.parent(node), ast.Attribute)
    name = call.func.attr
    return name if used and name in ADDS and is_store(ctx, call.func.value) else ""
