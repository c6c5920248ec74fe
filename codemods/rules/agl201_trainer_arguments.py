"""AGL201: arguments of `Trainer(...)` that have another name today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.trainer_arguments import (
    DictKey,
    built_class,
    dict_keys,
    from_parameter,
    reaches,
    spread,
)
from codemods.names import known
from codemods.rule import Fix, Hit, Rule

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
    words = frozenset({*RENAMED, "**"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Old keywords in a construction of Trainer or a class derived from it."""
        assert isinstance(node, ast.Call)
        given = {k.arg for k in node.keywords}
        if not given & {*RENAMED, None} or built_class(ctx, node) is None:
            return
        for keyword in node.keywords:
            new = RENAMED.get(keyword.arg or "")
            if new is not None and reaches(ctx, node, keyword.arg or ""):
                yield _hit(node, keyword, new, twice=new in given)
        if None in given:
            yield from _spread(node, ctx)


def _hit(call: ast.Call, keyword: ast.keyword, new: str, twice: bool) -> Hit:
    old = keyword.arg
    assert old is not None

    def fix(rewrite: Rewrite) -> None:
        edit = rewrite.call(call)
        if twice:
            edit.remove_keyword(old)
        else:
            edit.rename_keyword(old, new)

    return Hit(keyword, _message(old, new), fix, symbol=f"{known.TRAINER}({old})")


def _message(old: str, new: str) -> str:
    return f"`Trainer({old}=)` is `{new}=` in the store API"


def _spread(call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    """The keys of `**` dicts: renamed where the dict is for trainers only."""
    keys = [*dict_keys(ctx, call)]
    names = {key.name for _, _, key in keys} | {k.arg for k in call.keywords}
    for _, state, key in keys:
        new = RENAMED.get(key.name)
        if new is None or not reaches(ctx, call, key.name):
            continue
        reason = ""
        if state != "own":
            reason = "the dict is used for other things as well; rename the key where that is right"
        elif new in names:
            reason = f"`{new}` is given as well; take the old key out"
        fix = None if reason else _rename_key(ctx, key, new)
        yield Hit(
            key.node,
            _message(key.name, new),
            fix,
            reason,
            symbol=f"{known.TRAINER}({key.name})",
        )
    if not any(old in ctx.module.text for old in RENAMED):
        return  # nothing says that the file is of the legacy API
    for keyword in call.keywords:
        hidden = keyword.arg is None and spread(ctx, keyword.value)[0] == "unknown"
        if hidden and not from_parameter(ctx, keyword.value):
            yield Hit(
                keyword,
                f"what `**{ctx.source(keyword.value)}` gives to Trainer cannot be seen",
                reason="rename n_workers, max_tasks and triplet_exporter, where it is filled",
                symbol=known.TRAINER,
            )


def _rename_key(ctx: FileContext, key: DictKey, new: str) -> Fix:
    def fix(rewrite: Rewrite) -> None:
        if key.inside is not None:
            rewrite.call(key.inside).rename_keyword(key.name, new)
        else:
            quote = ctx.source(key.node)[-1]
            rewrite.replace(key.node, f"{quote}{new}{quote}")

    return fix
