"""Every reference to a legacy class in a file, for putting today's class in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite

Reference = ast.Name | ast.Attribute


def class_references(ctx: FileContext, *paths: str) -> Iterator[tuple[Reference, str]]:
    """The reads of classes of agentlightning, with the canonical path; outermost names only."""
    return ctx.reads(*paths)


def is_base(ctx: FileContext, node: Reference) -> bool:
    """Whether a class definition derives from what is named here."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Subscript):
        parent = ctx.parent(parent)
    return isinstance(parent, ast.ClassDef) and node not in parent.decorator_list


def constructs(ctx: FileContext, node: Reference) -> ast.Call | None:
    """The call that builds an object of the class named here."""
    parent = ctx.parent(node)
    return parent if isinstance(parent, ast.Call) and parent.func is node else None


def put_class(rewrite: Rewrite, node: Reference, path: str) -> None:
    """Name the class at `path` instead."""
    name = node.id if isinstance(node, ast.Name) else ""
    rewrite.replace(node, text_for(rewrite, node, name, path))


def text_for(rewrite: Rewrite, node: ast.expr, name: str, path: str) -> str:
    """The text by which `node`'s place, where a legacy class is called `name`, names `path`."""
    bindings = rewrite.module.scope(node).lookup(name)
    alias = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(alias, ast.alias) or not rewrite.module.in_type_checking(alias):
        return rewrite.use(path, node)
    # Imported for annotations only: that is how today's class is imported then, too.
    target = rewrite.target + path.removeprefix("agentlightning")
    rewrite.imports.move(alias, target, alias.asname)
    return alias.asname or path.rpartition(".")[2]


def quoted(ctx: FileContext, *paths: str) -> Iterator[tuple[ast.Constant, str, int]]:
    """Quoted types without nodes of their own that name a legacy class: string, name, place."""
    locals_ = {
        name
        for name, bindings in ctx.module.table.root.bindings.items()
        if bindings[-1].kind == "from" and ctx.project.canonical(bindings[-1].path) in paths
    }
    for constant in ctx.module.table.unread_annotations:
        source = ctx.source(constant)
        for name in locals_:
            at = _word(source, name)
            if at is not None:
                yield constant, name, ctx.module.span(constant)[0] + at


def _word(text: str, name: str) -> int | None:
    at = text.find(name)
    while at != -1:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (before.isidentifier() or before == "." or after.isidentifier() or after.isdigit()):
            return at
        at = text.find(name, at + 1)
    return None
