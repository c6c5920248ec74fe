"""Legacy runners that a project builds by hand: what they are given, and how they are run."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.context import FileContext
from codemods.legacy.clients import RUNNER_PARAMETERS, poll_interval
from codemods.legacy.given import Arguments, arguments
from codemods.legacy.loader_stores import stands_for_store
from codemods.legacy.objects import kind_of, objects
from codemods.legacy.runner_uses import runs_once
from codemods.names import known


class RunnerBuild(NamedTuple):
    """The construction of a legacy runner; `problem` says why it has to stay."""

    call: ast.Call
    given: Arguments
    problem: str = ""

    def text(self, ctx: FileContext, name: str) -> str:
        """The source of an argument, empty if it is not given."""
        value = self.given.values.get(name)
        return "" if value is None or _is_none(value) else ctx.source(value)


def runner_build(ctx: FileContext, call: ast.Call) -> RunnerBuild:
    """What a construction of a runner gives."""
    given = arguments(call, RUNNER_PARAMETERS)
    return RunnerBuild(call, given, given.problem or _problem(ctx, given))


def _problem(ctx: FileContext, given: Arguments) -> str:
    missing = [n for n in ("agent", "client", "tracer") if n not in given.values]
    if missing:
        return f"it is given no {missing[0]}"
    client = given.values["client"]
    kind = kind_of(ctx, client)
    if kind == "own":
        return "its client is of a class of the project's own; make that a LightningStore first"
    if kind == "loader" and not stands_for_store(ctx, client):
        return "its tasks come from a DevTaskLoader; put them into an InMemoryLightningStore first"
    return ""


def runner_path(ctx: FileContext, name: str = "LitAgentRunner") -> str:
    """Where a file takes a runner class from: the module that it takes the legacy one from."""
    homes = {
        binding.path.rpartition(".")[0]
        for scope in ctx.module.table.inner.values()
        for bindings in scope.bindings.values()
        for binding in bindings
        if binding.kind == "from" and ctx.project.canonical(binding.path) in known.RUNNERS
    }
    source = "agentlightning.runner" if homes == {"agentlightning.runner"} else "agentlightning"
    return f"{source}.{name}"


def stays(ctx: FileContext, receiver: ast.expr) -> bool:
    """Whether an object may be a runner whose construction is left to a person."""
    return any(
        runner_build(ctx.beside(built.module), built.call).problem
        for built in objects(ctx).origins(ctx.module, receiver)
    )


def interval_for(ctx: FileContext, build: RunnerBuild) -> str:
    """The seconds that the runner's client was told to wait between two polls."""
    return poll_interval(ctx, build.given.values["client"])


def single_run(ctx: FileContext, receiver: ast.expr) -> bool:
    """Whether `receiver` is a runner that was built, in this file, to run one task."""
    if not isinstance(receiver, ast.Name):
        return False
    bindings = ctx.module.scope(receiver).lookup(receiver.id)
    value = bindings[0].value if len(bindings) == 1 else None
    if not isinstance(value, ast.Call) or kind_of(ctx, value) != "runner":
        return False
    return runs_once(ctx, value) and not runner_build(ctx, value).problem


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
