"""AGL264: how an `LLMProxy` is built."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.names.values import External, Instance
from codemods.rule import Hit, Rule

OLD = "_add_return_token_ids"
PLACE = 6
CALLBACKS = "agentlightning.llm_proxy.initialize_llm_callbacks"
LAUNCH = frozenset({"launch_mode", "launcher_args"})


class ProxyArguments(Rule):
    """`_add_return_token_ids` into `callbacks`, and a thread for a store in memory."""

    code = "AGL264"
    title = "`LLMProxy` is built otherwise"
    why = (
        "Since 0.3 the proxy runs in a process of its own, to which an `InMemoryLightningStore` "
        "cannot be handed: `start()` raises RuntimeError. In a thread, as in 0.2, it needs a store "
        "that is thread-safe. `callbacks=` says what `_add_return_token_ids=` did."
    )
    before = "store = InMemoryLightningStore()\nproxy = LLMProxy(port=4000, store=store)"
    after = (
        "store = InMemoryLightningStore(thread_safe=True)\n"
        'proxy = LLMProxy(port=4000, store=store, launch_mode="thread")'
    )
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Constructions of a proxy, and calls that set its callbacks."""
        for call in ctx.calls(known.LLM_PROXY):
            yield from _token_ids(call, ctx)
            yield from _store(call, ctx)
        for call in ctx.called.get(External(CALLBACKS), ()):
            if _of_0_2(call):
                reason = "it takes the callback classes: LLMProxy(callbacks=...) calls it with them"
                message = "`initialize_llm_callbacks` takes other arguments"
                yield Hit(call, message, reason=reason, symbol=CALLBACKS)


def _of_0_2(node: ast.Call) -> bool:
    values = [*node.args, *(k.value for k in node.keywords)]
    return not values or any(k.arg == OLD for k in node.keywords) or _flag(values[0]) is not None


def _flag(node: ast.expr) -> bool | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, bool) else None


def _token_ids(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    keyword = next((k for k in node.keywords if k.arg == OLD), None)
    value = keyword.value if keyword is not None else None
    if value is None and len(node.args) > PLACE and _flag(node.args[PLACE]) is not None:
        value = node.args[PLACE]
    if value is None:
        return
    message = f"`LLMProxy({OLD}=)` is `callbacks=`"
    symbol = f"{known.LLM_PROXY}({OLD})"
    flag = _flag(value)
    if flag is None:
        reason = 'give callbacks=["return_token_ids", "opentelemetry"], or the last one alone'
        yield Hit(value, message, reason=reason, symbol=symbol)
        return

    def fix(rewrite: Rewrite) -> None:
        edit = rewrite.call(node)
        if not flag:
            edit.set_keyword("callbacks", '["opentelemetry"]')
        if keyword is not None:
            edit.remove_keyword(OLD)
        else:
            edit.remove_positional(PLACE)

    yield Hit(value, message, fix, symbol=symbol)


def _store(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    given = {k.arg: k.value for k in node.keywords}
    store = given.get("store", node.args[2] if len(node.args) > 2 else None)
    if store is None or LAUNCH & given.keys() or None in given or len(node.args) > PLACE + 1:
        return
    value = ctx.infer(store)
    if not isinstance(value, Instance) or value.of != External(known.MEMORY_STORE):
        return
    message = "the process of an LLMProxy cannot have a store in memory"
    built = ctx.constructor(store)
    safe = built is not None and not any(k.arg in (None, "thread_safe") for k in built.keywords)
    if not safe:
        advice = 'give the proxy launch_mode="thread", and the store thread_safe=True'
        yield Hit(node, message, reason=advice, symbol=known.LLM_PROXY)
        return

    def fix(rewrite: Rewrite) -> None:
        assert built is not None
        rewrite.call(node).set_keyword("launch_mode", '"thread"')
        rewrite.call(built).set_keyword("thread_safe", "True")

    yield Hit(node, message, fix, symbol=known.LLM_PROXY)
