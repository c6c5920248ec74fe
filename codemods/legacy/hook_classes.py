"""Hook methods at the end of an agent's class, as a hook class of their own."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import PARAMETERS, AgentHooks, own_hooks
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass

_HEADERS = {
    "on_rollout_start": "(self, *, agent, runner, rollout):",
    "on_rollout_end": "(self, *, agent, runner, rollout, spans):",
}
# Fields of a task under the names that they have on a rollout.
_FIELDS = {
    "rollout_id": "rollout_id",
    "input": "input",
    "mode": "mode",
    "resources_id": "resources_id",
    "metadata": "metadata",
    "create_time": "start_time",
}
_QUERY = (
    "spans = await runner.get_store().query_spans(\n"
    "    rollout.rollout_id, attempt_id=rollout.attempt.attempt_id\n"
    ")\n"
    "final_reward = {find}(spans)"
)
_NEW_NAMES = frozenset({"agent", "spans", "final_reward"})


@dataclass(frozen=True, slots=True)
class HookClass:
    """The class that some methods of an agent become, under their old class or behind it."""

    name: str
    agent: ProjectClass
    methods: tuple[FunctionNode, ...]

    def fix(self, rewrite: Rewrite) -> None:
        """Put a class header in front of the methods, and let them take what hooks are given."""
        first, module = self.methods[0], rewrite.module
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
        for method in self.methods:
            _method(rewrite, method)


def plan_hook_class(ctx: FileContext, cls: ProjectClass) -> HookClass | None:
    """The hook class that the methods of an agent become, if that is certain to do the same.

    They stand at the end of their class and use of their arguments only what a hook is given in
    another form; all agents of the class go to trainers of the same file, and nobody else calls
    the methods.
    """
    methods = tuple(own_hooks(cls).values())
    body = cls.node.body
    if not methods or body[-len(methods) :] != list(methods) or body[0] is methods[0]:
        return None
    module, found = cls.module, AgentHooks.of(ctx)
    name = f"{cls.node.name}Hook"
    if module.table.root.bindings.get(name) or cls.node not in module.tree.body:
        return None
    alone = not any(found.mentioned.values()) and not any(
        other != cls and cls in ctx.project.inference.mro(other) for other in ctx.project.agents
    )
    sites = found.of_class(ctx, cls)
    here = [site for site in sites if site in found.sites.get(module, [])]
    registered = all(s.built is not None and s.legacy and s.hooks is None for s in sites)
    if not alone or not sites or len(here) != len(sites) or not registered:
        return None
    return HookClass(name, cls, methods) if all(map(_plain, methods)) else None


def _plain(method: FunctionNode) -> bool:
    """Whether a hook can do all that the method does."""
    arguments = method.args
    names = [a.arg for a in arguments.args]
    extra = (arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    if len(names) != len(PARAMETERS[method.name]) + 1 or any(extra) or arguments.defaults:
        return False
    if method.decorator_list or method.body[0].lineno == method.lineno:
        return False
    owner, task, *middle, runner, tracer = names
    fields = {owner: None, task: _FIELDS, runner: {}, tracer: {}}
    if middle:
        fields[middle[0]] = {"final_reward": "", "rollout_id": "rollout_id"}
    return all(_allowed(node, method, fields) for node in ast.walk(method) if node is not method)


def _allowed(node: ast.AST, method: FunctionNode, fields: dict[str, dict[str, str] | None]) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    if isinstance(node, ast.Yield | ast.YieldFrom | ast.ListComp | ast.GeneratorExp | ast.SetComp):
        return not isinstance(node, ast.Yield | ast.YieldFrom)
    if isinstance(node, ast.Attribute):
        if node.attr.startswith("__") or node.attr in ("run_until_complete", "run"):
            return False
        known = fields.get(node.value.id) if isinstance(node.value, ast.Name) else None
        return known is None or (node.attr in known and isinstance(node.ctx, ast.Load))
    if isinstance(node, ast.Name):
        return _name_is_free(node, method, fields)
    return True


def _name_is_free(
    node: ast.Name, method: FunctionNode, fields: dict[str, dict[str, str] | None]
) -> bool:
    if node.id in fields:
        whole = fields[node.id] is not None and not _under_attribute(node, method)
        return isinstance(node.ctx, ast.Load) and not whole
    return node.id not in _NEW_NAMES and node.id not in ("rollout", "super")


def _under_attribute(name: ast.Name, method: FunctionNode) -> bool:
    return any(isinstance(n, ast.Attribute) and n.value is name for n in ast.walk(method))


def _method(rewrite: Rewrite, method: FunctionNode) -> None:
    names = [a.arg for a in method.args.args]
    owner, task, *middle, _, _ = names
    start, end = statements.header_span(rewrite.module, method)
    rewrite.replace_span(start, end, f"async def {method.name}{_HEADERS[method.name]}")
    reads_reward = False
    for node in ast.walk(method):
        if isinstance(node, ast.Name) and node.id == owner:
            rewrite.rename(node, "agent")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == task:
                rewrite.replace(node, f"rollout.{_FIELDS[node.attr]}")
            elif node.value.id in middle and node.attr == "final_reward":
                reads_reward = True
                rewrite.replace(node, "final_reward")
            elif node.value.id in middle:
                rewrite.rename(node.value, "rollout")
    if reads_reward:
        find = rewrite.use("agentlightning.find_final_reward", method)
        rewrite.first_in_body(method, _QUERY.format(find=find))
