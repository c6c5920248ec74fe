"""AGL106: `Rollout`, which names another type today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.generation import ONLY_LEGACY, file_meaning, meaning_of, references
from codemods.names import known
from codemods.rule import Hit, Rule


class ChangedMeaning(Rule):
    """References that mean the report of 0.1, under its name of today."""

    code = "AGL106"
    title = "Same name, other type"
    why = (
        "In 0.1 a `Rollout` is the report that a worker posts (final_reward, triplets, trace). "
        "Since 0.2 that is `RolloutLegacy`, and `Rollout` is the unit of work in a store, with "
        "other fields: building it like a report raises a validation error."
    )
    before = "report = Rollout(rollout_id=task.rollout_id, final_reward=1.0)"
    after = "report = RolloutLegacy(rollout_id=task.rollout_id, final_reward=1.0)"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Each reference, decided by its own use, else by the rest of the file."""
        for reference in references(ctx, known.ROLLOUT):
            yield from _rollout(reference, ctx)
        yield from _imports(ctx)


def _rollout(node: ast.Name | ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    if ctx.written(node) in ONLY_LEGACY:
        meaning = "legacy"
    else:
        meaning = meaning_of(node, ctx) or file_meaning(ctx) or "unknown"
    if meaning == "legacy":

        def fix(rewrite: Rewrite) -> None:
            rewrite.replace(node, rewrite.use("agentlightning.RolloutLegacy", node))

        yield Hit(node, "the report `Rollout` of 0.1 is `RolloutLegacy`", fix, symbol=known.ROLLOUT)
    elif meaning == "unknown" and not _modern(ctx):
        yield Hit(
            node,
            "`Rollout` may mean the report of 0.1 or the unit of work of the store",
            reason="if final_reward, triplets or trace are read or given, write RolloutLegacy",
            symbol=known.ROLLOUT,
        )


def _modern(ctx: FileContext) -> bool:
    """Whether nothing in the file speaks for 0.1: it then means today's class."""
    legacy = (known.CLIENT, known.SERVER, known.DEV_LOADER, known.AGENT_RUNNER, known.REWARD)
    return not any(
        isinstance(alias, ast.alias)
        and ctx.project.canonical(f"{node.module}.{alias.name}") in legacy
        for node in ctx.module.table.nodes.get(ast.ImportFrom, ())
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
    )


def _imports(ctx: FileContext) -> Iterator[Hit]:
    """Imports that no reference speaks for: from modules where only 0.1 had the name."""
    for node in ctx.module.table.nodes.get(ast.ImportFrom, ()):
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            path = f"{node.module}.{alias.name}"
            if node.level or path not in ONLY_LEGACY:
                continue

            def fix(rewrite: Rewrite, alias: ast.alias = alias) -> None:
                target = f"{ctx.options.target}.RolloutLegacy"
                rewrite.imports.move(alias, target, alias.asname or alias.name)

            if not _read(alias, ctx):
                yield Hit(alias, f"`{path}` is `RolloutLegacy`", fix, symbol=known.ROLLOUT)


def _read(alias: ast.alias, ctx: FileContext) -> bool:
    local = alias.asname or alias.name
    return any(
        isinstance(node, ast.Name) and node.id == local
        for node in ctx.module.table.nodes.get(ast.Name, ())
    )
