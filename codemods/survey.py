"""The files of a run: found, scanned for the framework's name, parsed and indexed."""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from codemods import formats, progress
from codemods.files import PYTHON, discover, scan_literals
from codemods.importers import Importers, imported_modules
from codemods.outcome import Note, Problem

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Sequence

    from codemods.config import Settings
    from codemods.names.module import Module
    from codemods.project import Project
    from codemods.source import Source
    from codemods.timings import Timings
    from codemods.walk import FileProblem

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
                suffixes=(*PYTHON, *formats.SUFFIXES),
                root=self._settings.root,
            )
        self.scanned = len(found.python) + len(found.other)
        self.notes += [Note(show(path), reason) for path, reason in found.skipped]
        self._complain(found.problems)
        if not self.scanned and not self.problems and any(map(os.path.isdir, paths)):
            where = ", ".join(map(show, paths))
            message, advice = "no file to look at", "name the folder that holds the code"
            self.problems.append(Problem(where, 0, message, advice))
        importers = Importers()
        hits = self._scan(found.python, importers)
        self.others = self._scan_others(found.other)
        self.take(hits)
        self._follow(importers)

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
            found = (self._indexed(*file) for file in parsed)
            units = [unit for unit in found if unit is not None]
        self.units += units
        return units

    def _indexed(
        self, path: str, shown: str, data: bytes, source: Source, tree: ast.Module
    ) -> Unit | None:
        """A file in the index; a fault of the tool with it is a problem of that file alone."""
        module = self.project.add(path, source.text, tree)
        try:
            module.prepare()
        except Exception as error:
            from codemods.faults import fault

            self.project.discard(module)
            self.problems.append(fault(shown, error))
            return None
        return Unit(path, shown, data, source, module)

    def _unusable(self, shown: str, error: Exception) -> None:
        from codemods.source import SourceError

        assert isinstance(error, SourceError)
        if self._first:
            self.problems.append(Problem(shown, error.line, error.message, error.way_out))
        else:
            # It does not name the framework; that it was wanted at all is only likely.
            self.notes.append(Note(shown, f"not read: {error.message}"))

    def _scan(self, files: list[str], importers: Importers) -> list[tuple[str, bytes]]:
        """The files that name the framework; the others go to `importers`."""
        problems: list[FileProblem] = []
        with self._timings.tier("read"):
            rest = iter(progress.track("Reading", files, len(files)))
            hits = list(islice(scan_literals(rest, FRAMEWORK, problems), 1))
            if hits:
                importers.add_unread(files[: files.index(hits[0][0])])
            # Reading costs more than looking, so from here on both are done at once.
            hits += importers.sift(rest, FRAMEWORK, problems)
        self._complain(problems)
        return hits

    def _scan_others(self, files: list[str]) -> list[tuple[str, bytes]]:
        problems: list[FileProblem] = []
        with self._timings.tier("read"):
            found = list(scan_literals(files, formats.LITERALS, problems))
        self._complain(problems)
        return found

    def _complain(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems += [Problem(show(path), 0, reason) for path, reason in problems]

    def _follow(self, importers: Importers) -> None:
        """Add files that use the framework through modules of the project, and so on."""
        self._first = False
        units = list(self.units)
        while units:
            with self._timings.tier("index"):
                pairs = list(self.project.tracked_names([unit.module for unit in units]))
            if not pairs:
                return
            with self._timings.tier("read"):
                found = importers.take(pairs, self._imports_project)
            units = self.take(found)
            if units:
                self.project.reset()

    def _imports_project(self, path: str, lines: bytes) -> bool:
        """Whether one of the imports in some lines of a file is of a file in the index."""
        absolute = os.path.abspath(path)
        return any(self.project.module_for(absolute, name) for name in imported_modules(lines))


def show(path: str) -> str:
    """A path as a user reads it: relative where it lies below the current folder."""
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        if not relative.startswith(os.pardir + os.sep):
            path = relative
    return path.replace(os.sep, "/")
