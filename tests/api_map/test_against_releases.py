"""The table against the packages themselves: 0.1.2, 0.2.2 and 0.3.0."""

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from codemods import api_map
from codemods.api_map.model import Symbol
from tests.oracles import VERSIONS, oracle_package, run_in_oracle

pytestmark = pytest.mark.oracle

PROBE = Path(__file__).with_name("oracle_probe.py").read_text(encoding="utf-8")
ASK = """
import json, sys
answer({
    "paths": {path: describe(path) for path in json.load(sys.stdin)},
    "inventory": inventory(),
    "modules": module_states(),
})
"""
REAL = "agentlightning"
# What the probe sees of each kind of row. A constant may hold a function that is patched later;
# a type may be an alias of `Any`, which is a class.
SEEN = {
    "class": {"class"},
    "function": {"function"},
    "constant": {"value", "function", "class"},
    "type": {"value", "class"},
    "method": {"function"},
    "attribute": {"value", "property", "function"},
    "parameter": {"class", "function"},
    "module": {"module"},
}
# Packages that come with no oracle; modules that import them are read, not run.
NOT_INSTALLED = {
    "hydra",
    "langchain_core",
    "litellm",
    "numpy",
    "poml",
    "pymongo",
    "torch",
    "vllm",
    "weave",
}


@lru_cache(maxsize=1)
def questions() -> list[str]:
    asked: set[str | None] = set()
    for symbol in api_map.load().symbols:
        asked.update(symbol.paths)
        asked.update(symbol.patch.values())
        asked.update((symbol.replacement[REAL], symbol.successor))
    return sorted(path for path in asked if path is not None)


@lru_cache(maxsize=3)
def told(version: str) -> dict[str, Any]:
    return run_in_oracle(version, PROBE + ASK, questions())


def rows(*kinds: str) -> list[Symbol]:
    return [s for s in api_map.load().symbols if not kinds or s.kind in kinds]


def is_module(symbol: Symbol) -> bool:
    return symbol.kind == "module" and not symbol.foreign


@pytest.mark.parametrize("version", VERSIONS)
def test_every_path_exists_exactly_where_the_map_says(version):
    answer = told(version)
    wrong = []
    for symbol in rows():
        for path, versions in symbol.exists.items():
            there = path in answer["modules"] if is_module(symbol) else None
            if there is None:
                there = answer["paths"][path]["found"]
            if there != (version in versions):
                wrong.append(f"{path}: map says {versions}, found: {there}")
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_where_a_name_has_its_legacy_meaning_it_is_of_that_kind(version):
    paths = told(version)["paths"]
    wrong = []
    for symbol in rows():
        if version not in symbol.versions or is_module(symbol):
            continue
        kinds = {paths[p]["kind"] for p, at in symbol.exists.items() if version in at}
        if not kinds & SEEN[symbol.kind]:
            wrong.append(f"{symbol.path}: a {symbol.kind}, found {kinds}")
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_all_paths_of_a_class_or_function_lead_to_the_same_thing(version):
    paths = told(version)["paths"]
    wrong = []
    for symbol in rows("class", "function"):
        if version not in symbol.versions or symbol.foreign:
            continue
        homes = {
            paths[path]["home"]
            for path, versions in symbol.exists.items()
            if version in versions and paths[path]["kind"] == symbol.kind
        }
        if len(homes) != 1:
            wrong.append(f"{symbol.path}: {sorted(homes)}")
    assert not wrong


def test_names_whose_meaning_changed_are_not_the_same_thing_later():
    early, late = told("0.1.2")["paths"], told("0.3.0")["paths"]
    for path, now in (
        ("agentlightning.Rollout", "agentlightning.types.core.Rollout"),
        ("agentlightning.reward", "agentlightning.reward"),
    ):
        symbol = api_map.load().lookup(path)
        assert early[path]["home"] == symbol.path
        assert late[path]["home"] == now
        assert late[symbol.replacement[REAL]]["home"] != now
    assert late["agentlightning.reward"]["kind"] == "module"
    fit = [told(version)["paths"]["agentlightning.trainer.Trainer.fit"] for version in VERSIONS]
    assert fit[0]["signature"] == "(agent, backend, dev_backend=None)"
    assert fit[1]["signature"] == fit[2]["signature"] != fit[0]["signature"]


def test_every_replacement_exists_in_the_newest_release_and_is_of_the_kind_it_replaces():
    answer = told("0.3.0")
    wrong = []
    for symbol in rows():
        path = symbol.replacement[REAL]
        if path is None:
            continue
        if is_module(symbol):
            if path not in answer["modules"]:
                wrong.append(f"{symbol.path}: no module {path}")
            continue
        seen = answer["paths"][path]
        if not seen["found"]:
            wrong.append(f"{symbol.path}: {path} does not exist")
        elif seen["kind"] not in SEEN[symbol.kind]:
            wrong.append(f"{symbol.path} is a {symbol.kind}, {path} a {seen['kind']}")
    assert not wrong


def test_every_successor_and_patch_target_exists_in_the_newest_release():
    answer = told("0.3.0")
    known = answer["modules"]
    wrong = []
    for symbol in rows():
        paths = {symbol.successor, *symbol.patch.values()} - {None} - set(known)
        wrong += [f"{symbol.path}: {p}" for p in paths if not answer["paths"][p]["found"]]
    assert not wrong


def test_stated_signatures_are_those_of_the_newest_release():
    paths = told("0.3.0")["paths"]
    wrong = []
    stated = 0
    for symbol in rows():
        pairs = (
            (symbol.signature, symbol.replacement[REAL]),
            (symbol.successor_signature, symbol.successor),
        )
        for signature, path in pairs:
            if signature is None or path is None:
                continue
            stated += 1
            if paths[path]["signature"] != signature:
                wrong.append(f"{path}{signature}: is {paths[path]['signature']}")
    assert not wrong
    assert stated > 100


def test_a_callable_that_changed_states_its_signature():
    paths = told("0.3.0")["paths"]
    for symbol in rows("class", "function", "method"):
        path = symbol.replacement[REAL]
        if symbol.change == "same" or path is None or symbol.foreign:
            continue
        assert symbol.signature == paths[path]["signature"], symbol.path


def test_unchanged_parameters_are_where_they_were():
    """A call that gives `same` parameters keeps its meaning under the replacement."""
    early, late = told("0.1.2")["paths"], told("0.3.0")["paths"]
    compared = 0
    for symbol in rows("parameter"):
        path = symbol.replacement[REAL]
        if symbol.change != "same" or path is None or "0.1.2" not in symbol.versions:
            continue
        before, after = early[symbol.path]["signature"], late[path]["signature"]
        compared += 1
        assert places(before)[symbol.name] == places(after)[symbol.name], symbol.path
    assert compared > 100


def places(signature: str) -> dict[str, int | None]:
    """Positional places of parameters; None for keyword-only ones. Defaults are left out."""
    # Reprs of objects are no expressions.
    cleaned = "".join(signature[1:-1].split("<")[:1]) + "".join(
        part.partition(">")[2] and "None" + part.partition(">")[2]
        for part in signature[1:-1].split("<")[1:]
    )
    if cleaned.endswith("="):
        cleaned += "None"
    arguments = ast.parse(f"lambda {cleaned}: 0", mode="eval").body.args
    positional = [*arguments.posonlyargs, *arguments.args]
    found: dict[str, int | None] = {a.arg: index for index, a in enumerate(positional)}
    found.update({a.arg: None for a in arguments.kwonlyargs})
    return found


# --- completeness --------------------------------------------------------------------------


def test_no_public_name_of_the_oldest_release_is_missing():
    table = api_map.load()
    inventory = told("0.1.2")["inventory"]
    assert len(inventory) > 150
    missing = []
    for path, home in inventory.items():
        symbol = table.lookup(path)
        if symbol is None or symbol.path != home or path not in symbol.paths:
            missing.append(f"{path} ({home})")
    assert not missing


def test_no_module_of_the_oldest_release_is_missing():
    table = api_map.load()
    modules = set(told("0.1.2")["modules"])
    assert modules <= set(table.modules)
    # `agentlightning.cli` was a folder without `__init__`.
    assert len(modules) == 31


@pytest.mark.parametrize("version", VERSIONS)
def test_modules_are_read_instead_of_run_only_for_want_of_something_big(version):
    for module, state in told(version)["modules"].items():
        if state == "command":
            assert module.startswith((f"{REAL}.cli.", f"{REAL}.verl.__main__"))
        elif state != "run":
            assert state.split(".")[0] in NOT_INSTALLED, (module, state)


def public(name: str) -> bool:
    return not name.startswith("_")


def walk_classes() -> list[tuple[str, ast.ClassDef]]:
    root = oracle_package("0.1.2")
    found = []
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        nodes = ast.parse(file.read_text()).body
        classes = [n for n in nodes if isinstance(n, ast.ClassDef) and public(n.name)]
        found += [(f"{module}.{node.name}", node) for node in classes]
    return found


def parameter_names(node: ast.FunctionDef | ast.AsyncFunctionDef, bound: bool) -> list[str]:
    arguments = node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)][1 if bound else 0 :]
    return positional + [a.arg for a in arguments.kwonlyargs]


def test_no_public_member_of_the_oldest_release_is_missing():
    table = api_map.load()
    missing = []
    for path, node in walk_classes():
        known = table.members_of(path)
        names = {
            n.name for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        for inner in ast.walk(node):
            stored = isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store)
            if stored and ast.unparse(inner.value) == "self":
                names.add(inner.attr)
        for inner in node.body:
            targets = inner.targets if isinstance(inner, ast.Assign) else []
            targets = [inner.target] if isinstance(inner, ast.AnnAssign) else targets
            names.update(t.id for t in targets if isinstance(t, ast.Name))
        missing += [f"{path}.{name}" for name in names if public(name) and name not in known]
    assert not missing


def test_no_parameter_of_a_public_callable_of_the_oldest_release_is_missing():
    table = api_map.load()
    callables: list[tuple[str, list[str]]] = []
    for path, node in walk_classes():
        for inner in node.body:
            if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            static = any(ast.unparse(d) == "staticmethod" for d in inner.decorator_list)
            names = parameter_names(inner, not static)
            if inner.name == "__init__":
                callables.append((path, names))
            elif public(inner.name):
                callables.append((f"{path}.{inner.name}", names))
    for symbol in rows("function"):
        if "0.1.2" in symbol.versions and not symbol.foreign:
            signature = told("0.1.2")["paths"][symbol.path]["signature"]
            callables.append((symbol.path, list(places(signature))))
    assert len(callables) > 100
    missing = []
    for path, names in callables:
        known = list(table.parameters_of(path))
        missing += [f"{path}({name})" for name in names if name not in known]
        assert known == names or missing, path
    assert not missing


def test_no_prerelease_name_was_ever_released():
    for version in VERSIONS:
        paths = told(version)["paths"]
        for symbol in rows():
            if symbol.prerelease and not is_module(symbol):
                assert not any(paths[path]["found"] for path in symbol.paths), symbol.path
