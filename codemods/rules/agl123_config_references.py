"""AGL123: dotted paths and arguments in configuration files."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.rule import Hit, Rule


class ConfigReferences(Rule):
    """Hydra's `_target_`, entry points and the like in YAML, JSON, TOML and INI files."""

    code = "AGL123"
    title = "Configuration names what moved or was renamed"
    why = (
        "Configuration files name classes by dotted paths, with the arguments for them beside it. "
        "Nothing checks them before the run that reads them starts; a path that leads nowhere in "
        "0.3.0 fails only there."
    )
    before = "_target_: agentlightning.tracer.triplet.TripletExporter"
    after = "_target_: agentlightning.TracerTraceToTriplet"
    applicability = "review"
    nodes = ()

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Nothing: this is about files that are no Python."""
        return ()
