"""Hooks that agents have as methods of their own, and the trainers that should know of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from codemods.context import FileContext
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.clients import RUNNER_PARAMETERS
from codemods.legacy.fit_calls import fit_call
from codemods.legacy.given import arguments
from codemods.legacy.objects import kind_of
from codemods.legacy.trainers import construction
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, Instance, ProjectClass

PARAMETERS = {
    "on_rollout_start": ("task", "runner", "tracer"),
    "on_rollout_end": ("task", "rollout", "runner", "tracer"),
}
HOOK_HELPER = f"{HELPERS}.AgentMethodHook"
_FITS = frozenset({f"{HELPERS}.fit_fleet", f"{HELPERS}.fit_or_dev"})


@dataclass(frozen=True, slots=True)
class Site:
    """A place where an agent with hooks goes to a trainer or a runner.

    `built` is the call that takes `hooks=`, where it is in reach; `legacy` says whether the
    legacy runner, which calls the agent's methods, runs the agent here; `settled` that whoever
    rewrites the call gives it the hooks.
    """

    node: ast.Call
    agent: ProjectClass
    built: ast.Call | None
    legacy: bool
    settled: bool = False

    @property
    def hooks(self) -> ast.expr | None:
        """What is given as hooks already."""
        keywords = () if self.built is None else self.built.keywords
        return next((k.value for k in keywords if k.arg == "hooks"), None)


@dataclass(slots=True, eq=False)
class AgentHooks:
    """The sites of a project; kept in its memo."""

    sites: dict[object, list[Site]] = field(default_factory=dict)
    mentioned: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, ctx: FileContext) -> AgentHooks:
        """The analysis of the project, made once."""
        found = ctx.project.memo.get(cls)
        if isinstance(found, AgentHooks):
            return found
        made = ctx.project.memo[cls] = cls()
        if any(own_hooks(agent) for agent in ctx.project.agents):
            for module in ctx.project.modules.values():
                other = FileContext(module, ctx.project, ctx.options)
                made.sites[module] = list(_sites(other))
                for name in PARAMETERS:
                    count = len(module.attributes.get(name, ()))
                    made.mentioned[name] = made.mentioned.get(name, 0) + count
        return made

    def in_file(self, ctx: FileContext) -> list[Site]:
        """The sites of one file."""
        return self.sites.get(ctx.module, [])

    def of_class(self, ctx: FileContext, cls: ProjectClass) -> list[Site]:
        """The sites of a class and of those derived from it, in all files."""
        every = (site for sites in self.sites.values() for site in sites)
        return [s for s in every if cls in ctx.project.inference.mro(s.agent)]


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


def hooked_class(ctx: FileContext, agent: ast.expr | None) -> ProjectClass | None:
    """The class of an agent with hooks, if the expression is one."""
    value = None if agent is None else ctx.infer(agent)
    if isinstance(value, Instance) and isinstance(value.of, ProjectClass):
        return value.of if value.of in ctx.project.agents and hooked(ctx, value.of) else None
    return None


def _sites(ctx: FileContext) -> Iterator[Site]:
    for node in ctx.module.table.nodes.get(ast.Call, ()):
        assert isinstance(node, ast.Call)
        call = fit_call(ctx, node)
        if call is not None:
            agent = hooked_class(ctx, call.agent)
            if agent is not None:
                built = None if call.built is None else call.built.call
                legacy = call.plan in ("fleet", "dev", "dataset") or call.func.attr == "fit_v0"
                yield Site(node, agent, built, legacy)
        else:
            found = _by_helper(ctx, node) or _by_runner(ctx, node) or _built_runner(ctx, node)
            if found is not None:
                yield found


def _by_helper(ctx: FileContext, node: ast.Call) -> Site | None:
    """`fit_fleet(trainer, agent, url)`: what the rewrite of a `fit` may have left."""
    value = ctx.infer(node.func) if len(node.args) > 1 else None
    if not isinstance(value, External) or value.path not in _FITS:
        return None
    agent = hooked_class(ctx, node.args[1])
    built = construction(ctx, node.args[0])
    call = None if built is None else built.call
    return None if agent is None else Site(node, agent, call, legacy=True)


def _by_runner(ctx: FileContext, node: ast.Call) -> Site | None:
    """`runner.init(agent=agent)` of a runner of today."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr != "init":
        return None
    given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "agent")]
    agent = hooked_class(ctx, given[0]) if given else None
    return None if agent is None else Site(node, agent, node, legacy=False)


def _built_runner(ctx: FileContext, node: ast.Call) -> Site | None:
    """`LegacyAgentRunner(agent, ...)`, and the helper in its place."""
    helped = ctx.infer(node.func) == External(f"{HELPERS}.make_runner")
    if not helped and kind_of(ctx, node) != "runner":
        return None
    agent = hooked_class(ctx, arguments(node, RUNNER_PARAMETERS).values.get("agent"))
    if helped and agent is None:
        given = [k.value for k in node.keywords if k.arg == "agent"]
        agent = hooked_class(ctx, given[0]) if given else None
    return None if agent is None else Site(node, agent, None, legacy=True, settled=True)
