"""AGL242: clients and loaders of the project's own making, requests without a client."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.http_calls import endpoint
from codemods.legacy.objects import kind_of
from codemods.legacy.polls import POLLS, POSTS, READS
from codemods.legacy.swaps import class_references, is_base
from codemods.names import known
from codemods.rule import Hit, Rule

METHODS = POLLS | READS | POSTS
_STATE = frozenset({"task_count", "rollouts"})
_OVERRIDES = {
    "poll_next_task": "put that around poll_rollout(), or into a Hook's on_rollout_start",
    "post_rollout": "put that around report_rollout(), or into a Hook's on_rollout_end",
    "get_resources_by_id": "put that around the call of the store",
    "get_latest_resources": "put that around the call of the store",
}
_ENDPOINTS = {
    "task": "poll_rollout(LightningStoreClient(url)) claims a task",
    "rollout": "report_rollout(LightningStoreClient(url), rollout, ...) hands in a result",
    "resources": "ask a LightningStoreClient(url): await get_latest_resources(), or "
    "get_resources_by_id()",
}
_INSIDE = {
    "get_resources_by_id": "`await self.get_runner().get_store().get_resources_by_id(...)`",
    "get_latest_resources": "`await self.get_runner().get_store().get_latest_resources()`",
    "post_rollout": "return the result: the runner stores it",
}
_GONE = "there is nothing like it in a store; keep the value yourself"


class ClientKept(Rule):
    """Subclasses of the client and the loader, clients inside agents, plain HTTP."""

    code = "AGL242"
    title = "Legacy protocol with the project's own means"
    why = (
        "A class that is made from the legacy client, an agent that goes to the server past its "
        "arguments, and requests to `/task` or `/rollout` all speak the protocol of 0.1, which a "
        "store server does not answer. What they add decides what becomes of them."
    )
    before = (
        "class Counting(AgentLightningClient):\n"
        "    def post_rollout(self, rollout):\n"
        "        print(rollout.final_reward)\n"
        "        return super().post_rollout(rollout)"
    )
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Module, ast.Attribute, ast.Call)
    attributes = METHODS | _STATE | {"client"}

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Classes made from the two; calls on their objects, in agents, and of HTTP libraries."""
        if ctx.options.server == "legacy":
            return
        if isinstance(node, ast.Module):
            for reference, path in class_references(ctx, known.CLIENT, known.DEV_LOADER):
                if is_base(ctx, reference):
                    yield _made(reference, path, ctx)
        elif isinstance(node, ast.Call):
            yield from _request(node, ctx)
        elif isinstance(node, ast.Attribute):
            yield from _member(node, ctx)


def _made(reference: ast.expr, path: str, ctx: FileContext) -> Hit:
    cls = ctx.module.enclosing(reference, ast.ClassDef)
    assert isinstance(cls, ast.ClassDef)
    defined = [
        node.name
        for node in cls.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in METHODS
    ]
    advice = [f"`{name}`: {_OVERRIDES[name.removesuffix('_async')]}" for name in defined]
    if not advice:
        kind = "InMemoryLightningStore" if path == known.DEV_LOADER else "LightningStoreClient"
        advice = [f"build it around {kind}"]
    name = path.rpartition(".")[2]
    return Hit(reference, f"a class made from `{name}`", reason="; ".join(advice), symbol=path)


def _member(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    if node.attr in METHODS or node.attr in _STATE:
        kind = kind_of(ctx, node.value)
        message = f"`{node.attr}` of a client of the project's own"
        if kind == "inside":
            reason = _INSIDE.get(node.attr.removesuffix("_async"), _GONE)
            yield _hit(node, f"`{node.attr}` of the client inside an agent", reason)
        elif kind == "own":
            yield _hit(node, message, "it goes with the class; see there")
    elif not _is_told(node, ctx) and kind_of(ctx, node.value) == "inside":
        reason = "the store is self.get_runner().get_store(); its methods are coroutines"
        yield _hit(node, "the client of a runner inside an agent", reason)


def _is_told(node: ast.Attribute, ctx: FileContext) -> bool:
    """Whether another finding speaks of it: of the method that is called, or of `client()`."""
    around = ctx.parent(node)
    if isinstance(around, ast.Attribute):
        return around.attr in METHODS or around.attr in _STATE
    return isinstance(around, ast.Call) and around.func is node


def _hit(node: ast.Attribute, message: str, reason: str) -> Hit:
    return Hit(node, message, reason=reason, symbol=f"{known.CLIENT}.{node.attr}")


def _request(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    asked = endpoint(ctx, node)
    if asked and "agentlightning" in ctx.module.text.casefold().replace("_", "").replace("-", ""):
        message = f"this looks like a request to `/{asked}` of the legacy server"
        yield Hit(node, message, reason=_ENDPOINTS[asked], symbol=f"{known.SERVER}./{asked}")
