"""The commands, as click reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_RUNTIME = """\b
For the transition (each with a --help of its own):
  serve    Serve a store to runners, algorithms and legacy clients.
  exec     Run an unmodified script on this package's runtime."""


def _codes(ctx: click.Context, parameter: click.Parameter, value: Sequence[str]) -> list[str]:
    """Codes separated by commas, in any number of options."""
    parts = [part.strip().upper() for item in value for part in item.split(",")]
    return [part for part in parts if part]


class _FormatName(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """The name of an output format; which there are is only looked up when it matters."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        from codemods.output import names

        return f"[{'|'.join(names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from codemods.output import names

        if value not in names():
            self.fail(f"{value!r} is not one of {', '.join(names())}.", param, ctx)
        return str(value)


_paths = click.argument("paths", nargs=-1, type=click.Path())
_select = click.option(
    "--select", multiple=True, metavar="CODES", callback=_codes, help="Use only these rules."
)
_ignore = click.option(
    "--ignore", multiple=True, metavar="CODES", callback=_codes, help="Leave these rules out."
)
_timings = click.option("--timings", is_flag=True, help="Print the time per step and rule.")


@click.group(context_settings=_SETTINGS, epilog=_RUNTIME)
@click.version_option(package_name="agentlightning-compat", message="%(prog)s %(version)s")
def app() -> None:
    """Migrate code from agent-lightning's legacy API to the store API of 0.3.

    Exit codes: 0 nothing left to do, 1 findings, 2 an error.
    """


@app.command()
@_paths
@click.option("--safe-only", is_flag=True, help="Apply only rewrites that keep behaviour.")
@click.option(
    "--diff", is_flag=True, help="Write nothing, print a patch; exit 1 if it has changes."
)
@click.option(
    "--target",
    type=click.Choice(["agentlightning", "agentlightning_compat"]),
    help="The package that the result imports.  [default: agentlightning]",
)
@click.option(
    "--server",
    type=click.Choice(["store", "legacy"]),
    help="What will answer at the URLs in the code.  [default: store]",
)
@_select
@_ignore
@click.option("--todo", is_flag=True, help="Mark what is left to a person by TODO comments.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes for rewriting.")
@click.option("--allow-dirty", is_flag=True, help="Rewrite files with uncommitted changes too.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write a JSON report to a file.")
@click.option("--undo", is_flag=True, help="Take back the last run.")
@_timings
def run(**options: Any) -> int:
    """Rewrite everything that can be rewritten, in place.

    PATHS are files and folders (default: the current folder); `-` reads standard input and writes
    the result to standard output. Exits with 1 where something is left to a person.
    """
    from codemods.cli.rewriting import Options, execute

    return execute(Options(**options))


@app.command()
@_paths
@click.option(
    "--output-format",
    type=_FormatName(),
    default="text",
    show_default=True,
    help="How to print the findings.",
)
@click.option(
    "--usage",
    type=click.Path(),
    metavar="FILE",
    help="What ran, from AGL_MIGRATE_REPORT: add it to the findings.",
)
@_select
@_ignore
@_timings
def check(**options: Any) -> int:
    """Report legacy use, and write nothing.

    PATHS are files and folders (default: the current folder); `-` reads standard input.
    """
    from codemods.cli.checking import Options, execute

    return execute(Options(**options))


@app.command()
def rules() -> int:
    """List the rules: code, applicability, title."""
    from codemods.cli.explaining import list_rules

    return list_rules()


@app.command()
@click.argument("code")
def explain(code: str) -> int:
    """Explain a rule (AGL201), or a name of the legacy API (AgentRunner)."""
    from codemods.cli.explaining import explain as show

    return show(code)
