"""A name as an import statement lists it. On its own, so that `check` does not import LibCST."""

from __future__ import annotations

from typing import NamedTuple


class ImportedName(NamedTuple):
    """A name as an import statement lists it."""

    name: str
    asname: str | None = None

    def __str__(self) -> str:
        return f"{self.name} as {self.asname}" if self.asname else self.name
