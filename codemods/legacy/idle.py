"""Imports of legacy names that nothing reads."""

from __future__ import annotations

import ast

from codemods import api_map
from codemods.api_map.symbol import Symbol
from codemods.context import FileContext
from codemods.legacy.fallbacks import catches_imports, imports
from codemods.names import known
from codemods.names.used import used_names

_ELSEWHERE = frozenset({known.CONFIGURE_LOGGER, known.DEV_LOADER, known.AGENT_RUNNER})
_IMPORTABLE = frozenset({"class", "function", "type", "constant"})


def idle_import(statement: ast.ImportFrom, alias: ast.alias, ctx: FileContext) -> Symbol | None:
    """The row of an imported legacy name that no code, here or in another file, reads.

    Names that live on under another path or spelling are not meant: their imports are rewritten.
    """
    if statement.level or (statement.module or "").partition(".")[0] != "agentlightning":
        return None
    row = api_map.load().lookup(f"{statement.module}.{alias.name}")
    if row is None or row.kind not in _IMPORTABLE or row.path in _ELSEWHERE:
        return None
    if not (row.legacy and row.change in ("same", "changed")) and row.change != "removed":
        return None
    return row if is_idle(alias, ctx) else None


def is_idle(alias: ast.alias, ctx: FileContext) -> bool:
    """Whether no code, in this file or in another, reads the name that an import binds."""
    return (alias.asname or alias.name) not in _wanted(ctx)


def purpose(statement: ast.ImportFrom, alias: ast.alias, ctx: FileContext) -> str:
    """What an import that nothing reads may be good for all the same; empty where nothing is."""
    if "noqa" in _line(alias, ctx):
        return "a comment says that the import is wanted"
    if _in_type_comment(alias.asname or alias.name, ctx):
        return "a type comment names it"
    if _probes(statement, ctx):
        return "whether the import works may be what is asked here"
    return ""


def _line(node: ast.alias, ctx: FileContext) -> str:
    start, end = ctx.module.span(node)
    text = ctx.module.text
    stop = text.find("\n", end)
    return text[start : stop if stop != -1 else len(text)]


def _wanted(ctx: FileContext) -> frozenset[str]:
    found = ctx.memo.get("names wanted")
    if not isinstance(found, frozenset):
        found = used_names(ctx.module.table) | ctx.project.exported(ctx.module)
        found = ctx.memo["names wanted"] = frozenset(found)
    return found


def _in_type_comment(name: str, ctx: FileContext) -> bool:
    text = ctx.module.text
    return "# type:" in text and any(
        name in line.partition("# type:")[2] for line in text.splitlines()
    )


def _probes(statement: ast.ImportFrom, ctx: FileContext) -> bool:
    """Whether an import is there to see if it works, and not for one of two releases."""
    around = ctx.module.enclosing(statement, ast.Try)
    if not isinstance(around, ast.Try) or not catches_imports(around):
        return False
    return not any(imports(handler.body) for handler in around.handlers)
