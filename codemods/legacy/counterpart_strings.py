"""Dotted strings that still name agentlightning where code is to run on agentlightning_compat."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.counterpart import counterpart
from codemods.legacy.dotted import PATH, Use, judge
from codemods.rule import Hit


def dotted_strings(ctx: FileContext) -> Iterator[Hit]:
    """Strings that are as a whole a path which only the package at its head makes wrong."""
    for node in literals.strings(ctx):
        path = str(node.value)
        module = literals.serves_import(node, ctx)
        if not PATH.fullmatch(path) and not (module and path == "agentlightning"):
            continue
        if literals.names_module_table(node, ctx):
            continue  # AGL112 reports those
        use: Use = "patch" if literals.serves_patch(node, ctx) else "data"
        verdict = judge(path, "agentlightning_compat", "module" if module else use)
        if verdict is None:
            yield _hit(node, path, use, ctx)


def _hit(node: ast.Constant, path: str, use: Use, ctx: FileContext) -> Hit:
    message = f"`{path}` is a path into agentlightning"
    if literals.called(node, ctx) == "getLogger":
        reason = "loggers of agentlightning_compat are called after its own modules"
        return Hit(node, message, reason=reason, symbol=path)
    row = api_map.load().lookup(path)
    if use == "patch" and (row is None or row.kind != "method"):
        reason = "patch the name where agentlightning_compat looks it up"
        return Hit(node, message, reason=reason, symbol=path)
    new = counterpart(path)
    if row is not None and row.kind == "method":
        owner, _, name = path.rpartition(".")
        new = f"{counterpart(owner)}.{name}"
    if new is None or literals.spot(node, path, ctx) is None:
        reason = f"write {new}" if new else "agentlightning_compat has no such thing"
        return Hit(node, message, reason=reason, symbol=path)
    fix = partial(literals.respell, node=node, old=path, new=new, ctx=ctx)
    return Hit(node, message, fix, symbol=path)
