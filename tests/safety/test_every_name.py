"""Each legacy name of the API map, used in the plainest way, is spoken of."""

from __future__ import annotations

import pytest

import codemods
from codemods import api_map
from codemods.api_map.symbol import Symbol

OLD = {"0.1.2", "0.2.2"}
# 0.3.0 has them under the same path with another meaning: their use decides, and none is shown.
BY_USE = {
    "agentlightning.Rollout",
    "agentlightning.types.Rollout",
    "agentlightning.verl.daemon.Rollout",
    "agentlightning.RolloutRawResult",
    "agentlightning.types.RolloutRawResult",
}
TOP_LEVEL = ("class", "function", "constant", "type")
ROWS = api_map.load().symbols


def _names() -> list[tuple[str, str]]:
    found = []
    for row in ROWS:
        for path, versions in row.exists.items():
            if row.kind not in TOP_LEVEL or not OLD & set(versions) or path in BY_USE:
                continue
            today = api_map.load().replacement_for(path, "agentlightning")
            if row.legacy or today != path or "0.3.0" not in versions:
                found.append((path, row.kind))
    return found


@pytest.mark.parametrize(("path", "kind"), _names())
def test_names(path: str, kind: str) -> None:
    module, _, name = path.rpartition(".")
    use = {"class": f"x = {name}()", "function": f"{name}(1)"}.get(kind, f"x = {name}")
    if name == "reward":
        use = f"@{name}\ndef f():\n    return 1.0"
    assert codemods.lint_source(f"from {module} import {name}\n\n{use}\n") != ()


def _members() -> list[Symbol]:
    return [
        row
        for row in ROWS
        if row.kind in ("method", "attribute", "parameter")
        and OLD & set(row.versions)
        and (row.legacy or row.change in ("renamed", "removed"))
    ]


@pytest.mark.parametrize("row", _members(), ids=lambda row: row.path)
def test_members(row: Symbol) -> None:
    callee, parameter = row.path, ""
    if row.kind == "parameter":
        callee, _, parameter = row.path[:-1].rpartition("(")
    given = f"{parameter}=3" if parameter else "1, 2"
    owner, _, name = callee.rpartition(".")
    of = api_map.load().lookup(callee)
    if row.kind == "parameter" and of is not None and of.kind in TOP_LEVEL:
        code = f"from {owner} import {name}\n\n{name}({given})\n"
    else:
        code = _use_of_member(owner, name, "" if row.kind == "attribute" else f"({given})")
    found = codemods.lint_source(code)
    assert found != ()
    gone = {finding.code for finding in found} == {"AGL105"}
    line = code.count("\n")
    spoken = (parameter or name) in str(found) or line in {f.line for f in found}
    # The class, or the method around a parameter, is reported as a whole.
    assert spoken or gone or parameter == "rollout_id"


def _use_of_member(owner: str, name: str, call: str) -> str:
    module, _, cls = owner.rpartition(".")
    head = f"from {module} import {cls}\n\n\n"
    if name.startswith(("training_", "validation_")):
        return f"{head}class A({cls}):\n    def {name}(self, task, rollout_id, resources):\n        ...\n"
    return f"{head}def f(x: {cls}):\n    y = x.{name}{call}\n"
