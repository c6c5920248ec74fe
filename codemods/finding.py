"""What a rule reports about one place in a file."""

from __future__ import annotations

from typing import Literal, NamedTuple

Applicability = Literal["safe", "review", "shim", "manual"]


class Finding(NamedTuple):
    """A legacy name or shape at one place.

    Lines and columns count from 1, columns in characters; the end is exclusive. `fixable` says
    whether `run` rewrites it; `reason` says why not, where it does not. `fixed` is set by `run`.
    `ran` is how often a usage report says that it ran, None where none does.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    message: str
    applicability: Applicability
    fixable: bool
    reason: str = ""
    fixed: bool = False
    symbol: str = ""
    ran: int | None = None
