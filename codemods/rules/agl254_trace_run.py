"""AGL254: `tracer.trace_run`, which most tracers of today do not have."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.instances import is_gone, is_super, may_be
from codemods.legacy.tracers import NESTED, in_rollout, is_tracer
from codemods.names import known
from codemods.names.values import External, Instance, ProjectFunction
from codemods.rule import Hit, Rule

SYMBOL = f"{known.BASE_TRACER}.trace_run"
MESSAGE = "`trace_run` of a tracer opens no trace for emitters, if it is there at all"
EMITTERS = "agentlightning.emitter."


class TraceRun(Rule):
    """`tracer.trace_run(f, x)` into the helper `trace_run(tracer, f, x)`."""

    code = "AGL254"
    title = "`trace_run` works with one tracer only"
    why = (
        "In 0.3 only `AgentOpsTracer` can trace a sync function; `trace_run` of the others raises "
        "NotImplementedError. And inside it there is no active tracer, so `emit_reward`, which "
        "takes the place of `@reward`, raises RuntimeError."
    )
    before = "tracer.trace_run(solve, question)"
    after = "trace_run(tracer, solve, question)"
    applicability = "shim"
    nodes = (ast.Attribute,)
    words = frozenset({"trace_run"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """References to the method of tracers."""
        assert isinstance(node, ast.Attribute)
        if is_super(node.value) or is_gone(ctx, node.value):
            return
        if not is_tracer(ctx, node.value):
            if may_be(ctx, node.value, "tracer"):
                asked = f"if `{ctx.source(node.value)}` is a tracer of agentlightning, annotate it"
                yield Hit(node, MESSAGE, reason=f"{asked} and run again", symbol=SYMBOL)
        elif not isinstance(ctx.infer(node), ProjectFunction) and not _works(node, ctx):
            yield _hit(node, ctx)


def _works(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether the tracer is the one that has it, and nothing is emitted in this file."""
    value = ctx.infer(node.value)
    if not isinstance(value, Instance) or value.of != External(known.AGENTOPS_TRACER):
        return False
    emitting = (known.REWARD, EMITTERS)
    return not any(
        ctx.project.canonical(binding.path).startswith(emitting)
        or ctx.project.canonical(binding.path) == "agentlightning"
        for bindings in ctx.module.imported.values()
        for binding in bindings
    )


def _hit(node: ast.Attribute, ctx: FileContext) -> Hit:
    call = ctx.parent(node)
    reason = ""
    if not isinstance(call, ast.Call) or call.func is not node:
        reason = "not called here: hand on a function that calls trace_run(tracer, ...) of the shim"
    elif in_rollout(ctx, node):
        reason = NESTED
    elif not call.args or isinstance(call.args[0], ast.Starred):
        reason = "the function to run cannot be seen"
    if reason:
        return Hit(node, MESSAGE, reason=reason, symbol=SYMBOL)

    def fix(rewrite: Rewrite) -> None:
        assert isinstance(call, ast.Call)
        rewrite.call(call).to_function(rewrite.use(f"{HELPERS}.trace_run", call))

    return Hit(call or node, MESSAGE, fix, symbol=SYMBOL)
