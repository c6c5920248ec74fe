"""AGL216: calls of today's `fit` and `dev` that never end."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.fit_calls import fit_call
from codemods.legacy.trainers import (
    NO_ALGORITHM,
    construction,
    has_algorithm,
    is_trainer_method,
    takes,
    uses,
)
from codemods.names import known
from codemods.rule import Hit, Rule


class EndlessRun(Rule):
    """`dev` without `initial_resources`, and `fit` with a dataset but without an algorithm."""

    code = "AGL216"
    title = "`fit` or `dev` would wait for ever"
    why = (
        "Without resources in the store every rollout of `Trainer.dev` stays in `preparing`; an "
        "empty `initial_resources={}` is enough. Without an algorithm nobody reads the dataset "
        "that `fit` is given, and nobody ends the run."
    )
    before = "Trainer(n_runners=1).dev(agent, train_dataset=tasks)"
    after = "Trainer(n_runners=1, initial_resources={}).dev(agent, train_dataset=tasks)"
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({"fit", "fit_v0", "dev"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Such calls on trainers whose construction is in sight."""
        assert isinstance(node, ast.Call)
        if not isinstance(node.func, ast.Attribute):
            return
        if node.func.attr == "dev" and is_trainer_method(ctx, node.func):
            yield from _trial(node, node.func, ctx)
            return
        call = fit_call(ctx, node)
        if call is None or call.plan != "today" or call.backend is None or call.built is None:
            return
        if not has_algorithm(call.built):
            message = "`fit` with a dataset but without an algorithm never ends"
            yield Hit(node, message, reason=NO_ALGORITHM, symbol=f"{known.TRAINER}.fit")


def _trial(call: ast.Call, func: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    built = construction(ctx, func.value)
    if built is None or built.open_ended:
        return
    if any(built.keyword(name) is not None for name in ("initial_resources", "algorithm", "store")):
        return
    if built.name is not None and _set_later(ctx, built.name.name):
        return
    fixable = takes(ctx, built, "initial_resources")
    if built.name is not None:
        # What another function does with the trainer before the run is not in sight.
        fixable = fixable and all(_is_own(ctx, use) for use in uses(ctx, built.name))

    def fix(rewrite: Rewrite) -> None:
        assert built is not None
        rewrite.call(built.call).set_keyword("initial_resources", "{}")

    yield Hit(
        call,
        "`dev` on a trainer without initial_resources never ends",
        fix if fixable else None,
        "" if fixable else "give initial_resources= to Trainer(...), if only {}",
        symbol=f"{known.TRAINER}.dev",
    )


def _is_own(ctx: FileContext, use: ast.Name) -> bool:
    return isinstance(ctx.parent(use), ast.Attribute)


def _set_later(ctx: FileContext, name: str) -> bool:
    for node in ctx.module.table.nodes.get(ast.Attribute, ()):
        assert isinstance(node, ast.Attribute)
        stored = node.attr == "initial_resources" and isinstance(node.ctx, ast.Store)
        if stored and isinstance(node.value, ast.Name) and node.value.id == name:
            return True
    return False
