"""AGL255: overrides of a tracer's `init_worker`, which gets the store today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.instances import is_super
from codemods.legacy.tracers import is_sync
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

NAME = "init_worker"


class TracerInitWorker(Rule):
    """`def init_worker(self, worker_id)` with a second parameter, handed on to the base class."""

    code = "AGL255"
    title = "`init_worker` of a tracer gets the store"
    why = (
        "Runners of 0.3 call `tracer.init_worker(worker_id, store)`; an override without the "
        "second parameter raises TypeError, and one that keeps it from the base class loses "
        "every span."
    )
    before = "def init_worker(self, worker_id):\n    super().init_worker(worker_id)"
    after = (
        "def init_worker(self, worker_id, store=None):\n    super().init_worker(worker_id, store)"
    )
    applicability = "review"
    nodes = (ast.FunctionDef,)
    words = frozenset({NAME})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Overrides in tracers; those that `adapt_tracer` serves may stay."""
        assert isinstance(node, ast.FunctionDef)
        cls = ctx.parent(node)
        if node.name != NAME or not isinstance(cls, ast.ClassDef) or node.args.vararg is not None:
            return
        owner = ProjectClass(ctx.module, cls)
        positional = [*node.args.posonlyargs, *node.args.args]
        if not ctx.project.inference.derives(owner, known.TRACER) or is_sync(ctx, owner):
            return
        if len(positional) == 2:
            yield _hit(node, positional[1], ctx)


def _hit(method: FunctionNode, worker: ast.arg, ctx: FileContext) -> Hit:
    message = f"`{NAME}` of a tracer is called with (worker_id, store)"
    symbol = f"{known.TRACER}.{NAME}"
    default = method.args.defaults[-1] if method.args.defaults else None
    taken = [n.id for n in ast.walk(method) if isinstance(n, ast.Name)]
    taken += [a.arg for a in ast.walk(method.args) if isinstance(a, ast.arg)]
    reason = ""
    if "store" in taken:
        reason = "the name `store` is used for something else here; add a parameter by hand"
    elif default is not None and not isinstance(default, ast.Constant):
        reason = "the default of worker_id is not a plain value; add the parameter by hand"
    if reason:
        return Hit(method, message, reason=reason, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        end = ctx.module.span(default if default is not None else worker)[1]
        if default is not None and ctx.module.text[end : end + 1] == ")" and _wrapped(end, ctx):
            rewrite.block("parentheses stand around the default")
        rewrite.replace_span(end, end, ", store=None")
        for call in _to_base(method, ctx):
            rewrite.call(call).set_keyword("store", "store")

    return Hit(method, message, fix, symbol=symbol)


def _wrapped(end: int, ctx: FileContext) -> bool:
    """Whether the parenthesis at a place is followed by another that closes the header."""
    rest = ctx.module.text[end + 1 :].lstrip(" \t\r\n,")
    return rest.startswith(")")


def _to_base(method: FunctionNode, ctx: FileContext) -> Iterator[ast.Call]:
    """The calls in the body that hand the worker on to the base class."""
    for call in ast.walk(method):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        owner = call.func.value
        base = is_super(owner) or ctx.is_class(owner, known.TRACER)
        spread = any(k.arg in (None, "store") for k in call.keywords)
        if call.func.attr == NAME and base and not spread:
            yield call
