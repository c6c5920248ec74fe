"""AGL215: `TrainerLegacy`, the base class that `Trainer` keeps for `fit_v0`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.generation import references
from codemods.names import known
from codemods.rule import Hit, Rule

MESSAGE = "`TrainerLegacy` is a part of `Trainer`"


class LegacyTrainer(Rule):
    """References to `TrainerLegacy` as `Trainer`."""

    code = "AGL215"
    title = "`TrainerLegacy` is used by itself"
    why = (
        "`TrainerLegacy` is a part of `Trainer`: built by itself it has no tracer, no number of "
        "workers and no `fit`. `Trainer` takes the same arguments and builds what is missing."
    )
    before = "trainer = TrainerLegacy(n_workers=2)"
    after = "trainer = Trainer(n_workers=2)"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Each read of the name; an import of it that nothing reads is reported."""
        if "TrainerLegacy" not in ctx.module.text:
            return
        used = references(ctx, known.TRAINER_LEGACY)
        for reference in used:
            yield _hit(reference)
        for statement in ctx.module.table.nodes.get(ast.ImportFrom, ()):
            assert isinstance(statement, ast.ImportFrom)
            for alias in statement.names:
                path = f"{statement.module}.{alias.name}"
                if path == known.TRAINER_LEGACY and not statement.level and not used:
                    yield _import(alias, ctx)


def _hit(reference: ast.Name | ast.Attribute) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(reference, rewrite.use("agentlightning.Trainer", reference))

    return Hit(
        reference, "`TrainerLegacy` is a part of `Trainer`", fix, symbol=known.TRAINER_LEGACY
    )


def _import(alias: ast.alias, ctx: FileContext) -> Hit:
    """An import that only other files use: the new class under the name they know."""
    name = alias.asname or alias.name

    def fix(rewrite: Rewrite) -> None:
        rewrite.imports.move(alias, f"{ctx.options.target}.Trainer", name)

    return Hit(alias, MESSAGE, fix, symbol=known.TRAINER_LEGACY)
