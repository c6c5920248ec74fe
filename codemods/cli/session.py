"""What `run` and `check` have in common: settings, input, messages, exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from codemods.config import ConfigError, Settings, load
from codemods.outcome import Problem
from codemods.survey import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from codemods.outcome import Note
    from codemods.output.console import Console
    from codemods.timings import Timings

CLEAN, FINDINGS, ERROR = 0, 1, 2
_FEW = 3
_MARKS = (".git", ".hg", "pyproject.toml", "setup.py")


def settings_for(paths: Sequence[str], **given: object) -> Settings:
    """The settings of pyproject.toml with those of the command line over them.

    Raises click.ClickException for settings that cannot be used.
    """
    try:
        settings = load(common_folder(paths)).override(**given)
        if given.get("select") or given.get("ignore"):
            settings.rules()
    except ConfigError as error:
        import click

        raise click.ClickException(str(error)) from None
    return settings


def common_folder(paths: Sequence[str]) -> str:
    """The folder that holds all paths of a command line."""
    if STDIN in paths:
        return os.getcwd()
    folder = os.path.commonpath([os.path.abspath(path) for path in paths])
    return folder if os.path.isdir(folder) else os.path.dirname(folder)


def root_of(paths: Sequence[str]) -> str:
    """The folder that a run is undone in: of the repository or project that holds all paths."""
    start = common_folder(paths)
    for mark in _MARKS:
        folder = start
        while True:
            if os.path.lexists(os.path.join(folder, mark)):
                return folder
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
    here = os.getcwd()
    return here if os.path.commonpath([here, start]) == here else start


def place_of(paths: Sequence[str]) -> str:
    """What to put behind a command so that it means the same files; empty for the folder here."""
    if tuple(paths) in ((".",), (STDIN,)):
        return ""
    from shlex import quote

    return " " + (" ".join(map(quote, paths)) if len(paths) <= _FEW else "PATHS")


def standard_input(paths: Sequence[str]) -> bytes | None:
    """The bytes to look at, where the one path is `-`."""
    if STDIN not in paths:
        return None
    if len(paths) > 1:
        import click

        raise click.UsageError("`-` (standard input) does not go with other paths.")
    return sys.stdin.buffer.read()


def complain(console: Console, problems: Iterable[Problem]) -> None:
    """Tell of problems, one a line, on standard error."""
    for path, line, message, advice in problems:
        place = f"{path}:{line}" if line else path
        console.err(f"{place}: error: {message}{'; ' + advice if advice else ''}\n")


def mention(console: Console, notes: Iterable[Note]) -> None:
    """Tell what was passed over, on standard error."""
    for path, reason in notes:
        console.err(f"{path}: skipped: {reason}\n")


def print_timings(console: Console, timings: Timings) -> None:
    """The table of `--timings`, on standard error."""
    if timings.enabled:
        console.err("".join(line + "\n" for line in timings.lines()))
