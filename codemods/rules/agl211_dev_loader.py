"""AGL211: `fit` with a `DevTaskLoader`, which is `dev` today."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.dev_runs import dev_run
from codemods.legacy.fit_calls import fit_call
from codemods.names import known
from codemods.rule import Hit, Rule


class DevLoader(Rule):
    """A trial run over a few tasks, by `Trainer(initial_resources=...).dev(...)`."""

    code = "AGL211"
    title = "`fit` with a DevTaskLoader"
    why = (
        "`Trainer.fit` with a loader never ends in 0.3.0. A trial run is a call of "
        "`Trainer.dev`, which takes the tasks as a dataset and needs `initial_resources`; each "
        "task runs once, in training mode, and has to leave a span (a reward is one). The flag "
        "`dev=` is only looked at by `fit_v0`."
    )
    before = "Trainer(dev=True).fit(agent, url, DevTaskLoader(tasks, resources))"
    after = "Trainer(initial_resources=resources).dev(agent, train_dataset=tasks)"
    applicability = "review"
    nodes = (ast.Call,)
    words = frozenset({"fit", "fit_v0"})

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls of `fit` and `fit_v0` by which a loader gets to run, or may."""
        assert isinstance(node, ast.Call)
        if ctx.options.server == "legacy":
            return  # fit_v0 takes loaders
        call = fit_call(ctx, node)
        if call is None or call.plan != "dev":
            return
        outcome = dev_run(ctx, call)
        yield Hit(
            node,
            f"`{call.func.attr}` with a DevTaskLoader is `dev(agent, train_dataset=...)`",
            outcome.fix,
            outcome.reason,
            outcome.applicability,
            symbol=known.DEV_LOADER,
        )
