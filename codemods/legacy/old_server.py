"""Rewrites `fit` so that it goes on talking to the old server: `fit_v0`, argument by argument."""

from __future__ import annotations

from collections.abc import Iterator

from codemods.edit.rewrite import Rewrite
from codemods.legacy.fit_calls import FitCall
from codemods.names import known
from codemods.rule import Hit


def keep_server(call: FitCall) -> Iterator[Hit]:
    """The call as one of `fit_v0`, unless it is one in order."""
    renames = _renames(call)
    positional = call.loader is not None and not call.loader.keyword
    if call.func.attr == "fit_v0" and not renames and not positional:
        return

    def fix(rewrite: Rewrite) -> None:
        edit = rewrite.call(call.node)
        if positional and call.loader is not None:
            edit.name_positional(call.loader.position, "dev_data")
        for old, new in renames.items():
            edit.rename_keyword(old, new)
        if call.func.attr != "fit_v0":
            edit.rename_attribute("fit_v0")

    yield Hit(
        call.node,
        f"`{call.func.attr}` with an address is `fit_v0(agent, train_data, dev_data=)` since 0.2",
        fix,
        symbol=f"{known.TRAINER}.{call.func.attr}",
    )


def _renames(call: FitCall) -> dict[str, str]:
    wanted = (
        (call.backend, "train_data"),
        (call.loader, "dev_data"),
        (call.validation, "val_data"),
    )
    return {
        given.keyword: name
        for given, name in wanted
        if given is not None and given.keyword and given.keyword != name
    }
