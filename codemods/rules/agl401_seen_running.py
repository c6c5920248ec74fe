"""AGL401: a legacy use that only running the program showed; see `codemods.usage_report`."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.rule import Hit, Rule


class SeenRunning(Rule):
    """Says nothing of source code: its findings come from the file that `--usage` names."""

    code = "AGL401"
    title = "Legacy name was used when the program ran"
    why = (
        "Names that are put together or handed around while a program runs cannot be seen in its "
        "source. `AGL_MIGRATE_REPORT=usage.json agl-migrate exec train.py` writes what legacy "
        "API really ran, and `agl-migrate check --usage usage.json` reports each use that no "
        "other finding stands for."
    )
    before = "(a line of your code that reached a legacy name when it ran)"
    after = "(what the reference says of that name)"
    applicability = "manual"
    nodes = ()

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Nothing."""
        return ()
