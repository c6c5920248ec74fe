"""AGL101: names that live elsewhere, or are called otherwise, in 0.3.0."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.rule import Hit, Rule

# Their meaning changed, or their uses change shape: rules of their own decide.
ELSEWHERE = frozenset(
    {
        known.REWARD,
        known.ROLLOUT,
        known.AGENT_RUNNER,
        known.CONFIGURE_LOGGER,
        known.RAW_RESULT,
    }
)

IMPORTABLE = frozenset({"class", "function", "constant", "type"})


class MovedNames(Rule):
    """Imports and dotted uses of names whose path or spelling changed."""

    code = "AGL101"
    title = "Name was moved or renamed"
    why = (
        "0.2 and 0.3 gave several names another module or spelling (`TripletExporter` is "
        "`TracerTraceToTriplet` in `agentlightning.adapter`), and names that a 0.1 module only "
        "happened to import can no longer be imported from it."
    )
    before = "from agentlightning.tracer import TripletExporter"
    after = "from agentlightning.adapter import TracerTraceToTriplet"
    applicability = "safe"
    nodes = (ast.ImportFrom, ast.Import, ast.Module)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Imported names and outermost dotted names whose path is not the one of today."""
        if isinstance(node, ast.ImportFrom):
            if not node.level and _framework(node.module or ""):
                for alias in node.names:
                    yield from _imported(alias, f"{node.module}.{alias.name}", ctx)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if _framework(alias.name):
                    yield from _imported(alias, alias.name, ctx)
        elif isinstance(node, ast.Module):
            for dotted in ctx.dotted:
                if not isinstance(ctx.parent(dotted), ast.Attribute):
                    yield from _dotted(dotted, ctx)


def _framework(path: str) -> bool:
    return path.partition(".")[0] == "agentlightning"


def destination(path: str) -> str | None:
    """Where 0.3.0 has the thing at a legacy path, if it is somewhere else."""
    known_names = api_map.load()
    row = known_names.lookup(path)
    if row is None:
        return None
    if row.path in ELSEWHERE:
        # Under this path there is today's type of the name, for modules that do not have it now.
        gone = row.path == known.RAW_RESULT and "0.3.0" not in row.exists.get(path, ("0.3.0",))
        return "agentlightning.RolloutRawResult" if gone else None
    new = known_names.replacement_for(path, "agentlightning")
    return None if new == path else new


def _imported(alias: ast.alias, path: str, ctx: FileContext) -> Iterator[Hit]:
    new = destination(path)
    if new is None or new == path:
        return
    local = alias.asname or alias.name
    name = new.rpartition(".")[2]

    def fix(rewrite: Rewrite) -> None:
        target = ctx.options.target + new.removeprefix("agentlightning")
        if alias.asname or name == alias.name or "." in alias.name:
            rewrite.imports.move(alias, target, alias.asname if alias.asname != name else None)
            return
        bindings = [b for b in ctx.module.scope(alias).lookup(local) if b.node is alias]
        if not bindings or not _renameable(rewrite, alias, name, ctx):
            rewrite.imports.move(alias, target, local)
            return
        rewrite.imports.move(alias, target, None)
        rewrite.rename_uses(bindings[0], name)

    yield Hit(alias, f"`{path}` is `{new}` in 0.3.0", fix, symbol=path)


def _renameable(rewrite: Rewrite, alias: ast.alias, name: str, ctx: FileContext) -> bool:
    """Whether uses can follow the new name: nobody else has it, nobody else wants the old one."""
    local = alias.name
    others = [
        binding
        for scope in ctx.module.table.inner.values()
        for binding in scope.bindings.get(local, ())
        if binding.node is not alias
    ]
    quoted = any(local in str(c.value) for c in ctx.module.table.unread_annotations)
    return not (
        others or quoted or rewrite.imports.taken(name) or local in rewrite.imports.exported
    )


def _dotted(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    found = _longest(node, ctx)
    if found is None:
        return
    part, path = found
    new = destination(path)
    if new is None or new == path:
        return

    def fix(rewrite: Rewrite) -> None:
        base = ctx.written(part.value)
        if base is not None and isinstance(part.value, ast.Name) and _moved_module(base):
            rewrite.rename(part, new.rpartition(".")[2])  # the module's import moves with it
        else:
            rewrite.replace(part, rewrite.use(new, part))

    yield Hit(part, f"`{path}` is `{new}` in 0.3.0", fix, symbol=path)


def _longest(node: ast.Attribute, ctx: FileContext) -> tuple[ast.Attribute, str] | None:
    """The part of a dotted expression that names a row of the map, and its path."""
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        path = ctx.dotted[current]
        row = api_map.load().lookup(path)
        if row is not None and row.kind in IMPORTABLE:
            return current, path
        current = current.value
    return None


def _moved_module(path: str) -> bool:
    row = api_map.load().modules.get(path)
    return row is not None and row.replacement["agentlightning"] not in (None, path)
