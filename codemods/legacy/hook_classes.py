"""Hook methods at the end of an agent's class, as a hook class of their own."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import AgentHooks, Site, own_hooks
from codemods.legacy.hook_bodies import HookBody, read_body
from codemods.legacy.trainers import Construction, takes, uses
from codemods.names.values import ProjectClass


class HookClass(NamedTuple):
    """The class that some methods of an agent become, and the trainers that get one of it."""

    name: str
    agent: ProjectClass
    bodies: tuple[HookBody, ...]
    built: tuple[ast.Call, ...]

    def fix(self, rewrite: Rewrite) -> None:
        """Put a class header in front of the methods, and give the trainers such a hook."""
        first, module = self.bodies[0].method, rewrite.module
        previous = self.agent.node.body[self.agent.node.body.index(first) - 1]
        start = statements.line_end(module, previous)
        end = start
        for line in module.text[start:].splitlines(keepends=True):
            if line.strip():
                break
            end += len(line)
        base = rewrite.use("agentlightning.Hook", first)
        newline = module.newline
        rewrite.replace_span(start, end, f"{newline}{newline}class {self.name}({base}):{newline}")
        for body in self.bodies:
            body.write(rewrite, "self", "agent")
        for call in self.built:
            rewrite.call(call).set_keyword("hooks", f"[{self.name}()]")


def plan_hook_class(ctx: FileContext, cls: ProjectClass) -> HookClass | None:
    """The hook class that the methods of an agent become, if that is certain to do the same.

    They stand at the end of their class and use of their arguments only what a hook is given in
    another form; all agents of the class go to trainers of the same file that run no others, none
    of its relatives has hooks, and nobody else calls the methods.
    """
    methods = tuple(own_hooks(cls).values())
    body = cls.node.body
    if not methods or body[-len(methods) :] != list(methods) or body[0] is methods[0]:
        return None
    name = f"{cls.node.name}Hook"
    if not _name_is_free(ctx, cls, name) or any(True for _ in ctx.project.subclasses(cls)):
        return None
    if any(own_hooks(base) for base in ctx.project.ancestors(cls)):
        return None
    found = AgentHooks.of(ctx)
    sites = found.of_class(ctx, cls)
    here = found.sites.get(cls.module, [])
    if found.mentioned or not sites or not all(s in here for s in sites):
        return None
    if not all(_registers(ctx, site, cls, sites) for site in sites):
        return None
    bodies = [read_body(ctx, method, moves=True) for method in methods]
    plain = tuple(b for b in bodies if b is not None)
    built = tuple(dict.fromkeys(s.built for s in sites if s.built is not None))
    return HookClass(name, cls, plain, built) if len(plain) == len(bodies) else None


def _name_is_free(ctx: FileContext, cls: ProjectClass, name: str) -> bool:
    scopes = [cls.module.table.root, *cls.module.table.inner.values()]
    return cls.node in cls.module.tree.body and not any(s.bindings.get(name) for s in scopes)


def _registers(ctx: FileContext, site: Site, cls: ProjectClass, sites: list[Site]) -> bool:
    """Whether the trainer of a site can be given the hook, and runs agents of the class only."""
    if site.built is None or not site.legacy or site.agent != cls or site.hooks is not None:
        return False
    if not takes(ctx, Construction(site.built, site.name), "hooks"):
        return False
    if ctx.module.scope(site.built) is not ctx.module.scope(site.node):
        return False
    if site.built.lineno <= (cls.node.end_lineno or 0) and _runs_at_once(ctx, site.built):
        return False
    if site.name is None:
        return True
    calls = [s.node for s in sites if s.built is site.built]
    return all(_only_for(ctx, use, calls) for use in uses(ctx, site.name))


def _runs_at_once(ctx: FileContext, node: ast.AST) -> bool:
    return ctx.function_around(node) is None


def _only_for(ctx: FileContext, use: ast.Name, calls: list[ast.Call]) -> bool:
    """Whether a use of a trainer is one of `calls`, or reads something of it."""
    around = ctx.parent(use)
    if isinstance(around, ast.Call):
        return around in calls
    if not isinstance(around, ast.Attribute):
        return False
    call = ctx.parent(around)
    return call in calls or around.attr not in ("fit", "fit_v0", "dev", "hooks")
