"""AGL218: `DevTaskLoader` imported and never used."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.idle import is_idle, purpose
from codemods.names import known
from codemods.rule import Hit, Rule


class IdleImport(Rule):
    """The import taken out: the class is on its way out, and the file does without it."""

    code = "AGL218"
    title = "DevTaskLoader is imported and never used"
    why = (
        "Many agents were started from a template that imports the loader. `DevTaskLoader` is "
        "gone in 1.0, where an import of it fails even if nothing uses the name."
    )
    before = "from agentlightning import DevTaskLoader, LitAgent"
    after = "from agentlightning import LitAgent"
    applicability = "safe"
    nodes = (ast.ImportFrom,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Imports of the loader whose name nothing in the file, and no other file, reads."""
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            if alias.name == "DevTaskLoader" and not node.level:
                path = ctx.project.canonical(f"{node.module}.{alias.name}")
                if path == known.DEV_LOADER and is_idle(alias, ctx):
                    yield _hit(alias, purpose(node, alias, ctx))


def _hit(alias: ast.alias, reason: str) -> Hit:
    message = "`DevTaskLoader` is imported and never used"

    def fix(rewrite: Rewrite) -> None:
        rewrite.imports.drop(alias)

    if reason:
        return Hit(alias, message, reason=f"{reason}: take it out", symbol=known.DEV_LOADER)
    return Hit(alias, message, fix, symbol=known.DEV_LOADER)
