"""AGL202: `Trainer(daemon=...)`, which nothing but `fit_v0` heeds."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.trainer_arguments import reaches
from codemods.names import known
from codemods.rule import Hit, Rule


class DaemonArgument(Rule):
    """`daemon=` dropped from the construction of a trainer."""

    code = "AGL202"
    title = "Trainer argument `daemon`"
    why = (
        "Runners of the store API are processes that their strategy starts and ends; `daemon=` is "
        "only heeded by `fit_v0`. With `daemon=False` the workers outlived `fit`, which returned "
        "at once; today it returns when the runners are done."
    )
    before = "Trainer(n_runners=4, daemon=True)"
    after = "Trainer(n_runners=4)"
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({"daemon"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The keyword, unless the old server stays and with it `fit_v0`."""
        assert isinstance(node, ast.Call)
        given = next((k for k in node.keywords if k.arg == "daemon"), None)
        if given is None or ctx.options.server == "legacy" or not reaches(ctx, node, "daemon"):
            return
        default = isinstance(given.value, ast.Constant) and given.value.value is True

        def fix(rewrite: Rewrite) -> None:
            rewrite.call(node).remove_keyword("daemon")

        message = "`Trainer(daemon=)` has no effect in the store API"
        if not default:
            message += "; runners end with `fit`, they never outlive it"
        yield Hit(
            given,
            message,
            fix,
            applicability="safe" if default else "review",
            symbol=f"{known.TRAINER}(daemon)",
        )
