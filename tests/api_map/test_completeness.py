"""Nothing public of the oldest release is missing from the table."""

import ast

import pytest

from codemods import api_map
from tests.api_map.releases import REAL, is_module, places, rows, told
from tests.oracles import VERSIONS, oracle_package

pytestmark = pytest.mark.oracle

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
