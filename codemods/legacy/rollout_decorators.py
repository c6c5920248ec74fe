"""Functions that a decorator makes an agent."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import misplaced
from codemods.legacy.trained_agents import trainers
from codemods.names.scopes import FunctionNode
from codemods.names.shapes import dotted_tail

# What each decorator wants its function to ask for; one of them is enough.
RESOURCES = {
    "rollout": frozenset({"llm", "prompt_template"}),
    "llm_rollout": frozenset({"llm"}),
    "prompt_rollout": frozenset({"prompt_template"}),
}
_HOMES = ("agentlightning", "agentlightning.litagent", "agentlightning.litagent.decorator")
_PATHS = {f"{home}.{name}": f"{_HOMES[-1]}.{name}" for home in _HOMES for name in RESOURCES}


def decorator_path(ctx: FileContext, node: ast.expr) -> str:
    """The path of the rollout decorator that an expression names, empty for anything else."""
    return _PATHS.get(ctx.qual(node) or "", "")


def is_rollout_function(ctx: FileContext, function: FunctionNode) -> bool:
    """Whether a decorator makes an agent of a function."""
    decorators = (d.func if isinstance(d, ast.Call) else d for d in function.decorator_list)
    return any(decorator_path(ctx, decorator) for decorator in decorators)


class Matching(NamedTuple):
    """Where `agent_match` goes; without a trainer, nothing is to be said."""

    call: ast.Call | None
    value: str = ""

    def give(self, rewrite: Rewrite) -> None:
        """Put the adapter into the trainer's construction."""
        if self.call is not None:
            rewrite.call(self.call).set_keyword("adapter", f'{{"agent_match": {self.value}}}')


def trainer_for(ctx: FileContext, trained: ast.keyword) -> Matching | None:
    """The trainer whose adapter takes over `trained_agents`; None, where that is not certain."""
    value = trained.value
    if not isinstance(value, ast.Constant):
        return None
    if value.value is None:
        return Matching(None)
    found = trainers(ctx)
    others = [k for call in _calls(ctx) for k in call.keywords if k.arg == "trained_agents"]
    if not isinstance(value.value, str) or len(found) != 1 or len(others) != 1:
        return None
    call = found[0].call
    if found[0].name or {k.arg for k in call.keywords} & {"adapter", "triplet_exporter", None}:
        return None
    return Matching(call, ctx.source(value))


def _calls(ctx: FileContext) -> list[ast.Call]:
    return [node for node in ctx.module.table.nodes.get(ast.Call, ()) if isinstance(node, ast.Call)]


def first_parameter(function: FunctionNode) -> ast.arg | None:
    """The parameter that the task goes to."""
    positional = [*function.args.posonlyargs, *function.args.args]
    return positional[0] if positional else None


def renamed_reads(
    ctx: FileContext, function: FunctionNode, first: ast.arg
) -> list[ast.Name] | None:
    """The uses of a parameter that is to be called `task`; None, where that is not safe."""
    module = ctx.module
    inside = {node for node in ast.walk(function) if isinstance(node, ast.Name)}
    if any(name.id == "task" for name in inside) or _named_task(function):
        return None
    if _given_by_keyword(ctx, function.name, first.arg):
        return None
    uses = []
    for name in module.names.get(first.arg, ()):
        if name in inside and any(
            b.node is first or b.scope.node is function
            for b in module.scope(name).lookup(first.arg)
        ):
            if misplaced(ctx, name):
                return None
            uses.append(name)
    return uses


def _named_task(function: FunctionNode) -> bool:
    every = [
        a for node in ast.walk(function) if isinstance(node, ast.arguments) for a in _all(node)
    ]
    return any(argument.arg == "task" for argument in every)


def _all(args: ast.arguments) -> list[ast.arg]:
    return [*args.posonlyargs, *args.args, *args.kwonlyargs]


def _given_by_keyword(ctx: FileContext, name: str, parameter: str) -> bool:
    """Whether any call in the project of something so called gives the parameter by keyword."""
    return any(
        isinstance(call, ast.Call)
        and dotted_tail(call) == name
        and any(k.arg == parameter for k in call.keywords)
        for module in ctx.project.modules.values()
        for call in module.table.nodes.get(ast.Call, ())
    )
