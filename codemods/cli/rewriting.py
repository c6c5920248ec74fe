"""`agl-migrate run`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from codemods.cli.session import (
    CLEAN,
    ERROR,
    FINDINGS,
    complain,
    mention,
    place_of,
    print_timings,
    root_of,
    settings_for,
    standard_input,
)
from codemods.journal import TransactionError
from codemods.outcome import Outcome, Problem
from codemods.output import Report, format_json, summary
from codemods.output.console import Console, is_coloured
from codemods.pipeline import Job
from codemods.pipeline import run as work
from codemods.survey import show
from codemods.timings import Timings
from codemods.transaction import Transaction, is_interrupted, undo
from codemods.vcs import is_versioned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codemods.config import Settings


class Options(NamedTuple):
    """What the command line says."""

    paths: tuple[str, ...]
    safe_only: bool
    diff: bool
    target: str | None
    server: str | None
    select: list[str]
    ignore: list[str]
    todo: bool
    jobs: int | None
    allow_dirty: bool
    report: str | None
    undo: bool
    timings: bool


def execute(options: Options) -> int:
    """Rewrite, or take a run back."""
    console = Console()
    paths = options.paths or (".",)
    if options.undo:
        return _take_back(console, root_of(paths))
    _require_folder(options.report)
    settings = settings_for(
        paths,
        select=tuple(options.select),
        ignore=tuple(options.ignore),
        target=options.target,
        server=options.server,
    )
    run = _Run(console, options, settings, paths)
    try:
        if options.diff:
            return run.preview()
        return run.filter() if options.paths == ("-",) else run.apply()
    except TransactionError as error:
        raise click.ClickException(str(error)) from None


class _Run:
    """One run of the command."""

    def __init__(
        self, console: Console, options: Options, settings: Settings, paths: Sequence[str]
    ) -> None:
        self._console = console
        self._options = options
        self._settings = settings
        self._paths = paths
        self._timings = Timings(enabled=options.timings)

    def filter(self) -> int:
        """From standard input to standard output."""
        job = self._job()
        outcome = work(job)
        data = job.stdin
        assert data is not None
        changed = outcome.changed()
        after = changed[0].after if changed else None
        self._console.out(data if after is None else after)
        return self._end(outcome, to_stderr=True)

    def preview(self) -> int:
        """Print a patch and write nothing."""
        from codemods.output.diff import colour, unified_diff

        root = root_of(self._paths)
        if is_interrupted(root):
            raise click.ClickException(
                f"a run in {root} was interrupted; `agl-migrate run --undo` restores its files"
            )
        outcome = work(self._job())
        for file in outcome.changed():
            patch = unified_diff(file.path, file.before, file.after or b"")
            self._console.out(colour(patch) if is_coloured(sys.stdout) else patch)
        self._end(outcome, to_stderr=True)
        if outcome.problems:
            return ERROR
        return FINDINGS if outcome.changed() else CLEAN

    def apply(self) -> int:
        """Rewrite files in place."""
        with Transaction(root_of(self._paths)) as transaction:
            if transaction.recovered is not None:
                for path in transaction.recovered.files:
                    self._console.err(f"{show(path)}: restored after an interrupted run\n")
            outcome = work(self._job())
            if not self._options.allow_dirty:
                _refuse_dirty(outcome)
            with self._timings.tier("write"):
                for file in outcome.changed():
                    assert file.after is not None
                    transaction.add(file.real, file.before, file.after)
                written = transaction.commit()
        return self._end(_without(outcome, written.problems))

    def _job(self) -> Job:
        options = self._options
        return Job(
            self._settings,
            self._paths,
            self._timings,
            rewrites=True,
            safe_only=options.safe_only,
            notes=options.todo,
            jobs=options.jobs,
            stdin=standard_input(self._paths),
        )

    def _end(self, outcome: Outcome, *, to_stderr: bool = False) -> int:
        console, options = self._console, self._options
        write = console.err if to_stderr else console.out
        stream = sys.stderr if to_stderr else sys.stdout
        root = root_of(self._paths)
        report = Report(
            outcome,
            self._settings,
            "run",
            is_dry=options.diff,
            is_coloured=is_coloured(stream),
            place="" if root == root_of((".",)) else place_of(self._paths),
            is_versioned=is_versioned(root),
        )
        for piece in summary.render(report):
            write(piece)
        mention(console, outcome.notes)
        complain(console, outcome.problems)
        print_timings(console, self._timings)
        if options.report is not None:
            _save_report(options.report, report)
        if outcome.problems:
            return ERROR
        return FINDINGS if outcome.remaining() else CLEAN


def _refuse_dirty(outcome: Outcome) -> None:
    from codemods.vcs import VcsError, dirty

    try:
        found = dirty([file.real for file in outcome.changed()])
    except VcsError as error:
        raise click.ClickException(f"{error}; --allow-dirty rewrites without asking") from None
    if found:
        lines = "".join(f"\n  {show(path)}" for path in sorted(found))
        raise click.ClickException(
            f"nothing was written: these files have changes that are not committed{lines}\n"
            "Commit or stash them, or use --allow-dirty."
        )


def _without(outcome: Outcome, failed: Sequence[tuple[str, str]]) -> Outcome:
    """The outcome when some files could not be written after all."""
    if not failed:
        return outcome
    reasons = dict(failed)
    files = [
        file.untouched("the file could not be written") if file.real in reasons else file
        for file in outcome.files
    ]
    problems = [
        Problem(show(path), 0, f"not written: {reason}", "see to that and run again")
        for path, reason in reasons.items()
    ]
    return outcome._replace(
        files=tuple(files), problems=tuple(sorted([*outcome.problems, *problems]))
    )


def _require_folder(report: str | None) -> None:
    """Complain about a report that cannot be written while nothing is done yet."""
    folder = os.path.dirname(report or "") or "."
    if not os.path.isdir(folder):
        raise click.ClickException(f"the report {report} cannot be written: no folder {folder}")


def _save_report(path: str, report: Report) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(format_json.render(report))
    except OSError as error:
        raise click.ClickException(f"the report cannot be written: {error}") from None


def _take_back(console: Console, root: str) -> int:
    try:
        restored = undo(root)
    except TransactionError as error:
        raise click.ClickException(str(error)) from None
    for path in restored.files:
        console.out(f"{show(path)}: restored\n")
    complain(console, [Problem(show(path), 0, reason) for path, reason in restored.problems])
    return ERROR if restored.problems else CLEAN
