"""AGL212: `fit_v0` with datasets, and `fit` with keywords that it never had."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.fit_calls import FitCall, fit_call
from codemods.legacy.fleets import drop
from codemods.legacy.trainers import NO_ALGORITHM, has_algorithm
from codemods.names import known
from codemods.rule import Hit, Rule


class FitDataset(Rule):
    """`fit_v0(agent, train_data, val_data=)` as `fit(agent, train_dataset=, val_dataset=)`."""

    code = "AGL212"
    title = "`fit` or `fit_v0` with datasets by their old keywords"
    why = (
        "`fit` takes `train_dataset` and `val_dataset`; there never was a `train_data`, whatever "
        "guides say. Without an algorithm nothing reads the datasets, and `fit` does not end."
    )
    before = "trainer.fit_v0(agent, train_data=train, val_data=val)"
    after = "trainer.fit(agent, train_dataset=train, val_dataset=val)"
    applicability = "review"
    nodes = (ast.Call,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls with a dataset that are not in the form of today."""
        assert isinstance(node, ast.Call)
        call = fit_call(ctx, node)
        if call is None or call.plan != "dataset":
            return
        aimless = call.built is not None and not has_algorithm(call.built)

        def fix(rewrite: Rewrite) -> None:
            _rewrite(rewrite, call)

        yield Hit(
            node,
            f"`{call.func.attr}` with a dataset is `fit(agent, train_dataset=, val_dataset=)`",
            None if aimless else fix,
            NO_ALGORITHM if aimless else "",
            symbol=f"{known.TRAINER}.{call.func.attr}",
        )


def _rewrite(rewrite: Rewrite, call: FitCall) -> None:
    edit = rewrite.call(call.node)
    for given, name in ((call.backend, "train_dataset"), (call.validation, "val_dataset")):
        if given is not None and given.keyword:
            edit.rename_keyword(given.keyword, name)
        elif given is not None and name == "val_dataset":
            edit.name_positional(given.position, name)
    drop(edit, call.loader)
    if call.func.attr != "fit":
        edit.rename_attribute("fit")
