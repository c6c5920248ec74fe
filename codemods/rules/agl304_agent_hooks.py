"""AGL304: hooks that an agent has as methods, which today's runner does not call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import HOOK_HELPER, AgentHooks, Site, own_hooks, serves_agents
from codemods.legacy.hook_bodies import make_async
from codemods.legacy.hook_classes import plan_hook_class
from codemods.legacy.hook_limits import LOOP, awaitable_loops, limits, replaced
from codemods.legacy.trainers import Construction, takes
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, ProjectClass
from codemods.rule import Hit, Rule

_MESSAGE = "the runner of the store calls no hooks on the agent"
_ADVICE = "give the trainer, or the runner's init, hooks=[AgentMethodHook()]"


class AgentHookMethods(Rule):
    """`on_rollout_start` and `on_rollout_end` of agents, registered as a hook."""

    code = "AGL304"
    title = "Hooks as methods of the agent"
    why = (
        "Only the legacy runner calls `on_rollout_start(task, runner, tracer)` and "
        "`on_rollout_end(task, rollout, runner, tracer)` on the agent. Today hooks are objects "
        "given to the trainer, with async methods that get everything by keyword."
    )
    before = (
        "class Agent(LitAgent):\n"
        "    def on_rollout_start(self, task, runner, tracer):\n"
        "        print(task.input)\n\n"
        "trainer = Trainer(n_runners=1)"
    )
    after = (
        "class Agent(LitAgent): ...\n\n"
        "class AgentHook(Hook):\n"
        "    async def on_rollout_start(self, *, agent, runner, rollout):\n"
        "        print(rollout.input)\n\n"
        "trainer = Trainer(n_runners=1, hooks=[AgentHook()])"
    )
    applicability = "review"
    nodes = (ast.Module, ast.ClassDef)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The trainers that get such agents; classes whose agents go to none; replaced methods."""
        if isinstance(node, ast.ClassDef):
            cls = ProjectClass(ctx.module, node)
            if own_hooks(cls) and serves_agents(ctx, cls):
                yield from _stays(cls) if ctx.options.server == "legacy" else _class(cls, ctx)
        elif ctx.options.server != "legacy":
            yield from _sites(ctx)
            for place, name in replaced(ctx):
                yield _manual(place, name, _MESSAGE, _ADVICE)


def _manual(place: ast.AST, name: str, message: str, reason: str) -> Hit:
    return Hit(place, message, reason=reason, symbol=f"{known.LIT_AGENT}.{name}")


def _stays(cls: ProjectClass) -> Iterator[Hit]:
    message = "only the runner of `fit_v0` calls hooks on the agent"
    reason = "nothing to do as long as the legacy server stays; hooks of the trainer come later"
    for name, method in own_hooks(cls).items():
        yield _manual(method, name, message, reason)


def _class(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    methods = own_hooks(cls)
    plan = plan_hook_class(ctx, cls)
    if plan is not None:
        first = next(iter(methods.values()))
        symbol = f"{known.LIT_AGENT}.{first.name}"
        yield Hit(first, "hooks are a class of their own in the store API", plan.fix, symbol=symbol)
    elif not AgentHooks.of(ctx).of_class(ctx, cls):
        for name, method in methods.items():
            yield _manual(method, name, _MESSAGE, _ADVICE)
    stay: dict[str, FunctionNode] = methods if plan is None else {}
    for method in stay.values():
        loops = awaitable_loops(ctx, cls, method)
        if loops:
            yield Hit(method, LOOP, partial(make_async, method=method, loops=loops))
    for place, name, message, reason in limits(ctx, cls, methods, stay):
        yield _manual(place, name, message, reason)


def _sites(ctx: FileContext) -> Iterator[Hit]:
    seen: set[ast.Call] = set()
    for site in AgentHooks.of(ctx).in_file(ctx):
        place = site.built or site.node
        planned = site.agent is not None and plan_hook_class(ctx, site.agent) is not None
        if place not in seen and not (site.settled or planned or _knows(site, ctx)):
            seen.add(place)
            yield _registration(site, ctx)


def _registration(site: Site, ctx: FileContext) -> Hit:
    reason = _obstacle(site, ctx)

    def fix(rewrite: Rewrite) -> None:
        made = f"{rewrite.use(HOOK_HELPER, site.node)}()"
        given = site.hooks
        if isinstance(given, ast.List) and given.elts:
            start, _ = rewrite.module.span(given.elts[0])
            rewrite.replace_span(start, start, f"{made}, ")
        elif isinstance(given, ast.List):
            rewrite.replace(given, f"[{made}]")
        elif site.built is not None:
            rewrite.call(site.built).set_keyword("hooks", f"[{made}]")

    cls = "may have some" if site.agent is None else f"`{site.agent.node.name}` has some"
    return Hit(
        site.built or site.node,
        f"{_MESSAGE}, whose class {cls}",
        None if reason else fix,
        reason,
        "shim",
        symbol=f"{known.LIT_AGENT}.on_rollout_start",
    )


def _obstacle(site: Site, ctx: FileContext) -> str:
    if not site.legacy:
        return "add hooks=[AgentMethodHook()] if they are to run here; no release called them here"
    if site.built is None:
        return "give the trainer hooks=[AgentMethodHook()] where it is built"
    if isinstance(site.hooks, ast.List):
        return ""
    if site.hooks is not None or not takes(ctx, Construction(site.built, None), "hooks"):
        return "put AgentMethodHook() among the hooks that the trainer is given"
    return ""


def _knows(site: Site, ctx: FileContext) -> bool:
    """Whether a hook for the agent's methods is there already."""
    given = site.hooks
    return given is not None and any(
        ctx.infer(part) == External(HOOK_HELPER)
        for part in ast.walk(given)
        if isinstance(part, ast.Name | ast.Attribute)
    )
