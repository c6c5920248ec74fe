"""A whole run: find, scan, parse, index, detect, rewrite. Writing is the caller's.

Each step only gets what the one before let through, and its modules are imported only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from codemods.outcome import FileOutcome, Outcome, Problem
from codemods.survey import STDIN, Survey
from codemods.timings import Timings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codemods.config import Settings
    from codemods.detection import Task
    from codemods.engine import FileResult
    from codemods.formats import Asked
    from codemods.rule import Rule


class Job(NamedTuple):
    """What a run is to do. `stdin` are the bytes to look at for the path `-`."""

    settings: Settings
    paths: Sequence[str]
    timings: Timings
    rewrites: bool = False
    safe_only: bool = False
    notes: bool = False
    jobs: int | None = None
    stdin: bytes | None = None


def run(job: Job) -> Outcome:
    """Look at all files of a job and, if it `rewrites`, work out their new bytes.

    Raises ConfigError for a code in the settings that names no rule.
    """
    survey = Survey(job.settings, job.timings)
    if job.stdin is None:
        survey.walk(job.paths)
    else:
        survey.scanned = 1
        survey.take([(STDIN, job.stdin)])
    files: list[FileOutcome] = []
    if survey.units or survey.others:
        files = _Rules(job, survey).apply()
    elif job.settings.select or job.settings.ignore:
        job.settings.rules()
    return Outcome(
        tuple(sorted(files, key=lambda file: file.path)),
        tuple(sorted(set(survey.problems))),
        tuple(sorted(set(survey.notes))),
        survey.scanned,
        len(survey.units),
    )


class _Rules:
    """The rules of a job, over the files of its survey."""

    def __init__(self, job: Job, survey: Survey) -> None:
        from codemods.detection import Detector

        with job.timings.tier("detect"):
            self._rules: tuple[Rule, ...] = job.timings.watch(job.settings.rules())
        self._job = job
        self._survey = survey
        self._detector = Detector(survey.project, job.settings, self._rules)

    def apply(self) -> list[FileOutcome]:
        """The files with findings, or with new bytes."""
        with self._job.timings.tier("detect"):
            tasks = self._detect()
        with self._job.timings.tier("rewrite"):
            files = self._rewrite(tasks) if self._job.rewrites else _only_checked(tasks)
        return [*files, *self._others(files)]

    def _detect(self) -> list[Task]:
        tasks = []
        for unit in self._survey.units:
            found = self._detector.look(unit)
            if isinstance(found, Problem):
                self._survey.problems.append(found)
            elif found.detected:
                tasks.append(found)
        return tasks

    def _rewrite(self, tasks: list[Task]) -> list[FileOutcome]:
        from codemods.engine import rewritable

        job = self._job
        wanted = [
            task
            for task in tasks
            if job.notes or rewritable(task.detected, safe_only=job.safe_only)
        ]
        chosen = {id(task) for task in wanted}
        files = _only_checked([task for task in tasks if id(task) not in chosen])
        if wanted:
            files += self._rewritten(wanted)
        return files

    def _rewritten(self, tasks: list[Task]) -> list[FileOutcome]:
        from codemods.workers import Order, rewrite_all

        job, survey = self._job, self._survey
        order = Order(tasks, survey.units, job.settings, job.timings, job.safe_only, job.notes)
        return [
            self._outcome(task, result)
            for task, result in zip(tasks, rewrite_all(order, job.jobs), strict=True)
        ]

    def _outcome(self, task: Task, result: FileResult | Problem) -> FileOutcome:
        """A file with its new bytes, or as it was where there can be none."""
        from codemods.source import SourceError

        unit = task.unit
        if not isinstance(result, Problem):
            try:
                after = None if result.text is None else unit.source.encode(result.text)
                return FileOutcome(unit.shown, unit.path, result.findings, unit.data, after)
            except SourceError as error:
                result = Problem(unit.shown, error.line, error.message, error.way_out)
        self._survey.problems.append(result)
        [file] = _only_checked([task])
        return file.untouched("the file could not be rewritten")

    def _others(self, rewritten: list[FileOutcome]) -> list[FileOutcome]:
        """The files that are no Python and have findings.

        Lists of requirements come last: they need to know what all the others call.
        """
        from codemods import formats

        files: list[FileOutcome] = []
        with self._job.timings.tier("rewrite" if self._job.rewrites else "detect"):
            for path, data in sorted(self._survey.others, key=formats.lists_requirements):
                listing = formats.lists_requirements((path, data))
                runtime = listing and Outcome((*rewritten, *files)).needs_runtime()
                found = self._other(path, data, self._asked(path, runtime))
                files += [] if found is None else [found]
        return files

    def _asked(self, path: str, runtime: bool) -> Asked:
        from codemods.formats import Asked

        job = self._job
        return Asked(
            job.settings.options(),
            self._detector.rules_for(path),
            self._survey.project,
            safe_only=job.safe_only,
            runtime=runtime,
            rewrites=job.rewrites,
        )

    def _other(self, path: str, data: bytes, asked: Asked) -> FileOutcome | None:
        from codemods import formats
        from codemods.faults import fault
        from codemods.source import SourceError
        from codemods.survey import show

        shown = show(path)
        problem: Problem
        try:
            findings, after = formats.check(shown, data, asked)
        except SourceError as error:
            problem = Problem(shown, error.line, error.message, error.way_out)
        except Exception as error:
            problem = fault(shown, error)
        else:
            file = FileOutcome(shown, path, findings, data, after)
            if findings:
                return file if self._job.rewrites else file.only_checked()
            return None
        self._survey.problems.append(problem)
        return None


def _only_checked(tasks: Sequence[Task]) -> list[FileOutcome]:
    from codemods.engine import finding

    return [
        FileOutcome(
            unit.shown,
            unit.path,
            tuple(finding(ctx.module, hit, unit.shown) for hit in detected),
            unit.data,
        )
        for unit, ctx, detected in tasks
    ]
