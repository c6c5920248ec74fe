"""What a row of the data files has to look like; checked strictly wherever the files are edited.

The command itself does not import this module: building pydantic models costs it more than
everything else that it does before the first file.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from codemods.api_map.symbol import Applicability, Change, Kind, Symbol, Version


class Replacement(TypedDict):
    """The name to write instead, for each package that migrated code may run on."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    agentlightning: str | None
    agentlightning_compat: str | None


class Row(BaseModel):
    """A row as JSON; the fields are those of `Symbol`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    kind: Kind
    exists: dict[str, tuple[Version, ...]]
    versions: tuple[Version, ...]
    change: Change
    replacement: Replacement
    successor: str | None = None
    applicability: Applicability
    advice: str = ""
    signature: str | None = None
    successor_signature: str | None = None
    position: int | None = None
    default: str | None = None
    bases: tuple[str, ...] = ()
    patch: dict[str, str | None] = {}
    legacy: bool = False
    prerelease: bool = False
    foreign: bool = False

    def symbol(self) -> Symbol:
        """The row as the rest of the tool uses it."""
        return Symbol(**dict(self))
