"""`agl-migrate rules` and `agl-migrate explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from codemods.cli.session import CLEAN
from codemods.output.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codemods.api_map import Symbol
    from codemods.rule import Rule

_WIDTH = 88


def list_rules() -> int:
    """One line for each rule."""
    from codemods.registry import all_rules

    console = Console()
    for rule in all_rules():
        console.out(f"{rule.code}  {rule.applicability:6}  {rule.title}\n")
    return CLEAN


def explain(word: str) -> int:
    """A rule's page, or the rows of the API map for a name.

    Raises click.ClickException for a word that is neither.
    """
    from codemods.registry import all_rules

    console = Console()
    for rule in all_rules():
        if rule.code == word.upper():
            console.out("".join(line + "\n" for line in _page(rule)))
            return CLEAN
    found = _rows(word)
    if not found:
        raise click.ClickException(
            f"{word!r} is no rule and no name of the legacy API;"
            " `agl-migrate rules` lists the rules"
        )
    console.out("\n".join("".join(line + "\n" for line in _row(row)) for row in found))
    return CLEAN


def _page(rule: Rule) -> Iterator[str]:
    import textwrap

    yield f"{rule.code}: {rule.title}"
    yield f"Applicability: {rule.applicability}"
    yield ""
    yield from textwrap.wrap(rule.why, _WIDTH)
    for name, code in (("Before", rule.before), ("After", rule.after)):
        yield ""
        yield f"{name}:"
        yield from textwrap.indent(code.strip("\n"), "    ").split("\n")


def _rows(word: str) -> list[Symbol]:
    from codemods import api_map

    table = api_map.load()
    exact = table.lookup(word)
    if exact is not None:
        return [exact]
    return [symbol for symbol in table.symbols if symbol.name == word]


def _row(symbol: Symbol) -> Iterator[str]:
    import textwrap

    yield f"{symbol.path} ({symbol.kind}; in {', '.join(symbol.versions)})"
    others = [path for path in symbol.paths if path != symbol.path]
    if others:
        yield f"  also:       {', '.join(others)}"
    for target, replacement in symbol.replacement.items():
        if replacement is not None:
            yield f"  {target}: {replacement}"
    if symbol.successor is not None:
        yield f"  store API:  {symbol.successor}"
    yield f"  {symbol.change} in 0.3.0; rewrites are {symbol.applicability}"
    if symbol.advice:
        yield from textwrap.wrap(symbol.advice, _WIDTH, initial_indent="  ", subsequent_indent="  ")
