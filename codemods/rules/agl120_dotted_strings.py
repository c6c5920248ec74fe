"""AGL120: dotted paths in strings, from which a component is loaded at run time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy import literals
from codemods.legacy.dotted import PATH, REFERENCE, Verdict, judge, judge_reference
from codemods.rule import Hit, Rule

_ENTRY = re.compile(rf"[\w.-]+\s*=\s*(?P<ref>{REFERENCE.pattern})(?:\s*\[.*\])?")
_OPEN_END = re.compile(r"agentlightning(?:\.\w+)*\.(?:%s|\{\w*\})?(?:\.\w+)*")


class DottedStrings(Rule):
    """Strings that are as a whole the path of something that moved."""

    code = "AGL120"
    title = "String names a path that moved"
    why = (
        "`Trainer(tracer=...)`, Hydra's `_target_` and other factories load a class from the "
        "dotted path in a string. No import statement and no type checker shows that the path "
        "leads nowhere in 0.3.0; it fails when the run starts."
    )
    before = 'exporter = {"type": "agentlightning.tracer.triplet.TripletExporter"}'
    after = 'exporter = {"type": "agentlightning.TracerTraceToTriplet"}'
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every string of the file that is a path, and those that begin one."""
        for constant in literals.strings(ctx, "agentlightning."):
            if not _of_another_rule(constant, ctx):
                yield from _string(constant, ctx)
        for joined in ctx.module.table.nodes.get(ast.JoinedStr, ()):
            assert isinstance(joined, ast.JoinedStr)
            first = joined.values[0] if joined.values else None
            if isinstance(first, ast.Constant) and _OPEN_END.fullmatch(str(first.value)):
                yield from _assembled(joined, ctx)


def _of_another_rule(node: ast.Constant, ctx: FileContext) -> bool:
    return (
        literals.serves_patch(node, ctx)
        or literals.serves_import(node, ctx)
        or literals.serves_run(node, ctx)
        or literals.names_module_table(node, ctx)
        or literals.is_annotation(node, ctx)
    )


def _string(node: ast.Constant, ctx: FileContext) -> Iterator[Hit]:
    text = str(node.value).strip()
    entry = _ENTRY.fullmatch(text)
    if entry is not None:
        text = entry["ref"]
    target = ctx.options.target
    if PATH.fullmatch(text):
        use = "module" if literals.called(node, ctx) == "getLogger" else "data"
        verdict = judge(text, target, "module" if use == "module" else "data")
        if use == "module" and text == "agentlightning.reward":
            return  # a logger of that name is still there
        yield from _judged(node, verdict, ctx)
    elif REFERENCE.fullmatch(text):
        yield from _judged(node, judge_reference(text, target), ctx)
    elif _OPEN_END.fullmatch(text):
        yield from _assembled(node, ctx)


def _judged(node: ast.Constant, verdict: Verdict | None, ctx: FileContext) -> Iterator[Hit]:
    if verdict is None:
        return
    path, new = verdict.path, verdict.new
    if new is None:
        yield Hit(node, verdict.message, reason=verdict.reason, symbol=path)
        return
    if literals.spot(node, path, ctx) is None:
        reason = f"the string is written in several pieces; write {new}"
        yield Hit(node, verdict.message, reason=reason, symbol=path)
        return

    def fix(rewrite: Rewrite) -> None:
        literals.respell(rewrite, node, path, new, ctx)

    yield Hit(node, verdict.message, fix, applicability=verdict.applicability, symbol=path)


def _assembled(node: ast.expr, ctx: FileContext) -> Iterator[Hit]:
    outer = ctx.parent(node)
    together = isinstance(outer, ast.BinOp | ast.Attribute) or isinstance(node, ast.JoinedStr)
    if together and literals.called(node, ctx) != "getLogger":
        yield Hit(
            node,
            "a path into agentlightning is put together at run time",
            reason="check that every path it can become exists in 0.3.0",
            symbol="agentlightning",
        )
