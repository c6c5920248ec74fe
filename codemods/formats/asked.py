"""What a run wants to know of a file that is no Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from codemods.context import Options
    from codemods.project import Project
    from codemods.rule import Rule


class Asked(NamedTuple):
    """What a run wants to know of a file, and what it knows already.

    `runtime` says that rewritten code calls helpers of agentlightning_compat. Without `rewrites`
    nothing is worked out that only new bytes would need.
    """

    options: Options
    rules: tuple[Rule, ...]
    project: Project
    safe_only: bool = False
    runtime: bool = False
    rewrites: bool = True
