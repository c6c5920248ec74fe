"""AGL102: `from agentlightning import reward` gives a module today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.idle import is_idle, purpose
from codemods.rule import Hit, Rule

NEW_HOME = "agentlightning.emitter.reward"


class RewardImport(Rule):
    """The decorator `reward` from the module where it still is one."""

    code = "AGL102"
    title = "`reward` imported from where it is no decorator any more"
    why = (
        "Since 0.2, `from agentlightning import reward` succeeds but binds the submodule of that "
        "name, and `@reward` then fails with \"'module' object is not callable\". The module "
        "`agentlightning.reward` itself warns when imported."
    )
    before = "from agentlightning import reward"
    after = "from agentlightning.emitter import reward"
    applicability = "safe"
    nodes = (ast.ImportFrom,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The decorator imported from the package, or from the module that warns."""
        assert isinstance(node, ast.ImportFrom)
        if node.level or node.module not in ("agentlightning", "agentlightning.reward"):
            return
        for alias in node.names:
            path = f"{node.module}.reward"
            if alias.name != "reward" or _used_as_module(alias, ctx):
                continue
            if is_idle(alias, ctx) and not purpose(node, alias, ctx):
                yield _unread(alias, path)
            else:
                yield _hit(alias, path, ctx)


def _used_as_module(alias: ast.alias, ctx: FileContext) -> bool:
    local = alias.asname or alias.name
    for node in ctx.module.table.nodes.get(ast.Attribute, ()):
        assert isinstance(node, ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == local:
            bindings = ctx.module.scope(node.value).lookup(local)
            if any(binding.node is alias for binding in bindings):
                return True
    return False


def _hit(alias: ast.alias, path: str, ctx: FileContext) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        target = ctx.options.target + NEW_HOME.removeprefix("agentlightning")
        rewrite.imports.move(alias, target, alias.asname)

    return Hit(alias, f"`{path}` is a decorator only in `agentlightning.emitter`", fix, symbol=path)


def _unread(alias: ast.alias, path: str) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        rewrite.imports.drop(alias)

    return Hit(alias, f"`{path}` is imported and never used", fix, symbol=path)
