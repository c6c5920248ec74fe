"""AGL125: flags of `lightning_cli` in scripts, documents and lists of arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import partial

from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.command_lines import FLAG, flag
from codemods.rule import Hit, Rule


class Flags(Rule):
    """Flags that `lightning_cli` made of parameters; formats finds them outside of Python."""

    code = "AGL125"
    title = "Command line flag was renamed"
    why = (
        "`lightning_cli` makes its flags of the parameters of Trainer, so `n_workers` and "
        "`max_tasks` stand in scripts, Makefiles, CI files and documents as well. `dev`, `daemon` "
        "and `trained_agents` have no effect on `fit` in the store API."
    )
    before = "python train.py --trainer.n-workers 16 --trainer.max-tasks 2"
    after = "python train.py --trainer.n-runners 16 --trainer.max-rollouts 2"
    applicability = "safe"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Flags in the strings of a file: what a test or a launcher gives to a script."""
        for constant in literals.strings(ctx, "--"):
            for found in FLAG.finditer(str(constant.value)):
                advice = flag(found["section"], found["name"])
                if advice is None or (advice.new is None and ctx.options.server == "legacy"):
                    continue
                new, reason = advice.new, advice.reason
                if new is not None and literals.spot(constant, found[0], ctx) is None:
                    new, reason = None, f"write {new}"
                fix = new and partial(
                    literals.respell, node=constant, old=found[0], new=new, ctx=ctx
                )
                yield Hit(constant, advice.message, fix or None, reason, symbol=advice.symbol)
