"""`agl-migrate check`."""

from __future__ import annotations

import sys
from typing import NamedTuple

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


class Options(NamedTuple):
    """What the command line says."""

    paths: tuple[str, ...]
    output_format: str
    select: list[str]
    ignore: list[str]
    timings: bool


def execute(options: Options) -> int:
    """Look, and print what was found."""
    console = Console()
    paths = options.paths or (".",)
    timings = Timings(enabled=options.timings)
    settings = settings_for(paths, select=tuple(options.select), ignore=tuple(options.ignore))
    outcome = run(Job(settings, paths, timings, stdin=standard_input(paths)))
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
