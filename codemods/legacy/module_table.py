"""Programs that lay hands on what is imported: `sys.modules`, and `del` of a module's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.dotted import PATH, judge
from codemods.rule import Hit

_PUTS = ("setitem", "delitem", "pop", "setdefault", "dict")


def meddling(ctx: FileContext) -> Iterator[Hit]:
    """Entries of `sys.modules` that are set, or read where they are not any more; `del`."""
    if "modules" in ctx.module.text:
        for node in literals.strings(ctx):
            path = str(node.value)
            if path != "agentlightning" and not PATH.fullmatch(path):
                continue
            if literals.names_module_table(node, ctx) and "modules" in _around(node, ctx):
                yield from _entry(node, path, ctx)
    for statement in ctx.module.table.nodes.get(ast.Delete, ()):
        assert isinstance(statement, ast.Delete)
        for target in statement.targets:
            if isinstance(target, ast.Name) and _framework(target, ctx):
                reason = "check that no line behind this one needs the name after the run"
                message = f"`{target.id}` of agentlightning is deleted"
                yield Hit(statement, message, reason=reason, symbol="agentlightning")


def _around(node: ast.Constant, ctx: FileContext) -> str:
    """The text of the smallest expression that says which table is meant."""
    outer = ctx.parent(node)
    while isinstance(outer, ast.Dict | ast.keyword):
        outer = ctx.parent(outer)
    return "" if outer is None else ctx.source(outer)


def _entry(node: ast.Constant, path: str, ctx: FileContext) -> Iterator[Hit]:
    if _puts(node, ctx):
        yield Hit(
            node,
            f"the entry of `{path}` in sys.modules is put in or taken out",
            reason="a stand-in needs the names that the migrated code imports",
            symbol=path,
        )
        return
    verdict = judge(path, ctx.options.target, "module")
    if verdict is not None:
        reason = verdict.reason or f"ask for {verdict.new}"
        yield Hit(node, verdict.message, reason=reason, symbol=path)


def _puts(node: ast.Constant, ctx: FileContext) -> bool:
    parent = ctx.parent(node)
    if isinstance(parent, ast.Subscript):
        return not isinstance(parent.ctx, ast.Load)
    if isinstance(parent, ast.Dict):
        return True
    return literals.called(node, ctx) in _PUTS


def _framework(name: ast.Name, ctx: FileContext) -> bool:
    bindings = ctx.module.scope(name).lookup(name.id)
    imports = [b for b in bindings if b.kind in ("import", "from")]
    return any(b.path.partition(".")[0] == "agentlightning" for b in imports)
