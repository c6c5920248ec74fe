"""What the chosen rules see in the files of a survey."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codemods.engine import Detected, context_for, detect
from codemods.faults import fault
from codemods.outcome import Problem

if TYPE_CHECKING:
    from codemods.config import Settings
    from codemods.context import FileContext
    from codemods.project import Project
    from codemods.rule import Rule
    from codemods.survey import Unit


class Task(NamedTuple):
    """One file and the hits in it."""

    unit: Unit
    ctx: FileContext
    detected: Sequence[Detected]


class Detector:
    """Rules, options and an index, to be asked about one file after another."""

    def __init__(self, project: Project, settings: Settings, rules: Sequence[Rule]) -> None:
        self._project = project
        self._options = settings.options()
        self._rules = rules
        self._ignores = PerFileIgnores(settings) if settings.per_file_ignores else None

    def look(self, unit: Unit) -> Task | Problem:
        """The hits in a file; a fault of a rule is a problem of that file alone."""
        ctx = context_for(self._project, unit.module, self._options)
        try:
            detected = detect(ctx, self._rules)
        except Exception as error:
            return fault(unit.shown, error)
        if self._ignores is not None and detected:
            codes = self._ignores.codes(unit.path)
            detected = [d for d in detected if not d.rule.code.startswith(codes)]
        return Task(unit, ctx, detected)

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """The rules to ask about a file."""
        codes = () if self._ignores is None else self._ignores.codes(path)
        return tuple(rule for rule in self._rules if not rule.code.startswith(codes))


class PerFileIgnores:
    """Codes that are not asked for in some files, by patterns as in a `.gitignore`."""

    def __init__(self, settings: Settings) -> None:
        from pathspec import GitIgnoreSpec

        self._root = os.path.abspath(settings.root)
        self._specs = [
            (GitIgnoreSpec.from_lines([pattern]), codes)
            for pattern, codes in settings.per_file_ignores
        ]

    def codes(self, path: str) -> tuple[str, ...]:
        """The codes, or their beginnings, to leave out in a file."""
        relative = os.path.relpath(os.path.abspath(path), self._root).replace(os.sep, "/")
        found = [codes for spec, codes in self._specs if spec.match_file(relative)]
        return tuple("AGL" if code == "ALL" else code for codes in found for code in codes)
