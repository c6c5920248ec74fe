"""The command line. What a command does is imported when it is called."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codemods.output.console import Console

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code: 0 clean, 1 findings, 2 error."""
    from codemods.output.console import Console

    console = Console()
    # A run keeps nearly all that it makes until it ends: looking for garbage is time lost.
    gc.set_threshold(100_000, 50, 50)
    try:
        code = _execute(list(arguments))
    except (Exception, KeyboardInterrupt) as error:
        code = _failed(error, console)
    console.close()
    return code


def _execute(arguments: list[str]) -> int:
    if arguments[:1] == ["check"] and not any(a.startswith("-") for a in arguments):
        # What CI and hooks call all day; there is nothing to read in it that needs a parser.
        from codemods.cli.checking import Options, execute

        return execute(Options(tuple(arguments[1:])))
    from codemods.cli.app import app

    code = app.main(arguments, prog_name="agl-migrate", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, console: Console) -> int:
    import click

    if isinstance(error, click.ClickException):
        error.show()
        return 2
    if isinstance(error, click.Abort | KeyboardInterrupt):
        ended = "" if isinstance(error, click.Abort) else "\n"
        console.err(f"{ended}Interrupted; no file is left half-written.\n")
        return INTERRUPTED
    import traceback

    console.err("".join(traceback.format_exception(error)))
    console.err("agl-migrate: this is a fault of the tool; please report it.\n")
    return 2
