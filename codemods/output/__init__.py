"""How results are shown: one file `format_<name>.py` for each format, with a `render`."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codemods.config import Settings
    from codemods.outcome import Outcome

_PREFIX = "format_"


class Report(NamedTuple):
    """What a format gets: the outcome, and the question that it answers."""

    outcome: Outcome
    settings: Settings
    command: str = "check"
    is_dry: bool = False
    is_coloured: bool = False

    def relates_to_person(self) -> int:
        """How many findings are left to a person."""
        return sum(not f.fixed and not f.fixable for f in self.outcome.findings())


class Format(Protocol):
    """A module that turns a report into text."""

    def render(self, report: Report) -> Iterable[str]:
        """The text in pieces, newlines included."""


def names() -> list[str]:
    """The formats there are."""
    files = os.listdir(os.path.dirname(__file__))
    found = {os.path.splitext(file)[0] for file in files if file.startswith(_PREFIX)}
    return sorted(file.removeprefix(_PREFIX) for file in found)


def load(name: str) -> Format:
    """The format of a name that `names` lists."""
    return cast("Format", importlib.import_module(f"{__name__}.{_PREFIX}{name}"))
