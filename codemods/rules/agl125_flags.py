"""AGL125: flags of `lightning_cli` in scripts and documents."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.rule import Hit, Rule


class Flags(Rule):
    """Flags that `lightning_cli` made of parameters with other names; formats finds them."""

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
    nodes = ()

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Nothing: this is about files that are no Python."""
        return ()
