"""How results are shown: one file `format_<name>.py` for each format, with a `render`."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from codemods.config import Settings
    from codemods.finding import Finding
    from codemods.outcome import FileOutcome, Outcome

    class Format(Protocol):
        """A module that turns a report into text."""

        def render(self, report: Report) -> Iterable[str]:
            """The text in pieces, newlines included."""


_PREFIX = "format_"


class Report(NamedTuple):
    """What a format gets: the outcome, and the question that it answers.

    `place` are the paths of the command line, to be put behind a command that is suggested;
    `is_versioned` is whether git has the files.
    """

    outcome: Outcome
    settings: Settings
    command: str = "check"
    is_dry: bool = False
    is_coloured: bool = False
    place: str = ""
    is_versioned: bool = False

    def findings(self) -> list[Finding]:
        """All findings, with the lines that they are on now that the run has ended."""
        return [finding for file in self.outcome.files for finding in self.placed(file)]

    def placed(self, file: FileOutcome) -> tuple[Finding, ...]:
        """The findings of one file, with the lines that they are on now."""
        if file.after is None or self.is_dry:
            return file.findings
        from codemods.output.diff import line_map

        place = line_map(file.before, file.after)
        return tuple(f._replace(line=place(f.line)) for f in file.findings)


def names() -> list[str]:
    """The formats there are."""
    files = os.listdir(os.path.dirname(__file__))
    found = {os.path.splitext(file)[0] for file in files if file.startswith(_PREFIX)}
    return sorted(file.removeprefix(_PREFIX) for file in found)


def load(name: str) -> Format:
    """The format of a name that `names` lists."""
    return cast("Format", importlib.import_module(f"{__name__}.{_PREFIX}{name}"))
