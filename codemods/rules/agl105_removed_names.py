"""AGL105: names that have no counterpart in 0.3.0."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from codemods import api_map
from codemods.api_map.symbol import Symbol
from codemods.context import FileContext
from codemods.legacy.idle import idle_import
from codemods.rule import Hit, Rule


class RemovedNames(Rule):
    """Imports and dotted uses of names and modules that are gone."""

    code = "AGL105"
    title = "Name was removed without a counterpart"
    why = (
        "Some parts of 0.1 were dropped: `HttpTracer`, the local AgentOps server, helpers of "
        "`verl`. Importing them fails; what to do instead depends on what they were used for."
    )
    before = "from agentlightning.tracer.http import HttpTracer"
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.ImportFrom, ast.Import, ast.Module)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Names whose row in the map has no replacement."""
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if idle_import(node, alias, ctx) is None:  # AGL127 takes those out
                    yield from _gone(alias, f"{node.module}.{alias.name}", ctx)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _gone(alias, alias.name, ctx)
        elif isinstance(node, ast.Module):
            for dotted, path in ctx.dotted.items():
                yield from _gone(dotted, path, ctx)
            yield from _members(ctx)


@lru_cache(maxsize=1)
def _gone_members() -> dict[str, Symbol]:
    """Attributes and methods that classes of 0.3.0 do not have any more."""
    known = api_map.load()
    found = {}
    for row in known.symbols:
        if row.kind in ("attribute", "method") and row.change == "removed":
            owner = known.lookup(row.owner)
            if owner is not None and owner.replacement["agentlightning"] is not None:
                found[row.name] = row
    return found


def _members(ctx: FileContext) -> Iterator[Hit]:
    for name in _gone_members():
        for member in ctx.module.attributes.get(name, ()):
            if member not in ctx.dotted:
                yield from _gone_member(member, ctx)


def _gone_member(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    row = _gone_members()[node.attr]
    if ctx.is_instance(node.value, row.owner):
        message = f"`{row.owner.rpartition('.')[2]}.{row.name}` does not exist in 0.3.0"
        yield Hit(node, message, reason=row.advice or "take it out", symbol=row.path)


def _gone(node: ast.AST, path: str, ctx: FileContext) -> Iterator[Hit]:
    if path.partition(".")[0] != "agentlightning":
        return
    known = api_map.load()
    row = known.lookup(path)
    if row is None and isinstance(node, ast.alias):
        row = known.modules.get(path.rpartition(".")[0])
        row = row if row is not None and row.change == "removed" else None
    importable = row is not None and row.kind not in ("method", "attribute", "parameter")
    if row is None or not importable or row.replacement["agentlightning"] is not None:
        return
    if row.successor is not None and row.applicability == "shim":
        return  # a rule of its own rewrites it
    advice = row.advice or "take it out"
    yield Hit(node, f"`{path}` does not exist in 0.3.0", reason=advice, symbol=row.path)
