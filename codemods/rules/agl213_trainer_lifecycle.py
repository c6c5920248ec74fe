"""AGL213: calls that ran a trainer's life by hand, and tests for what a backend is."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.trainers import CLASSES, is_trainer_method
from codemods.names import known
from codemods.rule import Hit, Rule

ADVICE = {
    "init": "an execution strategy opens and closes everything; build a Trainer and call fit",
    "teardown": "an execution strategy opens and closes everything; take the call out",
    "client": "there is no client: use trainer.store, or LightningStoreClient(url)",
}


class TrainerLifecycle(Rule):
    """`trainer.init`, `.teardown`, `.client()`, `.kill_orphaned_processes()` and backend checks."""

    code = "AGL213"
    title = "Trainer driven by hand"
    why = (
        "These methods still exist, but serve `fit_v0` only: `client()` raises unless it ran, "
        "`kill_orphaned_processes` looks for process titles that no strategy gives."
    )
    before = "Trainer.kill_orphaned_processes()"
    after = "(taken out; what has no counterpart is reported)"
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({*ADVICE, "kill_orphaned_processes", "isinstance"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls of these methods on trainers; `isinstance` with a client among the classes."""
        assert isinstance(node, ast.Call)
        if isinstance(node.func, ast.Attribute):
            yield from _method(node, node.func, ctx)
        elif isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            yield from _backend_check(node, ctx)


def _method(call: ast.Call, func: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    if func.attr == "kill_orphaned_processes":
        if is_trainer_method(ctx, func) or ctx.is_class(func.value, *CLASSES):
            yield _orphans(call, ctx)
    elif func.attr in ADVICE and is_trainer_method(ctx, func):
        yield Hit(
            call,
            f"`trainer.{func.attr}()` only serves fit_v0",
            reason=ADVICE[func.attr],
            symbol=f"{known.TRAINER}.{func.attr}",
        )


def _orphans(call: ast.Call, ctx: FileContext) -> Hit:
    statement = ctx.parent(call)
    alone = isinstance(statement, ast.Expr)

    def fix(rewrite: Rewrite) -> None:
        assert isinstance(statement, ast.Expr)
        rewrite.remove(statement)

    return Hit(
        call,
        "`kill_orphaned_processes` finds no process of the store API; runners end with `fit`",
        fix if alone else None,
        "" if alone else "its result is used; take the call out",
        symbol=f"{known.TRAINER}.kill_orphaned_processes",
    )


def _backend_check(call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    """`isinstance(backend, (str, AgentLightningClient))`."""
    if len(call.args) != 2 or not isinstance(call.args[1], ast.Tuple):
        return
    classes = call.args[1].elts
    text = any(isinstance(c, ast.Name) and c.id == "str" for c in classes)
    if text and any(ctx.is_class(c, known.CLIENT) for c in classes):
        yield Hit(
            call,
            "`fit` takes neither addresses nor clients in the store API",
            reason="keep the address apart: it belongs to the strategy of the trainer",
            symbol=known.CLIENT,
        )
