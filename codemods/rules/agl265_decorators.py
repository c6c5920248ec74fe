"""AGL265: forms of `@rollout`, `@llm_rollout` and `@prompt_rollout` that no release accepts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.rollout_decorators import (
    RESOURCES,
    decorator_path,
    first_parameter,
    renamed_reads,
    trainer_for,
)
from codemods.names.scopes import FunctionNode
from codemods.rule import Hit, Rule

TRAINED = "trained_agents"
WHOLE = (
    "it can take llm or prompt_template by name, never all resources: write a LitAgent with "
    "rollout(self, task, resources, rollout) instead"
)
AGENT_MATCH = 'take it out, and give Trainer(adapter={"agent_match": ...}) where the algorithm runs'


class RolloutDecorators(Rule):
    """Parentheses, the first parameter's name, and `trained_agents` moved to the adapter."""

    code = "AGL265"
    title = "Form of a rollout decorator"
    why = (
        "`@rollout` takes no parentheses. All three decorators want a function whose first "
        "parameter is called `task` and that asks for `llm` or `prompt_template` by name; "
        "anything else raises where the module is imported. `trained_agents` belongs to the "
        "adapter."
    )
    before = "@rollout()\ndef solve(sample, llm): ..."
    after = "@rollout\ndef solve(task, llm): ..."
    applicability = "review"
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Call)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Decorated functions; `trained_agents` also where the decorator is called by hand."""
        if isinstance(node, ast.Call):
            path = decorator_path(ctx, node.func)
            if path:
                yield from _called(node, path, ctx)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                func = decorator.func if isinstance(decorator, ast.Call) else decorator
                path = decorator_path(ctx, func)
                if path:
                    yield from _parameters(node, decorator, path, ctx)


def _called(node: ast.Call, path: str, ctx: FileContext) -> Iterator[Hit]:
    name = path.rpartition(".")[2]
    trained = next((k for k in node.keywords if k.arg == TRAINED), None)
    decorates = isinstance(ctx.parent(node), ast.FunctionDef | ast.AsyncFunctionDef)
    if name == "rollout" and decorates and not node.args and len(node.keywords) == bool(trained):
        yield _parentheses(node, trained, path, ctx)
    elif trained is not None:
        yield _trained(node, trained, path, ctx)


def _parentheses(node: ast.Call, trained: ast.keyword | None, path: str, ctx: FileContext) -> Hit:
    message = "`@rollout` takes no parentheses"
    trainer = None if trained is None else trainer_for(ctx, trained)
    symbol = path if trained is None else f"{path}({TRAINED})"
    if trained is not None and trainer is None:
        return Hit(node, message, reason=AGENT_MATCH, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        rewrite.replace(node, ctx.source(node.func))
        if trainer is not None:
            trainer.give(rewrite)

    return Hit(node, message, fix, symbol=symbol)


def _trained(node: ast.Call, trained: ast.keyword, path: str, ctx: FileContext) -> Hit:
    message = f"`{path.rpartition('.')[2]}` takes no `{TRAINED}`"
    trainer = trainer_for(ctx, trained)
    if trainer is None:
        return Hit(trained, message, reason=AGENT_MATCH, symbol=f"{path}({TRAINED})")

    def fix(rewrite: Rewrite) -> None:
        rewrite.call(node).remove_keyword(TRAINED)
        trainer.give(rewrite)

    return Hit(trained, message, fix, symbol=f"{path}({TRAINED})")


def _parameters(
    function: FunctionNode, decorator: ast.expr, path: str, ctx: FileContext
) -> Iterator[Hit]:
    first = first_parameter(function)
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    names = {argument.arg for argument in every}
    wanted = RESOURCES[path.rpartition(".")[2]]
    if not names & wanted:
        message = f"`{function.name}` asks for no {' or '.join(sorted(wanted))}"
        reason = WHOLE if len(names) > 1 else f"{WHOLE}; it needs two parameters at least"
        yield Hit(decorator, message, reason=reason, symbol=path)
        return
    if first is None or first.arg == "task":
        return
    message = f"the first parameter of `{function.name}` has to be called `task`"
    reads = renamed_reads(ctx, function, first)
    if reads is None or first.arg in wanted:
        reason = "rename it by hand: the new name is taken, or the old one is given by keyword"
        yield Hit(first, message, reason=reason, symbol=path)
        return

    def fix(rewrite: Rewrite) -> None:
        start, _ = ctx.module.span(first)
        rewrite.replace_span(start, start + len(first.arg), "task")
        for name in reads:
            rewrite.rename(name, "task")

    yield Hit(first, message, fix, symbol=path)
