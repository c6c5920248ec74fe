"""Dotted paths into agentlightning that stand in text: what became of the thing they name."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from codemods import api_map
from codemods.api_map.symbol import Symbol
from codemods.api_map.table import ApiMap
from codemods.finding import Applicability
from codemods.legacy.generation import ONLY_LEGACY
from codemods.names import known

Target = Literal["agentlightning", "agentlightning_compat"]
Use = Literal["data", "patch", "module"]

PATH = re.compile(r"agentlightning(?:\.[A-Za-z_]\w*)+")
REFERENCE = re.compile(r"(?P<module>agentlightning(?:\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_][\w.]*)")

# Modules of 0.1 that are packages today, and what those hold: a name that is none of these and
# not in the map was something that the module happened to import.
_PACKAGES = {
    "agentlightning.runner": ("agent", "base", "legacy"),
    "agentlightning.trainer": ("trainer", "legacy", "init_utils", "registry"),
    "agentlightning.litagent": ("litagent", "decorator"),
    "agentlightning.types": ("core", "resources", "tracer"),
}
_TWO_MEANINGS = {
    known.ROLLOUT: "RolloutLegacy",
    "agentlightning.types.RolloutRawResult": "RolloutRawResultLegacy",
}


class Verdict(NamedTuple):
    """A path that does not mean in 0.3.0 what it meant; `new` is None where a person decides."""

    path: str
    new: str | None
    message: str
    reason: str = ""
    applicability: Applicability = "safe"


def judge(path: str, target: Target = "agentlightning", use: Use = "data") -> Verdict | None:
    """What has to happen to a dotted path; None where it is still right, or not known.

    `use` says what it is for: an object to load, a place to patch, or a module to import.
    """
    api = api_map.load()
    row = api.modules.get(path) if use == "module" else None
    row = row or api.lookup(path)
    if use == "data" and path == "agentlightning.reward":
        return Verdict(
            path,
            None,
            "`agentlightning.reward` is the decorator in 0.1 and a module in 0.3.0",
            "write agentlightning.emitter.reward where the decorator is meant",
            "manual",
        )
    if row is None:
        return _inside(path, target, use)
    if row.path in _TWO_MEANINGS and path not in ONLY_LEGACY:
        return Verdict(
            path,
            None,
            f"`{row.name}` names another type in 0.3.0",
            f"if the type of 0.1 is meant, write agentlightning.{_TWO_MEANINGS[row.path]}",
            "manual",
        )
    new = _destination(path, row, target, use)
    if use == "patch" and new != path and path not in row.patch and _only_passed_on(row):
        module = path.rpartition(".")[0]
        return Verdict(
            path,
            None,
            f"`{module}` does not hold `{row.name}` in 0.3.0",
            "patch it in the module that looks it up today",
            "manual",
        )
    return _verdict(path, new, row, target)


def _only_passed_on(row: Symbol) -> bool:
    """Whether the thing itself is where it was: only a module that imported it is another."""
    return row.change in ("same", "changed") and row.kind in ("class", "function", "type")


def judge_reference(text: str, target: Target = "agentlightning") -> Verdict | None:
    """The same for the `module:name` of an entry point."""
    found = REFERENCE.fullmatch(text)
    if found is None:
        return None
    verdict = judge(f"{found['module']}.{found['name']}", target)
    if verdict is None or verdict.new is None:
        return verdict
    module, _, name = verdict.new.rpartition(".")
    return Verdict(text, f"{module}:{name}", verdict.message, "", verdict.applicability)


def _destination(path: str, row: Symbol, target: Target, use: Use) -> str | None:
    api = api_map.load()
    if row.kind == "module" and use == "module":
        new = row.replacement["agentlightning"]
    elif use == "patch" or row.kind in ("method", "attribute", "parameter"):
        new = api.patch_target_for(path)
    else:
        new = api.replacement_for(path, "agentlightning")
    if new == path or new is None:
        return new
    if target == "agentlightning":
        return new
    if use == "patch" and new.count(".") > 1 and row.kind != "method":
        return None  # where the other package looks a name up is not what 0.3.0 does
    return api.replacement_for(path, target)


def _verdict(path: str, new: str | None, row: Symbol, target: Target) -> Verdict | None:
    if new == path:
        return None
    if new is not None:
        trust: Applicability = "safe" if row.change == "moved" else "review"
        shown = new.replace("agentlightning_compat.", "agentlightning.", 1)
        return Verdict(path, new, f"`{path}` is `{shown}` in 0.3.0", "", trust)
    package = "0.3.0" if target == "agentlightning" else target
    reason = row.advice or "take it out"
    return Verdict(path, None, f"`{path}` does not exist in {package}", reason, "manual")


def _inside(path: str, target: Target, use: Use) -> Verdict | None:
    """A path that goes on behind the last name that the map knows."""
    head, rest = _known_part(path)
    if not head:
        return None
    if head in _PACKAGES and use == "patch" and rest.split(".")[0] not in _PACKAGES[head]:
        return Verdict(
            path,
            None,
            f"`{head}` is a package in 0.3.0 and may not hold `{rest}`",
            "name the submodule that looks the name up today",
            "manual",
        )
    verdict = judge(head, target, "module" if use == "data" else use)
    if verdict is None or verdict.new is None:
        return verdict and Verdict(path, None, verdict.message, verdict.reason, "manual")
    new = f"{verdict.new}.{rest}"
    shown = new.replace("agentlightning_compat.", "agentlightning.", 1)
    return Verdict(path, new, f"`{path}` is `{shown}` in 0.3.0", "", "review")


def _known_part(path: str) -> tuple[str, str]:
    api: ApiMap = api_map.load()
    head, rest = path, ""
    while "." in head:
        head, _, last = head.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
        if head in api.modules or api.lookup(head) is not None:
            return head, rest
    return "", path
