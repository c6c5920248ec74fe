"""AGL217: a `DevTaskLoader` for `fit` that stays, or that nothing uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.dev_runs import dev_run
from codemods.legacy.fit_calls import fit_call, fit_calls
from codemods.legacy.fleets import HELPERS
from codemods.legacy.loader_places import name_of, places_of, works_by_hand
from codemods.legacy.trainers import uses
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import External, Instance
from codemods.rule import Hit, Rule

UNWRAPPING = tuple(
    External(f"{HELPERS}.{name}") for name in ("dev_tasks", "dev_resources", "fit_or_dev")
)
_LOADER = External(known.DEV_LOADER)
LEFT = "keep its tasks and its resources apart, or put the tasks into an InMemoryLightningStore"
WAITS = "it stays as long as the old server does; run again with --server store then"
OLD_SERVER = "fit_v0 takes it; run again with --server store when the old server goes"
APART = (
    "give its tasks to dev(agent, train_dataset=) and its resources to Trainer(initial_resources=)"
)


class LoaderStays(Rule):
    """Constructions of loaders that no rewrite does away with."""

    code = "AGL217"
    title = "DevTaskLoader that stays"
    why = (
        "`DevTaskLoader` warns in 0.3.0 and is gone in 1.0. Where a rewrite needs the object as it "
        "is, helpers take it apart when the program runs; its `rollouts` stay empty then. What is "
        "left to do by hand is to keep tasks and resources in variables of their own."
    )
    before = "loader = DevTaskLoader(tasks, resources)"
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Module, ast.Attribute, ast.FunctionDef, ast.AsyncFunctionDef)
    attributes = frozenset({"rollouts", "_rollouts"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Constructions, but for those that another rule takes apart, and parameters for `fit`."""
        if isinstance(node, FunctionNode):
            yield from _parameters(node, ctx)
            return
        if isinstance(node, ast.Attribute):
            if ctx.is_instance(node.value, known.DEV_LOADER):
                yield from _rollouts(node, ctx)
            return
        built = ctx.called.get(_LOADER, ())
        consumed = _consumed(ctx) if built else set()
        for call in built:
            if call not in consumed:
                yield from _built(call, ctx)


def _built(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    """A construction that no other rule takes apart."""
    name = name_of(node, ctx)
    places = [node] if name is None else [*places_of(ctx, name)]
    if name is not None and not places and name.name not in ctx.project.exported(ctx.module):
        message = "nothing uses this DevTaskLoader"
        yield Hit(node, message, reason="take it out", symbol=known.DEV_LOADER)
    elif any(_is_for_fit(ctx, place) for place in places):
        yield _deprecated(node, ctx)
    elif not works_by_hand(ctx, [node, *places]):
        yield _deprecated(node, ctx, LEFT, WAITS)


def _deprecated(
    node: ast.AST, ctx: FileContext, reason: str = APART, waits: str = OLD_SERVER
) -> Hit:
    reason = waits if ctx.options.server == "legacy" else reason
    return Hit(node, "`DevTaskLoader` is deprecated", reason=reason, symbol=known.DEV_LOADER)


def _parameters(function: FunctionNode, ctx: FileContext) -> Iterator[Hit]:
    """Parameters that say themselves that they take a loader, for `fit` or a helper."""
    for bindings in ctx.module.table.inner[function].bindings.values():
        for binding in bindings:
            if (note := binding.annotation) is None or binding.kind != "param":
                continue
            value = ctx.project.inference.annotated(ctx.module, note)
            if value == Instance(External(known.DEV_LOADER)) and any(
                _is_for_fit(ctx, use) for use in uses(ctx, binding)
            ):
                yield _deprecated(note, ctx)


def _consumed(ctx: FileContext) -> set[ast.Call]:
    """The constructions that rewrites of `fit` do away with."""
    found: set[ast.Call] = set()
    if ctx.options.server == "legacy":
        return found
    for call in fit_calls(ctx):
        if call.plan in ("today", "unclear"):
            continue
        if call.plan == "dev":
            outcome = dev_run(ctx, call)
            if outcome.consumed is not None:
                found.add(outcome.consumed)
        elif call.loader is not None and isinstance(call.loader.value, ast.Call):
            found.add(call.loader.value)  # an idle argument, which goes
    return found


def _is_for_fit(ctx: FileContext, place: ast.expr) -> bool:
    around = ctx.parent(place)
    around = ctx.parent(around) if isinstance(around, ast.keyword) else around
    if not isinstance(around, ast.Call):
        return False
    return fit_call(ctx, around) is not None or ctx.infer(around.func) in UNWRAPPING


def _rollouts(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    if ctx.options.server == "legacy" or not isinstance(node.value, ast.Name):
        return
    for binding in ctx.module.scope(node.value).lookup(node.value.id):
        if any(_is_for_fit(ctx, place) for place in places_of(ctx, binding)):
            yield Hit(
                node,
                "a loader that `fit` is given gets no rollouts in the store API",
                reason="ask the store: await trainer.store.query_rollouts()",
                symbol=f"{known.DEV_LOADER}.rollouts",
            )
            return
