"""AGL223: the tracer's LangChain handler."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.names import known
from codemods.rule import Hit, Rule

_OLD = "get_langchain_callback_handler"
_NEW = "get_langchain_handler"


class LangchainHandler(Rule):
    """`tracer.get_langchain_callback_handler()` under its new name."""

    code = "AGL223"
    title = "LangChain handler has a shorter name"
    why = (
        "Every tracer has `get_langchain_handler` since 0.2; the old name is left as an alias on "
        "AgentOpsTracer only."
    )
    before = "handler = self.tracer.get_langchain_callback_handler()"
    after = "handler = self.tracer.get_langchain_handler()"
    applicability = "safe"
    nodes = (ast.Attribute,)
    words = frozenset({_OLD})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The old name on a tracer, called or handed on."""
        assert isinstance(node, ast.Attribute)
        symbol = f"{known.BASE_TRACER}.{_OLD}"
        message = f"`{_OLD}` is `{_NEW}` in the store API"
        if ctx.is_instance(node.value, known.BASE_TRACER):
            yield Hit(node, message, lambda rewrite: rewrite.rename(node, _NEW), symbol=symbol)
        elif ctx.infer(node.value) is None:
            reason = "it is not known whether this object is a tracer of agentlightning"
            yield Hit(node, message, reason=reason, symbol=symbol)
