"""AGL260: `LLMProxy.start`, `stop` and `restart`, which are coroutines today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import cannot_await
from codemods.legacy.instances import is_a, may_be
from codemods.names import known
from codemods.rule import Hit, Rule

ASYNC = frozenset({"start", "stop", "restart"})


class ProxyCalls(Rule):
    """`await proxy.start()` in async functions, `asyncio.run(proxy.start())` in others."""

    code = "AGL260"
    title = "`LLMProxy.start`, `stop` and `restart` are async"
    why = (
        "Since 0.3 these are coroutines: called as before they do nothing, and no error says so. "
        "`update_port` is gone, because the port is part of how a server is launched."
    )
    before = "def main():\n    proxy.start()"
    after = "def main():\n    asyncio.run(proxy.start())"
    applicability = "review"
    nodes = (ast.Attribute,)
    words = ASYNC | {"update_port"}

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The methods of objects that are an LLMProxy."""
        assert isinstance(node, ast.Attribute)
        symbol = f"{known.LLM_PROXY}.{node.attr}"
        message = f"`{node.attr}` of an LLMProxy is a coroutine since 0.3"
        if not is_a(ctx, node.value, known.LLM_PROXY):
            called = ctx.source(node.value)
            if _is_statement(node, ctx) and may_be(ctx, node.value, "llm_proxy"):
                reason = f"if `{called}` is an LLMProxy of agentlightning, annotate it"
                yield Hit(node, message, reason=f"{reason} and run again", symbol=symbol)
        elif node.attr == "update_port":
            reason = "build another proxy, or `await proxy.restart(_port=...)`"
            yield Hit(node, "`LLMProxy.update_port` is gone", reason=reason, symbol=symbol)
        elif _is_statement(node, ctx):
            yield _statement(node, message, symbol, ctx)
        elif _handed_on(node, ctx):
            reason = "it is handed on here: whoever calls it has to await what it gives"
            yield Hit(node, message, reason=reason, symbol=symbol)


def _is_statement(node: ast.Attribute, ctx: FileContext) -> bool:
    call = ctx.parent(node)
    called = isinstance(call, ast.Call) and call.func is node
    return called and isinstance(ctx.parent(call), ast.Expr)  # type: ignore[arg-type]


def _handed_on(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether the method is passed on, or what it gives is returned, instead of being awaited."""
    if not isinstance(node.ctx, ast.Load):
        return False
    parent = ctx.parent(node)
    if isinstance(parent, ast.Attribute):
        return False  # a stand-in of a test
    if isinstance(parent, ast.Call) and parent.func is node:
        return isinstance(ctx.parent(parent), ast.Return | ast.Lambda)
    return True


def _statement(node: ast.Attribute, message: str, symbol: str, ctx: FileContext) -> Hit:
    call = ctx.parent(node)
    assert isinstance(call, ast.Call)
    reason = cannot_await(ctx, call)
    if reason:
        return Hit(node, message, reason=reason, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        if ctx.in_async(call):
            rewrite.wrap(call, "await ", "")
        else:
            rewrite.wrap(call, f"{rewrite.use_module('asyncio', call)}.run(", ")")

    return Hit(call, message, fix, symbol=symbol)
