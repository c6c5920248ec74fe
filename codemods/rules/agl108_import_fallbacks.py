"""AGL108: imports with a fallback for another release of agentlightning."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.branches import keep
from codemods.legacy.fallbacks import (
    bound,
    catches_imports,
    imports,
    may_be_missing,
    overall,
    standing,
)
from codemods.rule import Hit, Rule


class ImportFallbacks(Rule):
    """`try` and `except ImportError` over two releases, cut down to the one that is left."""

    code = "AGL108"
    title = "Import falls back to another release"
    why = (
        "A project that ran on two releases tries the names of one and falls back to those of "
        "the other. With 0.3.0 it is clear which branch runs; the other one is dead code that "
        "names what is gone."
    )
    before = (
        "try:\n"
        "    from agentlightning import LegacyAgentRunner\n"
        "except ImportError:\n"
        "    from agentlightning.runner import AgentRunner as LegacyAgentRunner"
    )
    after = "from agentlightning import LegacyAgentRunner"
    applicability = "review"
    nodes = (ast.Try,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Statements whose branches import the framework, for releases with and without a name."""
        assert isinstance(node, ast.Try)
        if not catches_imports(node) or not imports(node.body):
            return
        others = [statement for handler in node.handlers for statement in handler.body]
        if imports(others):
            yield _decided(node, others, ctx)
        elif overall(node.body) == "there" and (name := _newer(node.body)):
            yield from _optional(node, others, name, ctx)


def _decided(node: ast.Try, others: list[ast.stmt], ctx: FileContext) -> Hit:
    """Both branches want agentlightning, so that only its release tells them apart."""
    symbol = imports(node.body)[0][1]
    takes = _taken(node, others)
    if not takes:
        reason = "keep the branch whose names 0.3.0 has"
        return Hit(node, "the import falls back to another release", reason=reason, symbol=symbol)
    message = f"with 0.3.0 the {'second' if takes == 'handler' else 'first'} import is the one used"
    if node.finalbody or node.orelse or not _same_names(node, others, takes):
        reason = "the branches do more than import the same names: keep what 0.3.0 runs of it"
        return Hit(node, message, reason=reason, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        keep(rewrite, node, _handled if takes == "handler" else _tried)

    return Hit(node, message, fix, symbol=symbol)


def _tried(node: ast.AST) -> Sequence[ast.stmt]:
    assert isinstance(node, ast.Try)
    return node.body


def _handled(node: ast.AST) -> Sequence[ast.stmt]:
    assert isinstance(node, ast.Try)
    return node.handlers[0].body


def _taken(node: ast.Try, others: list[ast.stmt]) -> str:
    first = overall(node.body)
    if first == "there":
        return "body"
    second = overall(others)
    return "handler" if (first, second, len(node.handlers)) == ("gone", "there", 1) else ""


def _same_names(node: ast.Try, others: list[ast.stmt], takes: str) -> bool:
    first, second = bound(node.body), bound(others)
    if first is None or second is None:
        return False
    return second <= first if takes == "body" else first <= second


def _newer(body: list[ast.stmt]) -> str:
    """A name of a branch that 0.1 did not have."""
    for _, path in imports(body):
        row = api_map.load().lookup(path)
        if row is None or "0.1.2" not in row.exists.get(path, ()):
            return path if standing(path) == "there" else ""
    return ""


def _optional(node: ast.Try, others: list[ast.stmt], name: str, ctx: FileContext) -> Iterator[Hit]:
    if any(isinstance(statement, ast.Raise) for statement in others):
        return  # it says that the package is needed
    if any(path == "agentlightning" for _, path in imports(node.body)) or may_be_missing(ctx):
        return  # whether the package is there at all is what is asked
    yield Hit(
        node,
        f"`{name}` is imported as if a release might not have it",
        reason="0.3.0 has it: keep the fallback only if agentlightning itself may be missing",
        symbol=name,
    )
