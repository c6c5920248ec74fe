"""AGL266: parts of the legacy runner that 0.3.0 still has and nothing uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy.instances import is_a, is_super
from codemods.legacy.tracers import method_of
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

NAMES = frozenset(
    {
        "agentlightning.litagent.litagent.is_v0_1_rollout_api",
        "agentlightning.execution.inter_process.InterProcessExecutionStrategy",
    }
)
ALGORITHM = "agentlightning.algorithm.base.Algorithm"
STATUS = "agentlightning.types.tracer.TraceStatus"
CODES = frozenset({"UNSET", "OK", "ERROR"})
CLIENT = "get_client"


class LeftOver(Rule):
    """Names that resolve and are of no use with the store API; a status that is no code."""

    code = "AGL266"
    title = "Left over from the legacy runner"
    why = (
        "0.3.0 still has `is_v0_1_rollout_api`, `Algorithm.get_client` and a placeholder for an "
        "execution strategy, for `fit_v0` or for nobody. `TraceStatus.status_code` is one of three "
        "words since 0.3; any other raises a validation error."
    )
    before = "client = algorithm.get_client()"
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Module, ast.FunctionDef)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Reads of the names, the method and its overrides, and statuses that are built."""
        if isinstance(node, ast.FunctionDef):
            yield from _override(node, ctx)
            return
        yield from _read(ctx)
        for call in ctx.calls(STATUS):
            yield from _status(call)


def _read(ctx: FileContext) -> Iterable[Hit]:
    for node, path in ctx.reads(*NAMES):
        if isinstance(node.ctx, ast.Load):
            yield _hit(node, path)
    for asked in ctx.module.attributes.get(CLIENT, ()):
        of_algorithm = not is_super(asked.value) and is_a(ctx, asked.value, *known.ALGORITHMS)
        if isinstance(asked.ctx, ast.Load) and ctx.qual(asked) not in NAMES and of_algorithm:
            yield _hit(asked, f"{ALGORITHM}.{CLIENT}")


def _hit(node: ast.AST, path: str) -> Hit:
    row = api_map.load().lookup(path)
    advice = row.advice if row is not None else ""
    return Hit(node, f"`{path.rpartition('.')[2]}` is of no use", reason=advice, symbol=path)


def _override(node: ast.FunctionDef, ctx: FileContext) -> Iterable[Hit]:
    cls = ctx.parent(node)
    if node.name != CLIENT or not isinstance(cls, ast.ClassDef):
        return
    owner = ProjectClass(ctx.module, cls)
    if ctx.project.inference.derives(owner, *known.ALGORITHMS) and method_of(owner, CLIENT) is node:
        yield _hit(node, f"{ALGORITHM}.{CLIENT}")


def _status(node: ast.Call) -> Iterable[Hit]:
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg == "status_code" and value is not None and value not in CODES:
            message = f"{value!r} is no status of a span"
            yield Hit(keyword, message, reason='give "UNSET", "OK" or "ERROR"', symbol=STATUS)
