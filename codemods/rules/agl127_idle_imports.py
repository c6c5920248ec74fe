"""AGL127: legacy names that are imported and not used."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.idle import idle_import, purpose
from codemods.rule import Hit, Rule


class IdleImports(Rule):
    """Imports whose only trouble is that they import something on its way out, taken out."""

    code = "AGL127"
    title = "Legacy name is imported and never used"
    why = (
        "An import fails when its name is gone, whether anything uses the name or not. Where "
        "nothing does, taking the name out of the import is all there is to do."
    )
    before = "from agentlightning import AgentLightningClient, LitAgent"
    after = "from agentlightning import LitAgent"
    applicability = "safe"
    nodes = (ast.ImportFrom,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Names that neither the file nor a file that imports it reads."""
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            row = idle_import(node, alias, ctx)
            if row is None:
                continue
            message = f"`{row.name}` is imported and never used"
            if reason := purpose(node, alias, ctx):
                reason = f"{reason}: take it out, or use what 0.3.0 has in its place"
                yield Hit(alias, message, reason=reason, symbol=row.path)
            else:
                yield _hit(alias, message, row.path)


def _hit(alias: ast.alias, message: str, symbol: str) -> Hit:
    return Hit(alias, message, lambda rewrite: rewrite.imports.drop(alias), symbol=symbol)
