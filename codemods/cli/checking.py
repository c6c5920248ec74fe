"""`agl-migrate check`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from codemods.cli.session import (
    CLEAN,
    ERROR,
    FINDINGS,
    complain,
    mention,
    place_of,
    print_timings,
    settings_for,
    standard_input,
)
from codemods.output import Report, load
from codemods.output.console import Console, is_coloured
from codemods.pipeline import Job, run
from codemods.timings import Timings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codemods.config import Settings
    from codemods.outcome import Outcome
    from codemods.usage_report import Use


class Options(NamedTuple):
    """What the command line says."""

    paths: tuple[str, ...] = ()
    output_format: str = "text"
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    timings: bool = False
    usage: str | None = None


def execute(options: Options) -> int:
    """Look, and print what was found."""
    console = Console()
    paths = options.paths or (".",)
    timings = Timings(enabled=options.timings)
    settings = settings_for(paths, select=tuple(options.select), ignore=tuple(options.ignore))
    uses = _uses(options.usage) if options.usage is not None else None
    outcome = run(Job(settings, paths, timings, stdin=standard_input(paths)))
    if uses is not None:
        outcome = _merged(outcome, uses, paths, settings)
    report = Report(
        outcome, settings, "check", is_coloured=is_coloured(sys.stdout), place=place_of(paths)
    )
    for piece in load(options.output_format).render(report):
        console.out(piece)
    mention(console, outcome.notes)
    complain(console, outcome.problems)
    print_timings(console, timings)
    if outcome.problems:
        return ERROR
    return FINDINGS if any(True for _ in outcome.findings()) else CLEAN


def _uses(path: str) -> dict[Use, int]:
    from codemods.usage_report import UsageError, read

    try:
        return read(path)
    except UsageError as error:
        import click

        raise click.ClickException(str(error)) from None


def _merged(
    outcome: Outcome, uses: dict[Use, int], paths: Sequence[str], settings: Settings
) -> Outcome:
    from codemods.detection import PerFileIgnores
    from codemods.usage_report import CODE, merged

    wanted = any(rule.code == CODE for rule in settings.rules())
    ignores = PerFileIgnores(settings)
    return merged(
        outcome, uses, paths, lambda file: wanted and not CODE.startswith(ignores.codes(file))
    )
