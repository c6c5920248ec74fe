"""AGL256: `query_rollouts(status=, rollout_ids=)`, whose filters have other names today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.instances import may_be
from codemods.legacy.store_queries import is_store
from codemods.names import known
from codemods.rule import Hit, Rule

RENAMED = {"status": "status_in", "rollout_ids": "rollout_id_in"}


class QueryFilters(Rule):
    """`status=` into `status_in=`, `rollout_ids=` into `rollout_id_in=`."""

    code = "AGL256"
    title = "Filters of `query_rollouts` were renamed"
    why = (
        "0.3 has filters for more fields and calls these `status_in` and `rollout_id_in`; the old "
        "names warn."
    )
    before = 'await store.query_rollouts(status=["failed"])'
    after = 'await store.query_rollouts(status_in=["failed"])'
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({"query_rollouts"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The old keywords in calls of a store's method."""
        assert isinstance(node, ast.Call)
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr != "query_rollouts":
            return
        old = [k for k in node.keywords if k.arg in RENAMED]
        if not old:
            return
        store = is_store(ctx, func.value)
        for keyword in old if store or may_be(ctx, func.value, "store") else ():
            yield _hit(node, keyword, func.value, store, ctx)


def _hit(
    node: ast.Call, keyword: ast.keyword, owner: ast.expr, sure: bool, ctx: FileContext
) -> Hit:
    name = keyword.arg or ""
    new = RENAMED[name]
    message = f"`query_rollouts({name}=)` is `{new}=`"
    symbol = f"{known.STORE}.query_rollouts"
    reason = ""
    if not sure:
        asked = f"if `{ctx.source(owner)}` is a LightningStore, annotate it"
        reason = f"{asked} and run again"
    elif any(k.arg == new for k in node.keywords):
        reason = f"`{new}` is given as well; take this one out"
    if reason:
        return Hit(keyword, message, reason=reason, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        rewrite.call(node).rename_keyword(name, new)

    return Hit(keyword, message, fix, symbol=symbol)
