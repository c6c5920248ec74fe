"""AGL304: hooks that an agent has as methods, which today's runner does not call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import HOOK_HELPER, PARAMETERS, AgentHooks, Site, own_hooks
from codemods.legacy.hook_classes import plan_hook_class
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
    nodes = (ast.Module, ast.ClassDef, ast.Assign)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """The trainers that get such agents; classes whose agents go to none; replaced methods."""
        if ctx.options.server == "legacy":
            return
        if isinstance(node, ast.Assign):
            yield from _replaced(node, ctx)
        elif isinstance(node, ast.ClassDef):
            yield from _class(ProjectClass(ctx.module, node), ctx)
        else:
            seen: set[ast.Call] = set()
            for site in AgentHooks.of(ctx).in_file(ctx):
                place = site.built or site.node
                if place not in seen and not site.settled and not _knows(site, ctx):
                    seen.add(place)
                    yield _registration(site, ctx)


def _class(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    methods = own_hooks(cls)
    if not methods or cls not in ctx.project.agents:
        return
    plan = plan_hook_class(ctx, cls)
    if plan is not None:
        first = next(iter(methods.values()))
        symbol = f"{known.LIT_AGENT}.{first.name}"
        yield Hit(first, "hooks are a class of their own in the store API", plan.fix, symbol=symbol)
    elif not AgentHooks.of(ctx).of_class(ctx, cls):
        for method in methods.values():
            symbol = f"{known.LIT_AGENT}.{method.name}"
            yield Hit(method, _MESSAGE, reason=_ADVICE, symbol=symbol)
    for method in methods.values():
        yield from _loops(method, ctx)


def _loops(method: FunctionNode, ctx: FileContext) -> Iterator[Hit]:
    """`asyncio.run(...)` in a hook, which runs in an event loop today."""
    for call in ast.walk(method):
        if isinstance(call, ast.Call) and (
            ctx.infer(call.func) == External("asyncio.run")
            or getattr(call.func, "attr", "") == "run_until_complete"
        ):
            reason = "make the hook `async def` and await it"
            yield Hit(
                call, "hooks run in an event loop today: no other can run there", reason=reason
            )


def _registration(site: Site, ctx: FileContext) -> Hit:
    plan = plan_hook_class(ctx, site.agent)
    name = "AgentMethodHook" if plan is None else plan.name
    reason = _obstacle(site, ctx, name)

    def fix(rewrite: Rewrite) -> None:
        made = f"{rewrite.use(HOOK_HELPER, site.node) if plan is None else name}()"
        given = site.hooks
        if isinstance(given, ast.List) and given.elts:
            start, _ = rewrite.module.span(given.elts[0])
            rewrite.replace_span(start, start, f"{made}, ")
        elif isinstance(given, ast.List):
            rewrite.replace(given, f"[{made}]")
        elif site.built is not None:
            rewrite.call(site.built).set_keyword("hooks", f"[{made}]")

    return Hit(
        site.built or site.node,
        f"{_MESSAGE}, whose class `{site.agent.node.name}` has some",
        None if reason else fix,
        reason,
        None if plan else "shim",
        symbol=f"{known.LIT_AGENT}.on_rollout_start",
    )


def _obstacle(site: Site, ctx: FileContext, name: str) -> str:
    if not site.legacy:
        return f"add hooks=[{name}()] if they are to run here; no release called them here"
    if site.built is None:
        return f"give the trainer hooks=[{name}()] where it is built"
    if isinstance(site.hooks, ast.List):
        return ""
    if site.hooks is not None or not takes(ctx, Construction(site.built, None), "hooks"):
        return f"put {name}() among the hooks that the trainer is given"
    return ""


def _knows(site: Site, ctx: FileContext) -> bool:
    """Whether a hook for the agent's methods is there already."""
    given = site.hooks
    return given is not None and any(
        ctx.infer(part) == External(HOOK_HELPER)
        for part in ast.walk(given)
        if isinstance(part, ast.Name | ast.Attribute)
    )


def _replaced(node: ast.Assign, ctx: FileContext) -> Iterator[Hit]:
    """`agent.on_rollout_end = function`."""
    for target in node.targets:
        if not isinstance(target, ast.Attribute) or target.attr not in PARAMETERS:
            continue
        agent = known.LIT_AGENT
        if ctx.is_instance(target.value, agent) or ctx.is_class(target.value, agent):
            yield Hit(target, _MESSAGE, reason=_ADVICE, symbol=f"{agent}.{target.attr}")
