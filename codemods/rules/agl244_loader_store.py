"""AGL244: a `DevTaskLoader` that a hand-built runner works off, or that is polled directly."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import HELPERS, block_here
from codemods.legacy.loader_stores import feeds_runner, goes_round, replaceable
from codemods.legacy.loaders import Loader, are_named_resources, kind_of_tasks, loader_of
from codemods.legacy.objects import kind_of
from codemods.legacy.polls import POLLS, POSTS, READS
from codemods.legacy.store_statements import StoreStatements
from codemods.names import known
from codemods.rule import Hit, Rule

STORE = "agentlightning.InMemoryLightningStore"
_MEMBERS = POLLS | READS | POSTS | {"rollouts"}


class LoaderStore(Rule):
    """Loaders that stand in for a client without a server."""

    code = "AGL244"
    title = "DevTaskLoader as the client of a runner"
    why = (
        "A runner of today takes its work from a store. Without a server that is a store in "
        "memory, which the tasks are put into, and which knows the results afterwards."
    )
    before = "loader = DevTaskLoader(tasks, resources)"
    after = (
        "loader = InMemoryLightningStore()\n"
        "wait(loader.add_resources(resources))\n"
        "for task in tasks:\n"
        "    wait(loader.enqueue_rollout(input=task))"
    )
    applicability = "shim"
    nodes = (ast.Call, ast.Attribute)
    attributes = _MEMBERS

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Constructions that feed runners; their rollouts; the calls of a client on a loader."""
        if ctx.options.server == "legacy":
            return
        if isinstance(node, ast.Attribute):
            yield from _member(node, ctx)
            return
        assert isinstance(node, ast.Call)
        loader = _assigned(node, ctx)
        if loader is None or not feeds_runner(ctx, loader):
            return
        message = "a runner without a server takes its tasks from a store in memory"
        if not replaceable(ctx, loader):
            reason = "the loader is used in other ways, too; fill an InMemoryLightningStore"
            yield Hit(node, message, reason=reason, symbol=known.DEV_LOADER)
            return
        yield Hit(
            node, message, lambda rewrite: _fill(rewrite, loader, ctx), symbol=known.DEV_LOADER
        )
        if goes_round(ctx, loader):
            yield Hit(
                node,
                "a loader began again after its last task, a store hands out each task once",
                reason="see to it that max_rollouts is not more than the number of tasks",
                symbol=known.DEV_LOADER,
            )


def _assigned(node: ast.Call, ctx: FileContext) -> Loader | None:
    statement = ctx.parent(node)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        return None
    direct = loader_of(ctx, node)
    bindings = ctx.module.scope(target).lookup(target.id)
    if direct is None or len(bindings) != 1:
        return None
    return Loader(node, direct.tasks, direct.resources, bindings[0])


def _fill(rewrite: Rewrite, loader: Loader, ctx: FileContext) -> None:
    statement = ctx.module.statement(loader.call)
    plain = kind_of_tasks(ctx, loader.tasks) == "inputs"
    named = are_named_resources(ctx, loader.resources)
    waits = not ctx.in_async(loader.call)
    rewrite.transform(
        statement,
        StoreStatements(
            rewrite.use(STORE, loader.call),
            "" if plain else rewrite.use(f"{HELPERS}.dev_tasks", loader.call),
            "" if named else rewrite.use(f"{HELPERS}.dev_resources", loader.call),
            _free(ctx, loader.call),
            f"{rewrite.use(f'{HELPERS}.wait', loader.call)}(" if waits else "await ",
            ")" if waits else "",
            ctx.module.newline + statements.indentation(ctx.module, statement),
        ).instead_of,
        rank=60,
    )


def _free(ctx: FileContext, node: ast.AST) -> str:
    scope = ctx.module.scope(node)
    names = ("task", "dev_task", "task_input", "loader_task")
    return next((name for name in names if not scope.lookup(name)), "agl_task")


def _member(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    if kind_of(ctx, node.value) != "loader":
        return
    symbol = f"{known.DEV_LOADER}.{node.attr}"
    loader = loader_of(ctx, node.value) if isinstance(node.value, ast.Name) else None
    if node.attr == "rollouts" and loader is not None and feeds_runner(ctx, loader):
        if replaceable(ctx, loader):
            message = "the finished rollouts are in the store"
            yield Hit(node, message, lambda rewrite: _drain(rewrite, node, ctx), symbol=symbol)
    elif node.attr != "rollouts":
        reason = "put the tasks into an InMemoryLightningStore, and claim them with poll_rollout()"
        yield Hit(node, f"`{node.attr}` of a DevTaskLoader", reason=reason, symbol=symbol)


def _drain(rewrite: Rewrite, node: ast.Attribute, ctx: FileContext) -> None:
    helper = rewrite.use(f"{HELPERS}.drain_completed", node)
    rewrite.replace(node, f"{helper}({ctx.source(node.value)})")
    block_here(rewrite, ctx, node)
