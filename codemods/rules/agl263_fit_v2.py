"""AGL263: `Trainer.fit_v2`, a name from before the first release of the store API."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.instances import is_super, may_be
from codemods.legacy.trainers import CLASSES, is_trainer_method
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

OLD = "fit_v2"
TAKES = frozenset({"agent", "train_dataset", "val_dataset"})


class FitV2(Rule):
    """`trainer.fit_v2(...)` into `trainer.fit(...)`."""

    code = "AGL263"
    title = "`fit_v2` is `fit`"
    why = (
        "On the development branch before 0.2.0 the store API's `fit` was called `fit_v2`. No "
        "release has that name; code copied from that time has."
    )
    before = "trainer.fit_v2(agent, train_dataset=tasks)"
    after = "trainer.fit(agent, train_dataset=tasks)"
    applicability = "review"
    nodes = (ast.Attribute, ast.FunctionDef)
    words = frozenset({OLD})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """References to the method of trainers, and overrides of it."""
        if isinstance(node, ast.Attribute) and node.attr == OLD:
            yield from _reference(node, ctx)
        elif getattr(node, "name", "") == OLD and _of_trainer(ctx.parent(node), ctx):
            reason = "override fit instead; nothing calls this one"
            yield Hit(node, _message(), reason=reason, symbol=f"{known.TRAINER}.{OLD}")


def _message() -> str:
    return f"`Trainer.{OLD}` is `fit` in every release"


def _of_trainer(node: ast.AST | None, ctx: FileContext) -> bool:
    return isinstance(node, ast.ClassDef) and ctx.project.inference.derives(
        ProjectClass(ctx.module, node), *CLASSES
    )


def _reference(node: ast.Attribute, ctx: FileContext) -> Iterable[Hit]:
    symbol = f"{known.TRAINER}.{OLD}"
    of_super = is_super(node.value) and _of_trainer(ctx.module.enclosing(node, ast.ClassDef), ctx)
    if not of_super and not is_trainer_method(ctx, node):
        if may_be(ctx, node.value, "trainer"):
            reason = f"if `{ctx.source(node.value)}` is a Trainer, annotate it and run again"
            yield Hit(node, _message(), reason=reason, symbol=symbol)
        return
    call = ctx.parent(node)
    given = {k.arg for k in call.keywords} if isinstance(call, ast.Call) else set()
    stranger = sorted(str(name) for name in given - TAKES if name is not None)
    if stranger:
        reason = f"fit takes agent, train_dataset and val_dataset, and not {', '.join(stranger)}"
        yield Hit(node, _message(), reason=reason, symbol=symbol)
        return
    yield Hit(node, _message(), lambda rewrite: rewrite.rename(node, "fit"), symbol=symbol)
