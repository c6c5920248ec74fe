"""The arguments of a call by the names of the parameters that they go to."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from codemods.edit.rewrite import Rewrite


class Arguments(NamedTuple):
    """What a call gives; `problem` says why that cannot be read off."""

    call: ast.Call
    values: dict[str, ast.expr]
    positions: dict[str, int]
    problem: str = ""

    def rename(self, rewrite: Rewrite, **names: str) -> None:
        """Give the arguments named on the left by the keyword on the right."""
        edit = rewrite.call(self.call)
        # From the end: no positional argument may stand behind a keyword meanwhile.
        for old, new in sorted(names.items(), key=lambda n: -self.positions.get(n[0], -1)):
            if old in self.positions:
                edit.name_positional(self.positions[old], new)
            elif old in self.values and old != new:
                edit.rename_keyword(old, new)

    def drop(self, rewrite: Rewrite, *names: str) -> None:
        """Take arguments out of the call."""
        edit = rewrite.call(self.call)
        positions = [self.positions[n] for n in names if n in self.positions]
        for index in sorted(positions, reverse=True):
            edit.remove_positional(index)
        for name in names:
            if name in self.values and name not in self.positions:
                edit.remove_keyword(name)


def arguments(call: ast.Call, parameters: Sequence[str]) -> Arguments:
    """The arguments of a call of a function with `parameters`."""
    values: dict[str, ast.expr] = {}
    positions: dict[str, int] = {}
    spread = any(isinstance(a, ast.Starred) for a in call.args)
    if spread or any(k.arg is None for k in call.keywords):
        return Arguments(call, {}, {}, "the arguments are spread with * or **; write them out")
    if len(call.args) > len(parameters):
        return Arguments(call, {}, {}, "there are more arguments than it ever took")
    for index, (name, value) in enumerate(zip(parameters, call.args, strict=False)):
        values[name], positions[name] = value, index
    for keyword in call.keywords:
        assert keyword.arg is not None
        if keyword.arg not in parameters or keyword.arg in values:
            return Arguments(call, {}, {}, f"it never took the argument {keyword.arg}")
        values[keyword.arg] = keyword.value
    return Arguments(call, values, positions)
