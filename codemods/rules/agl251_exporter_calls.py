"""AGL251: `TripletExporter.export`, which is `adapt` of the adapter."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.instances import is_a, is_super, may_be
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

SYMBOL = f"{known.TRIPLET_EXPORTER}.export"
MESSAGE = "`export` of a TripletExporter is `adapt`"


class ExporterCalls(Rule):
    """`exporter.export(spans)` into `exporter.adapt(spans)`, overrides included."""

    code = "AGL251"
    title = "`export` is `adapt`"
    why = (
        "`TripletExporter` is the adapter `TracerTraceToTriplet` today, and adapters have "
        "`adapt(spans)`. It takes spans of OpenTelemetry and of the store, and raises ValueError "
        "for an empty list, as before. The triplets' prompt, response and metadata have more keys."
    )
    before = "triplets = exporter.export(spans)"
    after = "triplets = exporter.adapt(spans)"
    applicability = "review"
    nodes = (ast.Attribute, ast.FunctionDef)
    words = frozenset({"export"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """References to the method, and overrides of it."""
        if isinstance(node, ast.FunctionDef):
            if node.name == "export" and _is_exporter(ctx, ctx.parent(node)):
                yield Hit(node, MESSAGE, lambda r: _rename(r, node), symbol=SYMBOL)
        elif isinstance(node, ast.Attribute) and node.attr == "export":
            yield from _reference(node, ctx)


def _is_exporter(ctx: FileContext, node: ast.AST | None) -> bool:
    """Whether a node is a class made from the exporter."""
    return isinstance(node, ast.ClassDef) and ctx.project.inference.derives(
        ProjectClass(ctx.module, node), known.TRIPLET_EXPORTER
    )


def _rename(rewrite: Rewrite, method: FunctionNode) -> None:
    rewrite.header(method).rename("adapt")


def _reference(node: ast.Attribute, ctx: FileContext) -> Iterable[Hit]:
    owner = node.value
    of_super = is_super(owner) and _is_exporter(ctx, ctx.module.enclosing(node, ast.ClassDef))
    of_class = ctx.is_class(owner, known.TRIPLET_EXPORTER)
    if not (of_super or of_class or is_a(ctx, owner, known.TRIPLET_EXPORTER)):
        if may_be(ctx, owner, "triplet"):
            reason = f"if `{ctx.source(owner)}` is a TripletExporter, annotate it and run again"
            yield Hit(node, MESSAGE, reason=reason, symbol=SYMBOL)
        return

    def fix(rewrite: Rewrite) -> None:
        rewrite.rename(node, "adapt")
        call = ctx.parent(node)
        if isinstance(call, ast.Call) and call.func is node:
            if any(k.arg is None for k in call.keywords):
                rewrite.block("the argument is spread with **: adapt takes it by position only")
            if any(k.arg == "spans" for k in call.keywords):
                rewrite.call(call).unname_first("spans")

    yield Hit(node, MESSAGE, fix, symbol=SYMBOL)
