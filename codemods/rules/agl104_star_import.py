"""AGL104: `from agentlightning import *` brings other names today."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.rule import Hit, Rule

if TYPE_CHECKING:
    from codemods.edit.import_edits import Move

# A star import of 0.1 also bound these submodules, over modules of the same names elsewhere.
SUBMODULES = frozenset(
    "client config instrumentation litagent logging runner server tracer trainer types".split()
)


class StarImport(Rule):
    """A star import, written out as the names that the file uses."""

    code = "AGL104"
    title = "Star import from agentlightning"
    why = (
        "What `import *` binds differs between releases: 137 names in 0.3.0, among them modules "
        "called `logging`, `types`, `reward` and `tracer` that hide others. Only an explicit list "
        "keeps its meaning."
    )
    before = "from agentlightning import *\n\nclass Agent(LitAgent): ..."
    after = "from agentlightning import LitAgent\n\nclass Agent(LitAgent): ..."
    applicability = "review"
    nodes = (ast.ImportFrom,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Star imports of the package and its modules."""
        assert isinstance(node, ast.ImportFrom)
        module = node.module or ""
        if node.level or module.partition(".")[0] != "agentlightning" or node.names[0].name != "*":
            return
        names = sorted(_used(module, ctx))
        exported = ctx.project.exported(ctx.module)
        if not names or ctx.module.is_package or exported - {"*"}:
            reason = "other files take names from here; list those they need"
            yield Hit(node, f"`from {module} import *`", reason=reason, symbol=module)
            return

        def fix(rewrite: Rewrite) -> None:
            rewrite.imports.spell_out(node, [_move(module, n, ctx.options.target) for n in names])

        yield Hit(node, f"`from {module} import *`", fix, symbol=module)


def _used(module: str, ctx: FileContext) -> set[str]:
    """Names that the file reads, does not bind, and that the star can have brought."""
    table = ctx.module.table
    known = api_map.load()
    found = set()
    for node in table.nodes.get(ast.Name, ()):
        assert isinstance(node, ast.Name)
        if isinstance(node.ctx, ast.Load) and not table.scopes[node].lookup(node.id):
            row = known.lookup(f"{module}.{node.id}")
            if row is not None and row.kind != "module" and node.id not in SUBMODULES:
                found.add(node.id)
    return found


def _move(module: str, name: str, package: str) -> Move:
    """Where the name that a star import of `module` binds comes from today."""
    path = f"{module}.{name}"
    if path == "agentlightning.reward":
        new = "agentlightning.emitter.reward"
    else:
        new = api_map.load().replacement_for(path, "agentlightning") or path
    from codemods.edit.import_edits import Move

    source, _, now = new.rpartition(".")
    return Move(package + source.removeprefix("agentlightning"), now, name)
