"""AGL107: `configure_logger`, split in two functions today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.generation import references
from codemods.names import known
from codemods.rule import Hit, Rule


class ConfigureLogger(Rule):
    """Calls become `setup_logging` or, where the logger is used, `setup_module_logging`."""

    code = "AGL107"
    title = "`configure_logger` is deprecated"
    why = (
        "0.3.0 has `setup_logging()`, which returns nothing and takes no name, and "
        "`setup_module_logging(level, name=...)`, which returns the logger. Log lines then go "
        "through a rich handler; `color=False` gives the plain text format back."
    )
    before = "logger = configure_logger(name=__name__)"
    after = "logger = setup_module_logging(name=__name__)"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every reference to the function."""
        for reference in references(ctx, known.CONFIGURE_LOGGER):
            yield from _reference(reference, ctx)
        for statement in ctx.module.table.nodes.get(ast.ImportFrom, ()):
            assert isinstance(statement, ast.ImportFrom)
            for alias in statement.names:
                path = f"{statement.module}.{alias.name}"
                if not statement.level and ctx.project.canonical(path) == known.CONFIGURE_LOGGER:
                    yield from _unused_import(alias, ctx)


def _reference(node: ast.Name | ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    call = ctx.parent(node)
    message = "`configure_logger` is deprecated"
    if not isinstance(call, ast.Call) or call.func is not node:
        reason = "not called here: use setup_logging or setup_module_logging by hand"
        yield Hit(node, message, reason=reason, symbol=known.CONFIGURE_LOGGER)
        return
    named = len(call.args) > 1 or any(k.arg == "name" for k in call.keywords)
    used = not isinstance(ctx.parent(call), ast.Expr)
    if any(k.arg is None for k in call.keywords) or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        reason = "the arguments are unpacked: setup_logging takes no name"
        yield Hit(call, message, reason=reason, symbol=known.CONFIGURE_LOGGER)
        return
    new = "setup_module_logging" if named or used else "setup_logging"

    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(node, rewrite.use(f"agentlightning.{new}", node))
        if len(call.args) > 1:
            # Everything but the level is keyword-only now.
            rewrite.call(call).name_positional(1, "name")

    yield Hit(call, f"{message}: `{new}` today", fix, symbol=known.CONFIGURE_LOGGER)


def _unused_import(alias: ast.alias, ctx: FileContext) -> Iterator[Hit]:
    local = alias.asname or alias.name
    names = ctx.module.table.nodes.get(ast.Name, ())
    if any(isinstance(node, ast.Name) and node.id == local for node in names):
        return
    if local in ctx.project.exported(ctx.module):
        return

    yield Hit(
        alias,
        "`configure_logger` is imported and not used",
        lambda rewrite: rewrite.imports.drop(alias),
        applicability="safe",
        symbol=known.CONFIGURE_LOGGER,
    )
