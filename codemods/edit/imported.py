"""A name as an import statement lists it. On its own, so that `check` does not import LibCST."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportedName:
    """A name as an import statement lists it."""

    name: str
    asname: str | None = None

    def __str__(self) -> str:
        return f"{self.name} as {self.asname}" if self.asname else self.name
