"""AGL126: modules of agentlightning that are run as programs."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.command_lines import MODULE, module_command
from codemods.legacy.dotted import PATH
from codemods.rule import Hit, Rule


class ModuleCommands(Rule):
    """`python -m` with a module that is gone or does another thing; formats has other files."""

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
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Commands in strings, and modules that stand behind a `"-m"` in a list."""
        for constant in literals.strings(ctx):
            text = str(constant.value)
            paths = [found["path"] for found in MODULE.finditer(text)]
            if PATH.fullmatch(text) and literals.serves_run(constant, ctx):
                paths.append(text)
            for path in paths:
                advice = module_command(path, ctx.options.server)
                if advice is not None:
                    yield Hit(constant, advice.message, None, advice.reason, symbol=advice.symbol)
