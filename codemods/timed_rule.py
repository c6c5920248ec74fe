"""A rule that measures itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from codemods.rule import Fix, Hit, Rule

if TYPE_CHECKING:
    from codemods.context import FileContext
    from codemods.edit.rewrite import Rewrite


def timed(rule: Rule, seconds: dict[str, float]) -> Rule:
    """A stand-in for `rule` that adds the time of its checks and fixes to `seconds`."""
    code = rule.code
    seconds.setdefault(code, 0.0)

    def timed_fix(fix: Fix) -> Fix:
        def run(rewrite: Rewrite) -> None:
            start = perf_counter()
            try:
                fix(rewrite)
            finally:
                seconds[code] += perf_counter() - start

        return run

    def check(self: Rule, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        start = perf_counter()
        hits = [
            hit if hit.fix is None else hit._replace(fix=timed_fix(hit.fix))
            for hit in rule.check(node, ctx)
        ]
        seconds[code] += perf_counter() - start
        return hits

    stand_in = type(rule.__class__.__name__, (type(rule),), {"check": check})
    made: Rule = stand_in()
    return made
