"""AGL109: branches by the release of agentlightning that is installed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.branches import discard, keep
from codemods.legacy.guards import (
    VERSION,
    asked_name,
    guard_around,
    is_version,
    signature_test,
    truth,
    version_reads,
)
from codemods.names import known
from codemods.names.values import External, Instance, ProjectClass
from codemods.rule import Hit, Rule

_METHODS = ("training_rollout", "validation_rollout", "on_rollout_start", "on_rollout_end")


class VersionGuards(Rule):
    """Tests of `__version__`, of package metadata, of `hasattr` and of signatures."""

    code = "AGL109"
    title = "Test of the installed release"
    why = (
        "Code for several releases asks which one it runs on. With 0.3.0 the answer is known: "
        "the branch for 0.1 is dead, and a test that was written before 0.3 may take 0.3 for "
        "something else."
    )
    before = 'if agentlightning.__version__ < "0.2":\n    old()\nelse:\n    new()'
    after = "new()"
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every test of the release; where it decides a branch and is sure, the branch goes."""
        text = ctx.module.text
        if "version" in text or "distribution" in text:
            yield from _versions(ctx)
        if "hasattr" in text:
            for call in ctx.module.table.nodes.get(ast.Call, ()):
                assert isinstance(call, ast.Call)
                yield from _hasattr(call, ctx)
        if "rollout_id" in text or "signature" in text:
            for compare in ctx.module.table.nodes.get(ast.Compare, ()):
                assert isinstance(compare, ast.Compare)
                if signature_test(compare, ctx):
                    reason = "0.3.0 gives rollouts by keyword: keep the branch for `rollout`"
                    message = "the parameters of a rollout method tell the release"
                    yield Hit(compare, message, reason=reason, symbol=known.LIT_AGENT)


def _versions(ctx: FileContext) -> Iterator[Hit]:
    reads = list(version_reads(ctx))
    if not reads:
        return
    for name in ctx.module.table.nodes.get(ast.Name, ()):
        assert isinstance(name, ast.Name)
        if isinstance(name.ctx, ast.Load) and name not in reads and is_version(name, ctx):
            reads.append(name)
    seen: set[ast.AST] = set()
    for read in reads:
        guard = guard_around(read, ctx)
        if guard is not None and guard not in seen:
            seen.add(guard)
            yield _guard(guard, "the release of agentlightning is tested", VERSION, ctx)
        elif guard is None and ctx.options.target != "agentlightning" and not _named(read):
            reason = "agentlightning_compat has a version of its own"
            yield Hit(read, "the version of agentlightning is read", reason=reason, symbol=VERSION)


def _named(read: ast.expr) -> bool:
    """Whether this is the variable, not the place that it got its value from."""
    return isinstance(read, ast.Name) and read.id != "__version__"


def _guard(guard: ast.expr, message: str, symbol: str, ctx: FileContext) -> Hit:
    test = guard
    while isinstance(outer := ctx.parent(test), ast.UnaryOp) and isinstance(outer.op, ast.Not):
        test = outer
    answer = truth(test, ctx)
    branch = ctx.parent(test)
    if answer is None:
        return Hit(guard, message, reason="keep the branch that is for 0.3", symbol=symbol)
    says = f"{message}: with 0.3.0 `{ctx.source(test)}` is {answer}"
    if not isinstance(branch, ast.If) or branch.test is not test or _chained(branch, answer, ctx):
        return Hit(guard, says, reason="keep what runs then", symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        if answer or branch.orelse:
            keep(rewrite, branch, _body if answer else _orelse)
        else:
            discard(rewrite, branch)

    return Hit(branch, says, fix, symbol=symbol)


def _chained(branch: ast.If, answer: bool, ctx: FileContext) -> bool:
    """Whether the branch to keep, or the statement itself, is an `elif`."""
    other = branch.orelse[0] if branch.orelse and not answer else None
    return any(
        isinstance(node, ast.If) and ctx.source(node).startswith("elif") for node in (branch, other)
    )


def _body(node: ast.AST) -> Sequence[ast.stmt]:
    assert isinstance(node, ast.If)
    return node.body


def _orelse(node: ast.AST) -> Sequence[ast.stmt]:
    assert isinstance(node, ast.If)
    return node.orelse


def _hasattr(call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    path = asked_name(call, ctx)
    if path:
        yield _guard(call, f"whether `{path}` exists is asked", path, ctx)
        return
    if getattr(call.func, "id", "") != "hasattr" or len(call.args) != 2:
        return
    owner, name = call.args
    attr = str(name.value) if isinstance(name, ast.Constant) else ""
    value = ctx.infer(owner)
    cls = value.of if isinstance(value, Instance) else value
    bases = ctx.project.inference.mro(cls) if isinstance(cls, ProjectClass) else [cls]
    base = next((b.path for b in bases if isinstance(b, External)), "")
    if not base and cls is None and attr.removesuffix("_async") in _METHODS:
        base = known.LIT_AGENT  # a parameter, most likely
    row = api_map.load().members_of(base).get(attr)
    if row is not None and (row.legacy or row.change != "same"):
        reason = "LitAgent of 0.3.0 has it" if base == known.LIT_AGENT else row.advice
        yield Hit(call, f"whether there is `{attr}` is asked", reason=reason, symbol=row.path)
