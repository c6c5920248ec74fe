"""AGL210: `fit` with the address of a server, or with a client."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.legacy.fit_calls import FitCall, fit_call
from codemods.legacy.fleets import fleet
from codemods.legacy.old_server import keep_server
from codemods.legacy.trainers import CLASSES, is_trainer_method
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

UNCLEAR = (
    "what `{text}` is cannot be told here: a dataset goes to fit(agent, train_dataset=...), an "
    "address to Trainer(strategy=runner_strategy(url)) and fit(agent)"
)


class FitAddress(Rule):
    """`fit(agent, url)` as runners of a store server, or as `fit_v0` for the server of old."""

    code = "AGL210"
    title = "`fit` with the address of a server"
    why = (
        "`Trainer.fit` takes datasets today: with an address it raises TypeError, with a client "
        "it never ends. Runners for a server that runs elsewhere are a trainer with a strategy of "
        "role `runner`. With `--server legacy` the old server stays, and `fit_v0` talks to it."
    )
    before = 'Trainer(n_runners=4).fit(agent, "http://localhost:9999/")'
    after = (
        'Trainer(n_runners=4, strategy={"type": "cs", "role": "runner", "server_host": '
        '"localhost", "server_port": 9999}).fit(agent)'
    )
    applicability = "review"
    nodes = (ast.Call, ast.Attribute)
    words = frozenset({"fit", "fit_v0"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls of `fit` and `fit_v0`; the methods passed on without being called."""
        if isinstance(node, ast.Attribute):
            yield from _bare(node, ctx)
            return
        assert isinstance(node, ast.Call)
        call = fit_call(ctx, node)
        if call is None:
            yield from _inherited(node, ctx)
        if call is None or call.plan == "today":
            return
        if call.plan == "unclear":
            yield _unclear(call, ctx)
        elif ctx.options.server == "legacy":
            if call.plan != "dataset":
                yield from keep_server(call)
        elif call.plan == "fleet":
            yield _fleet(call, ctx)


def _fleet(call: FitCall, ctx: FileContext) -> Hit:
    outcome = fleet(ctx, call)
    what = "a client" if call.kind == "client" else "the address of a server"
    return Hit(
        call.node,
        f"`{call.func.attr}` with {what} is a fleet of runners on a store server",
        outcome.fix,
        outcome.reason,
        outcome.applicability,
        symbol=f"{known.TRAINER}.{call.func.attr}",
    )


def _unclear(call: FitCall, ctx: FileContext) -> Hit:
    if call.spread:
        reason = "the arguments are spread with * or **; write them out"
    elif call.strange:
        reason = f"no fit method ever took {', '.join(call.strange)}"
    elif call.backend is None:
        reason = "there is neither an address nor a dataset"
    elif call.kind == "dataset":
        reason = "whether it is a trial run is not in sight; write fit(...) or dev(...)"
    else:
        reason = UNCLEAR.format(text=ctx.source(call.backend.value))
    name = call.func.attr
    return Hit(
        call.node,
        f"`{name}` takes something else in the store API",
        reason=reason,
        symbol=f"{known.TRAINER}.{name}",
    )


def _inherited(node: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    """`super().fit(agent, url)` in a class derived from Trainer."""
    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr not in ("fit", "fit_v0"):
        return
    owner, around = func.value, ctx.module.enclosing(node, ast.ClassDef)
    is_super = isinstance(owner, ast.Call) and getattr(owner.func, "id", "") == "super"
    if not is_super or not isinstance(around, ast.ClassDef):
        return
    cls = ProjectClass(ctx.module, around)
    today = {k.arg for k in node.keywords} & {"train_dataset", "val_dataset"}
    few = len(node.args) + len(node.keywords) < 2
    if ctx.project.inference.derives(cls, *CLASSES) and not today and not few:
        yield Hit(
            node,
            f"`super().{func.attr}` takes datasets in the store API",
            reason="an address belongs to the strategy that super().__init__ is given",
            symbol=f"{known.TRAINER}.{func.attr}",
        )


def _bare(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    """`Process(target=trainer.fit, args=(agent, url))`, and `fit_v0` as a value."""
    if node.attr not in ("fit", "fit_v0") or not is_trainer_method(ctx, node):
        return
    parent = ctx.parent(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    around = ctx.module.enclosing(node, ast.Call)
    given: list[ast.expr] = []
    if isinstance(around, ast.Call):
        given = [k.value for k in around.keywords if k.arg in ("args", "kwargs")]
        given += [argument for argument in around.args if argument is not node]
    if node.attr == "fit_v0" or given:
        yield Hit(
            node,
            f"`{node.attr}` is handed on with arguments of the legacy API, or may be",
            reason="call fit(agent) on a trainer with a strategy of role runner instead",
            symbol=f"{known.TRAINER}.{node.attr}",
        )
