"""AGL110: what still comes from agentlightning when agentlightning_compat is the target."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.counterpart import Use, counterpart, settled, uses
from codemods.legacy.counterpart_strings import dotted_strings
from codemods.legacy.idle import idle_import
from codemods.names.scopes import Binding
from codemods.rule import Fix, Hit, Rule

_OURS = "agentlightning_compat"


class OtherPackage(Rule):
    """Imports, dotted names and dotted strings that go on as they are, from the other package."""

    code = "AGL110"
    title = "Name comes from agentlightning, not from agentlightning_compat"
    why = (
        "With `--target agentlightning_compat` the result is to run without agentlightning. Names "
        "that no other rule has to touch are taken from the other package as well."
    )
    before = "from agentlightning import LitAgent, Trainer"
    after = "from agentlightning_compat import LitAgent, Trainer"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Import statements, then uses of imported modules, then strings; for that target only."""
        if ctx.options.target != _OURS:
            return
        for statement in ctx.module.table.nodes.get(ast.ImportFrom, ()):
            assert isinstance(statement, ast.ImportFrom)
            if not statement.level and _framework(statement.module or ""):
                yield from _from(statement, ctx)
        for bindings in ctx.module.imported.values():
            plain = [b for b in bindings if isinstance(ctx.parent(b.node), ast.Import)]
            if any(_framework(b.path) for b in plain):
                yield from _plain(plain, ctx)
        yield from dotted_strings(ctx)


def _framework(path: str) -> bool:
    return path.partition(".")[0] == "agentlightning"


def _from(statement: ast.ImportFrom, ctx: FileContext) -> Iterator[Hit]:
    for alias in statement.names:
        path = f"{statement.module}.{alias.name}"
        if alias.name == "*" or path == "agentlightning.__version__":
            continue  # AGL104 spells out the names; AGL109 looks at versions
        if settled(path) or idle_import(statement, alias, ctx):
            continue  # rules of their own give it its new place, or take it out
        new = counterpart(path)
        if new is not None:
            yield Hit(alias, _message(path), _moving(alias, new), applicability="safe", symbol=path)
        else:
            yield _stays(alias, path)


def _message(path: str) -> str:
    return f"`{path}` is not of agentlightning_compat"


def _stays(node: ast.AST, path: str) -> Hit:
    reason = "agentlightning_compat has no such thing: it stays with agentlightning"
    return Hit(node, _message(path), reason=reason, symbol=path)


def _moving(alias: ast.alias, new: str) -> Fix:
    def fix(rewrite: Rewrite) -> None:
        if alias not in rewrite.imports.moves and alias not in rewrite.imports.dropped:
            same = new.rpartition(".")[2] == alias.name
            rewrite.imports.move(alias, new, alias.asname or (None if same else alias.name))

    return fix


def _plain(bindings: list[Binding], ctx: FileContext) -> Iterator[Hit]:
    """`import agentlightning as agl`: the import moves if everything read from it can."""
    found = [use for binding in bindings[:1] for use in uses(binding, ctx)]
    paths = [b.node.name for b in bindings if isinstance(b.node, ast.alias)]
    others = [use for use in found if not use.keeps_its_tail and not settled(use.path)]
    moves = not others and all(counterpart(path) for path in paths)
    for binding in bindings:
        if moves and isinstance(binding.node, ast.alias):
            yield _module_import(binding.node)
    for use in found:
        if settled(use.path) or (moves and use.name.id != "agentlightning"):
            continue
        if use.new is None:
            yield _stays(use.part, use.path)
        else:
            yield _use(use, moves)


def _module_import(alias: ast.alias) -> Hit:
    new = counterpart(alias.name) or ""

    def fix(rewrite: Rewrite) -> None:
        if alias not in rewrite.imports.moves and alias not in rewrite.imports.dropped:
            rewrite.imports.move(alias, new, alias.asname)

    return Hit(alias, _message(alias.name), fix, applicability="safe", symbol=alias.name)


def _use(use: Use, moves: bool) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        if moves:
            rewrite.rename(use.name, _OURS)
        else:
            path = "agentlightning" + (use.new or "").removeprefix(_OURS)
            rewrite.replace(use.part, rewrite.use(path, use.part))

    return Hit(use.part, _message(use.path), fix, applicability="safe", symbol=use.path)
