"""Hooks that agents have as methods of their own, and the trainers that should know of them."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.context import FileContext
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.fit_calls import FitCall, fit_calls
from codemods.legacy.given import arguments
from codemods.legacy.objects import kind_of
from codemods.legacy.trainers import construction
from codemods.names import known
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.values import External, Instance, ProjectClass

PARAMETERS = {
    "on_rollout_start": ("task", "runner", "tracer"),
    "on_rollout_end": ("task", "rollout", "runner", "tracer"),
}
TODAY = {
    "on_rollout_start": ("agent", "runner", "rollout"),
    "on_rollout_end": ("agent", "runner", "rollout", "spans"),
    "on_trace_start": ("agent", "runner", "tracer", "rollout"),
    "on_trace_end": ("agent", "runner", "tracer", "rollout"),
}
HOOK_HELPER = f"{HELPERS}.AgentMethodHook"
_MAKE_RUNNER = External(f"{HELPERS}.make_runner")
_FITS = frozenset({f"{HELPERS}.fit_fleet", f"{HELPERS}.fit_or_dev"})


class Site(NamedTuple):
    """A place where an agent with hooks goes to a trainer or a runner.

    `agent` is None where its class is not known and may have hooks. `built` is the call that
    takes `hooks=`, where it is in reach, and `name` what its result is assigned to; `legacy` says
    whether the legacy runner, which calls the agent's methods, runs the agent here; `settled`
    that whoever rewrites the call gives it the hooks.
    """

    node: ast.Call
    agent: ProjectClass | None
    built: ast.Call | None
    legacy: bool
    settled: bool = False
    name: Binding | None = None

    @property
    def hooks(self) -> ast.expr | None:
        """What is given as hooks already."""
        keywords = () if self.built is None else self.built.keywords
        return next((k.value for k in keywords if k.arg == "hooks"), None)


class AgentHooks:
    """The sites of a project, and how often it names an object's hook; kept in its memo."""

    def __init__(self) -> None:
        self.sites: dict[object, list[Site]] = {}
        self.mentioned = 0

    @classmethod
    def of(cls, ctx: FileContext) -> AgentHooks:
        """The analysis of the project, made once."""
        found = ctx.project.memo.get(cls)
        if isinstance(found, AgentHooks):
            return found
        made = ctx.project.memo[cls] = cls()
        if any(hooked(ctx, agent) for agent in ctx.project.agents):
            for module in ctx.project.modules.values():
                other = ctx.beside(module)
                made.sites[module] = _sites(other)
                for name in PARAMETERS:
                    made.mentioned += sum(
                        not _is_super(attribute.value)
                        for attribute in module.attributes.get(name, ())
                    )
        return made

    def in_file(self, ctx: FileContext) -> list[Site]:
        """The sites of one file."""
        return self.sites.get(ctx.module, [])

    def of_class(self, ctx: FileContext, cls: ProjectClass) -> list[Site]:
        """The sites of a class and of those derived from it, in all files.

        Those of an agent whose class is not known are among them.
        """
        mro = ctx.project.inference.mro
        every = (site for sites in self.sites.values() for site in sites)
        return [s for s in every if s.agent is None or cls in mro(s.agent)]


def _is_super(node: ast.expr) -> bool:
    """`super()`, which in a class without relatives finds the hook that does nothing."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super"


def own_hooks(cls: ProjectClass) -> dict[str, FunctionNode]:
    """The hook methods of the legacy shape that a class itself defines."""
    found: dict[str, FunctionNode] = {}
    for node in cls.node.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in PARAMETERS:
            arguments = node.args
            keyword_only = {argument.arg for argument in arguments.kwonlyargs}
            if "agent" not in keyword_only:
                found[node.name] = node
    return found


def hooked(ctx: FileContext, cls: ProjectClass) -> bool:
    """Whether an agent has such methods, of its own or inherited in the project."""
    bases = (base for base in ctx.project.inference.mro(cls) if isinstance(base, ProjectClass))
    return any(own_hooks(base) for base in bases)


def serves_agents(ctx: FileContext, cls: ProjectClass) -> bool:
    """Whether a class is an agent's, or a mixin of one."""
    agents = ctx.project.agents
    return cls in agents or any(other in agents for other in ctx.project.subclasses(cls))


def hooked_class(ctx: FileContext, agent: ast.expr | None) -> ProjectClass | None:
    """The class of an agent with hooks, if the expression is one."""
    value = None if agent is None else ctx.infer(agent)
    if isinstance(value, Instance) and isinstance(value.of, ProjectClass):
        return value.of if value.of in ctx.project.agents and hooked(ctx, value.of) else None
    return None


def _unknown(ctx: FileContext, agent: ast.expr | None) -> bool:
    """Whether an agent may be of a class with hooks, for all that can be seen."""
    value = None if agent is None else ctx.infer(agent)
    if value is None and isinstance(agent, ast.Name):
        kinds = {b.kind for b in ctx.module.scope(agent).lookup(agent.id)}
        return not kinds & {"function", "class"}
    if isinstance(value, Instance) and isinstance(value.of, ProjectClass):
        return any(hooked(ctx, other) for other in ctx.project.subclasses(value.of))
    is_base = isinstance(value, Instance) and value.of == External(known.LIT_AGENT)
    return is_base or (value is None and agent is not None)


def _sites(ctx: FileContext) -> list[Site]:
    found = [
        *(_by_fit(ctx, call) for call in fit_calls(ctx)),
        *(_by_runner(ctx, func) for func in ctx.module.attributes.get("init", ())),
    ]
    for value, calls in ctx.called.items():
        if isinstance(value, External) and value.path in _FITS:
            found += [_by_helper(ctx, call) for call in calls]
        elif isinstance(value, ProjectClass) or value.path.startswith("agentlightning"):
            helped = value == _MAKE_RUNNER
            found += [_built_runner(ctx, call, helped=helped) for call in calls]
    sites = [site for site in found if site is not None]
    return sorted(sites, key=lambda site: (site.node.lineno, site.node.col_offset))


def _by_fit(ctx: FileContext, call: FitCall) -> Site | None:
    """`trainer.fit(agent, ...)`."""
    agent = hooked_class(ctx, call.agent)
    legacy = call.plan in ("fleet", "dev", "dataset") or call.func.attr == "fit_v0"
    if agent is None and not (legacy and _unknown(ctx, call.agent)):
        return None
    built = call.built
    place, name = (None, None) if built is None else (built.call, built.name)
    return Site(call.node, agent, place, legacy, name=name)


def _by_helper(ctx: FileContext, node: ast.Call) -> Site | None:
    """`fit_fleet(trainer, agent, url)`: what the rewrite of a `fit` may have left."""
    if len(node.args) < 2:
        return None
    agent = hooked_class(ctx, node.args[1])
    if agent is None and not _unknown(ctx, node.args[1]):
        return None
    built = construction(ctx, node.args[0])
    place, name = (None, None) if built is None else (built.call, built.name)
    return Site(node, agent, place, legacy=True, name=name)


def _by_runner(ctx: FileContext, func: ast.Attribute) -> Site | None:
    """`runner.init(agent=agent)` of a runner of today."""
    node = ctx.parent(func)
    if not isinstance(node, ast.Call) or node.func is not func:
        return None
    given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "agent")]
    agent = hooked_class(ctx, given[0]) if given else None
    return None if agent is None else Site(node, agent, node, legacy=False)


def _built_runner(ctx: FileContext, node: ast.Call, *, helped: bool) -> Site | None:
    """`LegacyAgentRunner(agent, ...)`, and the helper in its place."""
    if not helped and kind_of(ctx, node) != "runner":
        return None
    agent = hooked_class(ctx, arguments(node, RUNNER_PARAMETERS).values.get("agent"))
    if helped and agent is None:
        given = [k.value for k in node.keywords if k.arg == "agent"]
        agent = hooked_class(ctx, given[0]) if given else None
    return None if agent is None else Site(node, agent, None, legacy=True, settled=True)
