"""AGL205: `Trainer(dev=...)` where no loader is in sight that it would choose."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.fit_calls import fit_calls
from codemods.legacy.fleets import HELPERS
from codemods.legacy.trainer_arguments import reaches
from codemods.legacy.trainers import constructions
from codemods.names import known
from codemods.names.values import External
from codemods.rule import Hit, Rule


class DevArgument(Rule):
    """`dev=` dropped where it is False, reported where it is not."""

    code = "AGL205"
    title = "Trainer argument `dev`"
    why = (
        "The flag chose a `DevTaskLoader` instead of the server. Only `fit_v0` still looks at it; "
        "a trial run is a call of `Trainer.dev` with a dataset and `initial_resources`."
    )
    before = "Trainer(dev=False, n_runners=4)"
    after = "Trainer(n_runners=4)"
    applicability = "safe"
    nodes = (ast.Call,)
    words = frozenset({"dev"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The keyword, unless the rule for loaders moves it or a helper reads it."""
        assert isinstance(node, ast.Call)
        given = next((k for k in node.keywords if k.arg == "dev"), None)
        if given is None or ctx.options.server == "legacy" or not reaches(ctx, node, "dev"):
            return
        if node in _read_later(ctx):
            return

        def fix(rewrite: Rewrite) -> None:
            rewrite.call(node).remove_keyword("dev")

        idle = isinstance(given.value, ast.Constant) and not given.value.value
        yield Hit(
            given,
            "`Trainer(dev=)` has no effect on `fit` in the store API",
            fix if idle else None,
            ""
            if idle
            else "call trainer.dev(agent, train_dataset=[...]) on a trainer with initial_resources",
            symbol=f"{known.TRAINER}(dev)",
        )


def _read_later(ctx: FileContext) -> set[ast.Call]:
    """The constructions whose flag another rewrite takes care of, or has."""
    trainers = [call.receiver for call in fit_calls(ctx) if call.plan == "dev"]
    for node in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(node, ast.Call)
        if node.args and ctx.infer(node.func) == External(f"{HELPERS}.fit_or_dev"):
            trainers.append(node.args[0])
    return {call for trainer in trainers for call in constructions(ctx, trainer)}
