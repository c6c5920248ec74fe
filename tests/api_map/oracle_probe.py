"""Runs in the interpreter of a real release: says what dotted paths lead to there.

A module that cannot be imported for want of a big dependency (torch, vllm, langchain) is read
instead: its source is parsed, and names are followed through the imports between modules.
"""

import ast
import importlib
import inspect
import pkgutil
import types
import warnings
from typing import Any

from oracle_reading import FILES, class_members, describe_read, read_names

warnings.simplefilter("ignore")
# Importing these runs a command line.
COMMANDS = ("agentlightning.cli.", "agentlightning.verl.__main__")
SELF = ("self", "cls")
MISSING: dict[str, str] = {}


def load_module(name: str) -> types.ModuleType | None:
    """The imported module; None when it is only read."""
    if name.startswith(COMMANDS):
        return None
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = error.name or str(error)
        if missing.startswith("agentlightning"):
            raise
        MISSING[name] = missing
        return None


def signature_of(value: Any, bound: bool) -> str | None:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    empty = inspect.Parameter.empty
    parameters = [p.replace(annotation=empty) for p in signature.parameters.values()]
    if bound and parameters and parameters[0].name in SELF:
        parameters = parameters[1:]
    shown = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return str(shown)


def kind_of(value: Any) -> str:
    if inspect.ismodule(value):
        return "module"
    if inspect.isclass(value):
        return "class"
    if isinstance(value, property):
        return "property"
    if inspect.isroutine(value):
        return "function"
    return "value"


def home_of(value: Any) -> str:
    if inspect.ismodule(value):
        return value.__name__
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def describe_live(module: types.ModuleType, rest: list[str]) -> dict[str, Any]:
    value: Any = module
    for index, name in enumerate(rest):
        if inspect.isclass(value) and not hasattr(value, name):
            return describe_hidden(value, name) if index == len(rest) - 1 else {"found": False}
        if not hasattr(value, name):
            return {"found": False}
        value = getattr(value, name)
    return {
        "found": True,
        "how": "run",
        "kind": kind_of(value),
        "home": home_of(value),
        "signature": signature_of(value, len(rest) > 1) if callable(value) else None,
    }


def describe_hidden(owner: type, name: str) -> dict[str, Any]:
    """Fields and instance attributes, which the class object does not show."""
    fields = getattr(owner, "model_fields", {})
    annotated = any(name in getattr(base, "__annotations__", {}) for base in owner.__mro__)
    if not (name in fields or annotated or name in instance_attributes(owner)):
        return {"found": False}
    return {"found": True, "how": "run", "kind": "value", "home": home_of(owner), "signature": None}


def instance_attributes(owner: type) -> set[str]:
    found: set[str] = set()
    for base in owner.__mro__:
        node = read_names(base.__module__).get(base.__name__, (None, None, None))[2]
        if isinstance(node, ast.ClassDef):
            found.update(class_members(node, base.__module__))
    return found


def describe(path: str) -> dict[str, Any]:
    """What a path leads to: `found`, and then `how`, `kind`, `home`, `signature`.

    The module asked first is the longest that is a proper prefix. A parameter `callable(name)` is
    found when the callable names it.
    """
    if path.endswith(")"):
        callable_path, _, parameter = path[:-1].partition("(")
        told = describe(callable_path)
        if not told["found"]:
            return told
        return {**told, "found": parameter in parameter_names(told["signature"])}
    if not path.startswith("agentlightning"):
        return describe_foreign(path)
    parts = path.split(".")
    for size in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:size])
        if module in FILES:
            live = load_module(module)
            if live is not None:
                return describe_live(live, parts[size:])
            return describe_read(module, parts[size:])
    return {"found": False}


def describe_foreign(path: str) -> dict[str, Any]:
    try:
        value = pkgutil.resolve_name(path)
    except (ImportError, AttributeError):
        return {"found": False}
    return {"found": True, "how": "run", "kind": kind_of(value), "home": path, "signature": None}


def inventory() -> dict[str, str]:
    """Public names of every module that come from the package itself, with their homes."""
    return {
        f"{module}.{name}": f"{home}.{inner}"
        for module in FILES
        for name, (home, inner, _) in read_names(module).items()
        if home and not name.startswith("_")
    }


def module_states() -> dict[str, str]:
    """How each module is known: `run`, `command` (never imported), or what its import lacks."""
    return {
        name: "run" if load_module(name) is not None else MISSING.get(name, "command")
        for name in FILES
    }


def parameter_names(signature: str | None) -> set[str]:
    if signature is None:
        return set()
    # Defaults such as <factory> are no expressions, and no parameter name stands in one.
    depth, names, word = 0, set(), ""
    for char in signature[1:-1] + ",":
        depth += char in "([{<"
        depth -= char in ")]}>"
        if char == "," and depth == 0:
            names.add(word.partition("=")[0].strip().lstrip("*"))
            word = ""
        else:
            word += char
    return names - {""}
