"""AGL203: attributes of a trainer that are called otherwise, or mean something else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.trainers import CLASSES, construction, is_trainer_method, steady
from codemods.names import known
from codemods.rule import Hit, Rule

RENAMED = {"n_workers": "n_runners", "max_tasks": "max_rollouts", "triplet_exporter": "adapter"}
_CONDITIONS = (ast.If, ast.IfExp, ast.While, ast.Assert, ast.BoolOp, ast.UnaryOp, ast.Compare)


class TrainerAttributes(Rule):
    """`trainer.n_workers`, `.max_tasks`, `.triplet_exporter`, `.daemon` and the flag `.dev`."""

    code = "AGL203"
    title = "Trainer attribute was renamed or changed"
    why = (
        "The attributes follow the renamed arguments. What is assigned after construction comes "
        "too late: strategy and runner are built by then. `trainer.dev` is a method today, so as "
        "a condition it is always true."
    )
    before = "print(trainer.n_workers, trainer.triplet_exporter.agent_match)"
    after = "print(trainer.n_runners, trainer.adapter.agent_match)"
    applicability = "safe"
    nodes = (ast.Attribute,)
    words = frozenset({*RENAMED, "daemon", "dev"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Reads and assignments of these attributes, on trainers."""
        assert isinstance(node, ast.Attribute)
        if node.attr in RENAMED or node.attr in ("daemon", "dev"):
            if not _belongs_to_trainer(node, ctx):
                return
            if node.attr == "dev":
                yield from _flag(node, ctx)
            elif isinstance(node.ctx, ast.Load) or node.attr == "triplet_exporter":
                yield _read(node)
            elif ctx.options.server == "store":
                yield _assigned(node)


def _belongs_to_trainer(node: ast.Attribute, ctx: FileContext) -> bool:
    if node.attr == "triplet_exporter":
        return ctx.is_instance(node.value, *CLASSES)
    return is_trainer_method(ctx, node)


def _read(node: ast.Attribute) -> Hit:
    symbol = f"{known.TRAINER}.{node.attr}"
    if node.attr == "daemon":
        reason = "runners of a strategy end with it; take the use out"
        return Hit(
            node, "`trainer.daemon` only means something to fit_v0", None, reason, None, symbol
        )
    new = RENAMED[node.attr]

    def fix(rewrite: Rewrite) -> None:
        rewrite.rename(node, new)

    return Hit(
        node, f"`trainer.{node.attr}` is `trainer.{new}` in the store API", fix, symbol=symbol
    )


def _assigned(node: ast.Attribute) -> Hit:
    new = RENAMED.get(node.attr)
    reason = "take it out" if new is None else f"give `{new}=` to Trainer(...) instead"
    return Hit(
        node,
        f"setting `trainer.{node.attr}` has no effect once the trainer is built",
        reason=reason,
        symbol=f"{known.TRAINER}.{node.attr}",
    )


def _flag(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    """`trainer.dev` used as the flag that it was; calls and other uses mean today's method."""
    parent = ctx.parent(node)
    stored = not isinstance(node.ctx, ast.Load)
    tested = isinstance(parent, _CONDITIONS) and not (
        isinstance(parent, ast.IfExp) and node is not parent.test
    )
    if not stored and not tested:
        if not isinstance(parent, ast.Call | ast.keyword | ast.Attribute | ast.IfExp):
            reason = "if the flag of 0.1 is meant, keep it in a variable of your own"
            message = "`trainer.dev` is a method in the store API"
            yield Hit(node, message, reason=reason, symbol=f"{known.TRAINER}.dev")
        return
    built = construction(ctx, node.value)
    flag = (
        None if built is None or built.open_ended else built.keyword("dev") or ast.Constant(False)
    )
    message = "`trainer.dev` is a method in the store API, and always true"
    if stored or built is None or flag is None:
        reason = "keep the flag in a variable of your own"
        yield Hit(node, message, reason=reason, symbol=f"{known.TRAINER}.dev")
        return
    text = _flag_text(ctx, built.keyword("dev") or ast.Constant(False), node)
    if not text:
        reason = "what was given as dev= has changed by here; keep it in a variable"
        yield Hit(node, message, reason=reason, symbol=f"{known.TRAINER}.dev")
        return

    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(node, text)

    yield Hit(node, message, fix, applicability="review", symbol=f"{known.TRAINER}.dev")


def _flag_text(ctx: FileContext, flag: ast.expr, place: ast.AST) -> str:
    if isinstance(flag, ast.Constant):
        return str(bool(flag.value))
    if not steady(ctx, flag, place):
        return ""
    atom = isinstance(flag, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return ctx.source(flag) if atom else f"({ctx.source(flag)})"
