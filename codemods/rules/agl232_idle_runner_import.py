"""AGL232: imports of `AgentRunner` that nothing uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.names.used import used_names
from codemods.rule import Hit, Rule


class IdleRunnerImport(Rule):
    """`AgentRunner` imported for others, or for nothing."""

    code = "AGL232"
    title = "Import of a runner that is gone"
    why = (
        "`AgentRunner` can be imported from no release since 0.2, so that an import of it fails "
        "although nothing uses the name. For other modules that import it from here, "
        "`LegacyAgentRunner` is the same class under its later name."
    )
    before = "from agentlightning.runner import AgentRunner"
    after = "from agentlightning import LegacyAgentRunner as AgentRunner"
    applicability = "safe"
    nodes = (ast.ImportFrom,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Imported names that the file does not read."""
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            local = alias.asname or alias.name
            path = f"{node.module}.{alias.name}"
            canonical = "" if node.level else ctx.project.canonical(path)
            exported = ctx.project.exported(ctx.module)
            if canonical == known.AGENT_RUNNER:
                if local not in used_names(ctx.module.table) - exported:
                    yield _idle(alias, local, path, ctx)
            elif canonical == known.LEGACY_RUNNER and local in exported and _goes(ctx):
                yield Hit(
                    alias,
                    "`LegacyAgentRunner` is deprecated and gone in 1.0",
                    reason="take the import out when nothing imports the name from here any more",
                    applicability="manual",
                    symbol=canonical,
                )


def _idle(alias: ast.alias, local: str, path: str, ctx: FileContext) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        if local in ctx.project.exported(ctx.module):
            target = f"{ctx.options.target}.LegacyAgentRunner"
            rewrite.imports.move(alias, target, local)
        else:
            rewrite.imports.drop(alias)

    return Hit(alias, f"`{path}` is gone since 0.2", fix, symbol=known.AGENT_RUNNER)


def _goes(ctx: FileContext) -> bool:
    return ctx.options.server == "store"
