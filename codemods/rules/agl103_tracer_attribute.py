"""AGL103: `agentlightning.tracer` reached as an attribute is another module today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.rule import Hit, Rule

PACKAGE = "agentlightning.tracer"
IMPORTABLE = frozenset({"class", "function", "constant", "type"})


class TracerAttribute(Rule):
    """`agl.tracer.X` and modules of `agentlightning.tracer` bound by `import ... as`."""

    code = "AGL103"
    title = "`agentlightning.tracer` used as an attribute"
    why = (
        "In 0.2 and 0.3 the attribute `tracer` of the package is `agentlightning.types.tracer`, a "
        "module of span types: `agl.tracer.AgentOpsTracer` raises AttributeError and "
        "`import agentlightning.tracer.agentops as x` ImportError. `from agentlightning.tracer "
        "import ...` works."
    )
    before = "tracer = agl.tracer.AgentOpsTracer()"
    after = "tracer = agl.AgentOpsTracer()"
    applicability = "safe"
    nodes = (ast.ImportFrom, ast.Import, ast.Module)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Names reached through the attribute, and imports that bind it."""
        if isinstance(node, ast.Module):
            for dotted, path in ctx.dotted.items():
                yield from _attribute(dotted, path, ctx)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname and _kept(alias.name):
                    yield _module_import(alias, alias.name, ctx)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                if node.module == "agentlightning" and alias.name == "tracer":
                    yield _package_import(alias)


def _kept(path: str) -> bool:
    """Whether a module of the tracer package still exists."""
    row = api_map.load().modules.get(path)
    inside = path == PACKAGE or path.startswith(f"{PACKAGE}.")
    return inside and (row is None or row.replacement["agentlightning"] == path)


def _attribute(node: ast.Attribute, path: str, ctx: FileContext) -> Iterator[Hit]:
    if not path.startswith(f"{PACKAGE}.") or not _through_attribute(node, ctx):
        return
    row = api_map.load().lookup(path)
    if row is None or row.kind not in IMPORTABLE or row.change in ("moved", "renamed", "removed"):
        return  # AGL101 writes the new name; AGL105 reports what is gone

    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(node, rewrite.use(row.replacement["agentlightning"] or path, node))

    yield Hit(node, f"`{path}` is not reachable as an attribute in 0.3.0", fix, symbol=path)


def _through_attribute(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether the dotted name goes over the package's attribute, not over a from-import."""
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return False
    bindings = ctx.module.scope(root).lookup(root.id)
    return all(b.path in ("agentlightning", PACKAGE) for b in bindings)


def _module_import(alias: ast.alias, path: str, ctx: FileContext) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        if path != PACKAGE:
            target = ctx.options.target + path.removeprefix("agentlightning")
            rewrite.imports.move(alias, target, alias.asname)

    return Hit(alias, f"`import {path} as ...` binds another module in 0.3.0", fix, symbol=path)


def _package_import(alias: ast.alias) -> Hit:
    # Its uses are rewritten one by one; the import then goes because nothing needs it.
    return Hit(
        alias,
        "`from agentlightning import tracer` binds `agentlightning.types.tracer` in 0.3.0",
        lambda rewrite: None,
        symbol=PACKAGE,
    )
