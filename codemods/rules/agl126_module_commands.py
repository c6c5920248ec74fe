"""AGL126: modules of agentlightning that are run as programs."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.rule import Hit, Rule


class ModuleCommands(Rule):
    """`python -m` with a module that is gone or does another thing; formats finds them."""

    code = "AGL126"
    title = "Command runs a module of the legacy API"
    why = (
        "`python -m agentlightning.verl` still starts the server of 0.1, which agents of the "
        "store API do not ask for tasks: either they stay with `fit_v0` (`--server legacy`), or "
        "its settings move to `Trainer(algorithm=VERL(...))`. The AgentOps server is gone."
    )
    before = "python -m agentlightning.verl agentlightning.port=9999 data.train_batch_size=8"
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = ()

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Nothing: this is about files that are no Python."""
        return ()
