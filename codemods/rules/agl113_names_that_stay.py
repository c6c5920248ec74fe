"""AGL113: types of the legacy protocol that 0.3.0 still has and nothing of today uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy.awaiting import HELPERS
from codemods.names import known
from codemods.names.values import External
from codemods.rule import Hit, Rule

_NAMES = (
    "agentlightning.types.TaskIfAny",
    known.ROLLOUT_LEGACY,
    "agentlightning.types.core.RolloutRawResultLegacy",
)


class NamesThatStay(Rule):
    """References to them, but for a report that a helper turns into spans."""

    code = "AGL113"
    title = "Type of the legacy protocol"
    why = (
        "`TaskIfAny`, `RolloutLegacy` and `RolloutRawResultLegacy` describe what the legacy server "
        "and its clients send each other. They can still be imported in 0.3.0, and nothing of the "
        "store API takes or gives them; the next release has none of them."
    )
    before = "def note(report: RolloutLegacy): ..."
    after = "def note(report: RolloutLegacy): ...  # reported: the store keeps spans and a status"
    applicability = "manual"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The first reference to each that is not on its way into a helper."""
        told: set[str] = set()
        for reference, path in ctx.reads(*_NAMES):
            if path in told or ctx.options.server == "legacy" or _converted(reference, ctx):
                continue
            told.add(path)
            row = api_map.load().lookup(path)
            assert row is not None
            yield Hit(
                reference,
                f"`{row.name}` belongs to the legacy protocol",
                reason=row.advice or "the store keeps rollouts, attempts and spans",
                symbol=path,
            )


def _converted(node: ast.expr, ctx: FileContext) -> bool:
    """Whether it builds a value, or says the type of one, that a helper of ours takes."""
    call = ctx.module.enclosing(node, ast.Call)
    while isinstance(call, ast.Call):
        value = ctx.infer(call.func)
        if isinstance(value, External) and value.path.startswith(f"{HELPERS}."):
            return True
        call = ctx.module.enclosing(call, ast.Call)
    return False
