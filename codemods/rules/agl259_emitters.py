"""AGL259: what changed about the emitters between 0.2 and 0.3."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names.values import External
from codemods.rule import Hit, Rule

GET_TRACER = "agentlightning.emitter.utils.get_tracer"
REWARD = "agentlightning.emitter.reward.emit_reward"
TODAY = "opentelemetry.trace.get_tracer"
EMITTERS = {
    REWARD: "emit_reward",
    "agentlightning.emitter.message.emit_message": "emit_message",
    "agentlightning.emitter.object.emit_object": "emit_object",
    "agentlightning.emitter.exception.emit_exception": "emit_exception",
}
ERRORS = "TypeError for a value of another type and RuntimeError where no tracer is active"


class Emitters(Rule):
    """`get_tracer` of the emitters is OpenTelemetry's; results and errors are reported."""

    code = "AGL259"
    title = "Emitters behave otherwise"
    why = (
        "`agentlightning.emitter.utils` is gone; its `get_tracer()` gave OpenTelemetry's tracer of "
        "the name agentlightning. Since 0.3 emitters need an active tracer, raise TypeError for "
        "what they cannot emit, and return fields of a span, not a `ReadableSpan`."
    )
    before = "tracer = get_tracer()"
    after = 'tracer = get_tracer("agentlightning")'
    applicability = "review"
    nodes = (ast.Module, ast.ExceptHandler)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls of these functions, and handlers of the errors that they raised."""
        if isinstance(node, ast.ExceptHandler):
            yield from _handler(node, ctx)
            return
        for reference, _ in ctx.reads(GET_TRACER):
            if isinstance(reference.ctx, ast.Load):
                yield _tracer(reference, ctx)
        for path in EMITTERS:
            for call in ctx.called.get(External(path), ()):
                yield from _emitted(call, path, ctx)


def _tracer(node: ast.Name | ast.Attribute, ctx: FileContext) -> Hit:
    message = "`get_tracer` of the emitters is gone"
    call = ctx.parent(node)
    if not isinstance(call, ast.Call) or call.func is not node or call.args or call.keywords:
        reason = 'it is OpenTelemetry\'s get_tracer("agentlightning"); call it so'
        return Hit(node, message, reason=reason, symbol=GET_TRACER)

    def fix(rewrite: Rewrite) -> None:
        alias = _import_of(node, ctx)
        if alias is not None:
            rewrite.imports.move(alias, TODAY, alias.asname)
            function = ctx.source(node)
        else:
            function = rewrite.imports.need(TODAY, node)
        rewrite.replace(call, f'{function}("agentlightning")')

    return Hit(call, message, fix, symbol=GET_TRACER)


def _import_of(node: ast.Name | ast.Attribute, ctx: FileContext) -> ast.alias | None:
    """The import that binds the name, if that is all that does."""
    if not isinstance(node, ast.Name):
        return None
    bindings = ctx.module.scope(node).lookup(node.id)
    alias = bindings[0].node if len(bindings) == 1 else None
    called = (ctx.parent(name) for name in ctx.module.names.get(node.id, ()))
    every = all(isinstance(call, ast.Call) and not call.args for call in called)
    return alias if isinstance(alias, ast.alias) and every else None


def _emitted(node: ast.Call, path: str, ctx: FileContext) -> Iterator[Hit]:
    name = EMITTERS[path]
    parent = ctx.parent(node)
    if name == "emit_reward" and isinstance(parent, ast.Attribute):
        message = "`emit_reward` returns fields of a span, not a ReadableSpan"
        yield Hit(node, message, reason="it has name, attributes and times in seconds", symbol=path)
    value = node.args[0] if node.args else None
    if name == "emit_message" and value is not None and not _may_be_text(value):
        message = "`emit_message` raises TypeError for what is no text"
        yield Hit(node, message, reason="give it text, or use emit_object", symbol=path)


def _may_be_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return not isinstance(node, ast.Dict | ast.List | ast.Tuple | ast.Set | ast.ListComp)


def _handler(node: ast.ExceptHandler, ctx: FileContext) -> Iterator[Hit]:
    """`except ValueError` around emit_reward, which raises TypeError for what is no number."""
    kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = {kind.id for kind in kinds if isinstance(kind, ast.Name)}
    tried = ctx.parent(node)
    if "ValueError" not in names or "TypeError" in names or not isinstance(tried, ast.Try):
        return
    if any(_catches(other, "TypeError") for other in tried.handlers):
        return
    for statement in tried.body:
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ctx.qual(call.func) == REWARD:
                message = "`emit_reward` does not raise ValueError for what is no number"
                yield Hit(call, message, reason=f"it raises {ERRORS}", symbol=REWARD)
                return


def _catches(handler: ast.ExceptHandler, name: str) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id == name for kind in kinds)
