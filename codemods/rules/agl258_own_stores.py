"""AGL258: stores of the project's own, written for the interface of 0.2."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.instances import is_super
from codemods.legacy.tracers import method_of
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, ProjectClass
from codemods.rule import Hit, Rule

NEW = (
    "capabilities",
    "statistics",
    "otlp_traces_endpoint",
    "enqueue_many_rollouts",
    "dequeue_many_rollouts",
    "add_many_spans",
    "query_resources",
    "get_many_span_sequence_ids",
    "query_workers",
    "get_worker_by_id",
    "update_worker",
)
DEQUEUE = "dequeue_rollout"


class OwnStores(Rule):
    """`dequeue_rollout` takes the worker's id; new methods of the interface are reported."""

    code = "AGL258"
    title = "Store of your own, written for 0.2"
    why = (
        "Runners of 0.3 call `dequeue_rollout(worker_id=...)`, and `LightningStore` has eleven "
        "more methods; those that a store of your own lacks raise NotImplementedError."
    )
    before = "async def dequeue_rollout(self): ..."
    after = "async def dequeue_rollout(self, worker_id=None): ..."
    applicability = "review"
    nodes = (ast.ClassDef,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Classes made from a store."""
        assert isinstance(node, ast.ClassDef)
        cls = ProjectClass(ctx.module, node)
        if ctx.project.inference.derives(cls, known.STORE):
            yield from _missing(cls, ctx)
            yield from _dequeue(cls, ctx)


def _missing(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    """The methods that a class right below the interface lacks."""
    if External(known.STORE) not in [ctx.infer(base) for base in cls.node.bases]:
        return
    lacking = [name for name in NEW if not _defines(cls, name)]
    if lacking:
        message = f"`{cls.node.name}` lacks methods that a store has since 0.3"
        reason = f"add {', '.join(lacking)}"
        yield Hit(cls.node, message, reason=reason, symbol=known.STORE, span=_head(cls))


def _head(cls: ProjectClass) -> tuple[int, int]:
    """The line that names the class, not its body."""
    start, _ = cls.module.span(cls.node)
    return start, start + len(f"class {cls.node.name}")


def _defines(cls: ProjectClass, name: str) -> bool:
    return name in cls.module.table.inner[cls.node].bindings


def _dequeue(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    method = method_of(cls, DEQUEUE)
    if method is None or method.args.kwarg is not None:
        return
    every = [*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs]
    if "worker_id" in [argument.arg for argument in every]:
        return
    message = f"`{DEQUEUE}` is called with worker_id since 0.3"
    symbol = f"{known.STORE}.{DEQUEUE}"
    if len(every) != 1 or method.args.vararg is not None:
        reason = "it takes other things here; add worker_id=None by hand"
        yield Hit(method, message, reason=reason, symbol=symbol)
        return

    def fix(rewrite: Rewrite) -> None:
        end = ctx.module.span(every[0])[1]
        rewrite.replace_span(end, end, ", worker_id=None")
        for call in _to_base(method):
            rewrite.call(call).set_keyword("worker_id", "worker_id")

    yield Hit(method, message, fix, symbol=symbol)


def _to_base(method: FunctionNode) -> Iterator[ast.Call]:
    for call in ast.walk(method):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr == DEQUEUE and is_super(call.func.value):
            yield call
