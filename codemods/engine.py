"""What the rules see in one file, given the project index."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from codemods.context import FileContext, Options
from codemods.finding import Finding
from codemods.names.module import Module
from codemods.project import Project
from codemods.rule import Hit, Rule
from codemods.suppress import skips_file, suppressed


class Detected:
    """One hit with the rule that made it and its place in the text.

    `blocked` is why it cannot be rewritten after all, `fixed` whether it was.
    """

    __slots__ = ("blocked", "end", "fixed", "hit", "rule", "start")

    def __init__(self, rule: Rule, hit: Hit, start: int, end: int) -> None:
        self.rule = rule
        self.hit = hit
        self.start = start
        self.end = end
        self.blocked = ""
        self.fixed = False


class FileResult(NamedTuple):
    """What came of one file; `text` is None where nothing changed."""

    path: str
    findings: tuple[Finding, ...]
    text: str | None = None


def detect(ctx: FileContext, rules: Sequence[Rule]) -> list[Detected]:
    """All hits of `rules` in a file, by place."""
    module = ctx.module
    if skips_file(module.text):
        return []
    found = []
    nodes = module.table.nodes
    for rule in rules:
        if rule.words and rule.words.isdisjoint(module.words):
            continue
        for kind in rule.nodes:
            spelled = rule.attributes or rule.words if kind is ast.Attribute else None
            for node in _attributes(module, spelled) if spelled else nodes.get(kind, ()):
                for hit in rule.check(node, ctx):
                    start, end = hit.span or _span(module, hit.node)
                    found.append(Detected(rule, hit, start, end))
    found.sort(key=lambda d: (d.start, -d.end, d.rule.code))
    if "#" in module.text:
        found = [d for d in found if not _suppressed(module, d)]
    return found


def _attributes(module: Module, names: frozenset[str]) -> list[ast.Attribute]:
    """The attributes of a file that spell one of some names."""
    spelled = module.attributes
    return [node for name in sorted(names & spelled.keys()) for node in spelled[name]]


def _span(module: Module, node: ast.AST) -> tuple[int, int]:
    return (0, 0) if isinstance(node, ast.Module) else module.span(node)


def _suppressed(module: Module, detected: Detected) -> bool:
    line_start = max(
        module.text.rfind("\n", 0, detected.start), module.text.rfind("\r", 0, detected.start)
    )
    stops = (module.text.find(end, detected.start) for end in "\r\n")
    line_end = min((stop for stop in stops if stop != -1), default=len(module.text))
    return suppressed(module.text[line_start + 1 : line_end], detected.rule.code)


def check_file(ctx: FileContext, rules: Sequence[Rule], shown: str) -> FileResult:
    """The findings of a file; `shown` is the path that they name."""
    detected = detect(ctx, rules)
    return FileResult(shown, tuple(finding(ctx.module, d, shown) for d in detected))


def rewritable(detected: Sequence[Detected], *, safe_only: bool = False) -> list[Detected]:
    """The hits that a run applies."""
    return [d for d in detected if d.hit.fix is not None and _allowed(d, safe_only)]


def _allowed(detected: Detected, safe_only: bool) -> bool:
    return not safe_only or applicability(detected) == "safe"


def applicability(detected: Detected) -> str:
    """How far the rewrite of a hit can be trusted."""
    return detected.hit.applicability or detected.rule.applicability


def finding(module: Module, detected: Detected, shown: str) -> Finding:
    """A hit as the user sees it."""
    line, column = module.position(detected.start)
    end_line, end_column = module.position(detected.end)
    hit = detected.hit
    base = Finding(
        path=shown,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        code=detected.rule.code,
        message=hit.message,
        applicability=hit.applicability or detected.rule.applicability,
        fixable=hit.fix is not None and not detected.blocked,
        reason=detected.blocked or hit.reason,
        fixed=detected.fixed,
        symbol=hit.symbol,
    )
    return base._replace(applicability="manual") if hit.fix is None else base


def context_for(project: Project, module: Module, options: Options) -> FileContext:
    """The context of one file of a project."""
    return FileContext.of(project, module, options)
