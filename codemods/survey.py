"""The files of a run: found, scanned for the framework's name, parsed and indexed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from codemods import progress
from codemods.files import PYTHON, discover, scan_literals
from codemods.formats import SUFFIXES
from codemods.outcome import Note, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codemods.config import Settings
    from codemods.names.module import Module
    from codemods.project import Project
    from codemods.source import Source
    from codemods.timings import Timings

FRAMEWORK = b"agentlightning"
STDIN = "-"


class Unit(NamedTuple):
    """One parsed file."""

    path: str
    shown: str
    data: bytes
    source: Source
    module: Module


class Survey:
    """What lies under the paths of a run and may have to do with the framework."""

    def __init__(self, settings: Settings, timings: Timings) -> None:
        self._settings = settings
        self._timings = timings
        self._project: Project | None = None
        self._first = True
        self.units: list[Unit] = []
        self.others: list[tuple[str, bytes]] = []
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        self.scanned = 0

    @property
    def project(self) -> Project:
        """The index of the parsed files."""
        if self._project is None:
            from codemods.project import Project

            self._project = Project(".")
        return self._project

    def walk(self, paths: Sequence[str]) -> None:
        """Take in everything under some files and folders."""
        with self._timings.tier("discover"):
            found = discover(
                paths,
                exclude=self._settings.exclude,
                suffixes=(*PYTHON, *SUFFIXES),
                root=self._settings.root,
            )
        self.scanned = len(found.python) + len(found.other)
        self.notes += [Note(show(path), reason) for path, reason in found.skipped]
        self._complain(found.problems)
        if not self.scanned and not self.problems and any(map(os.path.isdir, paths)):
            where = ", ".join(map(show, paths))
            message, advice = "no file to look at", "name the folder that holds the code"
            self.problems.append(Problem(where, 0, message, advice))
        hits = self._scan(found.python)
        self.others = self._scan(found.other)
        self.take(hits)
        if self.units:
            self._follow(found.python, {path for path, _ in hits})

    def take(self, hits: Iterable[tuple[str, bytes]]) -> list[Unit]:
        """Parse and index some files; those that cannot be are problems."""
        from codemods.source import SourceError, decode, parse, quiet_parsing

        parsed = []
        with quiet_parsing(), self._timings.tier("parse"):
            for path, data in hits:
                shown = show(path)
                try:
                    source = decode(shown, data)
                    parsed.append((path, shown, data, source, parse(source)))
                except SourceError as error:
                    self._unusable(shown, error)
        with self._timings.tier("index"):
            units = [
                Unit(path, shown, data, source, self.project.add(path, source.text, tree))
                for path, shown, data, source, tree in parsed
            ]
        self.units += units
        return units

    def _unusable(self, shown: str, error: Exception) -> None:
        from codemods.source import SourceError

        assert isinstance(error, SourceError)
        if self._first:
            self.problems.append(Problem(shown, error.line, error.message, error.way_out))
        else:
            # It does not name the framework; that it was wanted at all is only likely.
            self.notes.append(Note(shown, f"not read: {error.message}"))

    def _scan(self, files: list[str]) -> list[tuple[str, bytes]]:
        problems: list[tuple[str, str]] = []
        with self._timings.tier("read"):
            tracked = progress.track("Reading", files, len(files))
            found = list(scan_literals(tracked, FRAMEWORK, problems))  # type: ignore[arg-type]
        self._complain(problems)
        return found

    def _complain(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems += [Problem(show(path), 0, reason) for path, reason in problems]

    def _follow(self, files: list[str], taken: set[str]) -> None:
        """Add files that use the framework through modules of the project, and so on."""
        from codemods.importers import Importers

        importers: Importers | None = None
        self._first = False
        units = list(self.units)
        while units:
            with self._timings.tier("index"):
                pairs = list(self.project.tracked_names([unit.module for unit in units]))
            if not pairs:
                return
            with self._timings.tier("read"):
                if importers is None:
                    importers = Importers(path for path in files if path not in taken)
                found = importers.take(pairs)
            units = self.take(found)
            if units:
                self.project.reset()


def show(path: str) -> str:
    """A path as a user reads it: relative where it lies below the current folder."""
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        if not relative.startswith(os.pardir + os.sep):
            path = relative
    return path.replace(os.sep, "/")
