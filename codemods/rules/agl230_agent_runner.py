"""AGL230: `AgentRunner` and `LegacyAgentRunner`, which are a `LitAgentRunner` today."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import HOOK_HELPER, hooked_class
from codemods.legacy.awaiting import HELPERS
from codemods.legacy.runner_statements import RunnerStatements
from codemods.legacy.runner_uses import assignment, runs_once
from codemods.legacy.runners import RunnerBuild, interval_for, runner_build, runner_path
from codemods.legacy.swaps import (
    Reference,
    class_references,
    constructs,
    is_base,
    put_class,
    quoted,
    text_for,
)
from codemods.names import known
from codemods.rule import Hit, Rule

STAYING = "LegacyAgentRunner"
MESSAGE = "a runner of the store is a `LitAgentRunner`"


class AgentRunner(Rule):
    """Constructions, annotations and subclasses of the legacy runner."""

    code = "AGL230"
    title = "Legacy runner"
    why = (
        "Today's runner takes its work from a store. Agent and store are not arguments of its "
        "construction but of `init` and `init_worker`, and `iter` is a coroutine."
    )
    before = "runner = AgentRunner(agent, client, tracer, exporter, max_tasks=5)"
    after = (
        "runner = LitAgentRunner(tracer=tracer, max_rollouts=5)\n"
        "runner.init(agent=agent)\n"
        "runner.init_worker(worker_id=0, store=client)"
    )
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Every reference to one of the two classes."""
        for reference, path in class_references(ctx, *known.RUNNERS):
            yield from _reference(reference, path, ctx)
        legacy = ctx.options.server == "legacy"
        today = runner_path(ctx, STAYING) if legacy else runner_path(ctx)
        paths = (known.AGENT_RUNNER,) if legacy else (known.AGENT_RUNNER, known.LEGACY_RUNNER)
        for constant, name, at in quoted(ctx, *paths):
            yield _quoted(constant, name, at, today)


def _reference(node: Reference, path: str, ctx: FileContext) -> Iterator[Hit]:
    call = constructs(ctx, node)
    stays = ""
    if is_base(ctx, node):
        stays = "make the class a subclass of LitAgentRunner, or put what it adds into a Hook"
    elif ctx.options.server == "legacy":
        stays = "" if call is None else "it stays as long as the old server does"
    elif call is None:
        yield Hit(
            node, MESSAGE, lambda rewrite: put_class(rewrite, node, runner_path(ctx)), symbol=path
        )
        return
    else:
        build = runner_build(ctx, call)
        stays = build.problem
        if not stays:
            yield _construction(node, build, path, ctx)
            return
    if path == known.AGENT_RUNNER:
        message = "`AgentRunner` is `LegacyAgentRunner` since 0.2"
        legacy = runner_path(ctx, STAYING)
        yield Hit(node, message, lambda rewrite: put_class(rewrite, node, legacy), symbol=path)
    if stays:
        yield Hit(node, MESSAGE, reason=stays, symbol=path)


def _construction(node: Reference, build: RunnerBuild, path: str, ctx: FileContext) -> Hit:
    statement = assignment(ctx, build.call)

    def fix(rewrite: Rewrite) -> None:
        if statement is None:
            _inside(rewrite, node, build, ctx)
            return
        alone = statements.owns_its_lines(rewrite.module, statement)
        indent = statements.indentation(rewrite.module, statement)
        limit = "1" if runs_once(ctx, build.call) else ""
        rewrite.transform(
            statement,
            RunnerStatements(
                rewrite.use(runner_path(ctx), node),
                limit,
                interval_for(ctx, build),
                rewrite.module.newline + indent if alone else "; ",
                _hooks(rewrite, node, build, ctx),
            ).instead_of,
            rank=60,
        )

    return Hit(build.call, MESSAGE, fix, applicability=None if statement else "shim", symbol=path)


def _hooks(rewrite: Rewrite, node: Reference, build: RunnerBuild, ctx: FileContext) -> str:
    """The hooks for an agent that has some as methods."""
    if hooked_class(ctx, build.given.values["agent"]) is None:
        return ""
    return f"[{rewrite.use(HOOK_HELPER, node)}()]"


def _inside(rewrite: Rewrite, node: Reference, build: RunnerBuild, ctx: FileContext) -> None:
    """A construction inside an expression: a helper does the three steps."""
    rewrite.replace(node, rewrite.use(f"{HELPERS}.make_runner", node))
    interval = interval_for(ctx, build)
    build.given.rename(rewrite, worker_id="worker_id", max_tasks="max_rollouts")
    build.given.drop(rewrite, "triplet_exporter")
    rewrite.call(build.call).rename_keyword("client", "store")
    if interval:
        rewrite.call(build.call).set_keyword("poll_interval", interval)
    if hooks := _hooks(rewrite, node, build, ctx):
        rewrite.call(build.call).set_keyword("hooks", hooks)


def _quoted(constant: ast.Constant, name: str, at: int, today: str) -> Hit:
    def fix(rewrite: Rewrite) -> None:
        rewrite.replace_span(at, at + len(name), text_for(rewrite, constant, name, today))

    return Hit(constant, MESSAGE, fix, symbol=known.LEGACY_RUNNER)
