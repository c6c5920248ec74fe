"""AGL201: arguments of `Trainer(...)` that have another name today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.rule import Hit, Rule

RENAMED = {
    "n_workers": "n_runners",
    "max_tasks": "max_rollouts",
    "triplet_exporter": "adapter",
}


class TrainerArguments(Rule):
    """`n_workers`, `max_tasks` and `triplet_exporter` under their new names."""

    code = "AGL201"
    title = "Trainer argument was renamed"
    why = (
        "The store API runs runners that claim rollouts, so `n_workers` is `n_runners` and "
        "`max_tasks` is `max_rollouts`; what turns spans into triplets is an adapter. The old "
        "names warn in 0.3.0."
    )
    before = "trainer = Trainer(n_workers=8, max_tasks=10)"
    after = "trainer = Trainer(n_runners=8, max_rollouts=10)"
    applicability = "review"
    nodes = (ast.Call,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Old keywords in a construction of Trainer or a class derived from it."""
        assert isinstance(node, ast.Call)
        given = {k.arg for k in node.keywords}
        if not given & RENAMED.keys() or not ctx.is_class(node.func, known.TRAINER):
            return
        for keyword in node.keywords:
            new = RENAMED.get(keyword.arg or "")
            if new is not None:
                yield _hit(node, keyword, new, twice=new in given)


def _hit(call: ast.Call, keyword: ast.keyword, new: str, twice: bool) -> Hit:
    old = keyword.arg
    assert old is not None

    def fix(rewrite: Rewrite) -> None:
        edit = rewrite.call(call)
        if twice:
            edit.remove_keyword(old)
        else:
            edit.rename_keyword(old, new)

    return Hit(
        keyword,
        f"`Trainer({old}=)` is `{new}=` in the store API",
        fix,
        symbol=f"{known.TRAINER}({old})",
    )
