"""Sent to the interpreter of a real release: says what dotted paths lead to there.

A module that cannot be imported for want of a big dependency (torch, vllm, langchain) is read
instead: its source is parsed, and names are followed through the imports between modules.
"""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import types
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
PACKAGE = Path(importlib.util.find_spec("agentlightning").origin).parent
# Importing these runs a command line.
COMMANDS = ("agentlightning.cli.", "agentlightning.verl.__main__")
SELF = ("self", "cls")


def _module_files() -> dict[str, Path | None]:
    found: dict[str, Path | None] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = file
    for name in list(found):
        parent = name.rpartition(".")[0]
        while parent:
            found.setdefault(parent, None)  # a namespace folder
            parent = parent.rpartition(".")[0]
    return found


FILES = _module_files()
MISSING: dict[str, str] = {}
NAMES: dict[str, dict[str, tuple[str, str, ast.AST | None]]] = {}


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


# --- reading -------------------------------------------------------------------------------


def statements(body: list[ast.stmt]):
    """Statements that importing a module runs."""
    for node in body:
        if isinstance(node, ast.If):
            test = ast.unparse(node.test)
            if "__name__" in test:
                continue
            if "TYPE_CHECKING" not in test:
                yield from statements(node.body)
            yield from statements(node.orelse)
        elif isinstance(node, ast.Try):
            yield from statements(node.body + node.orelse)
            for handler in node.handlers:
                yield from statements(handler.body)
        else:
            yield node


def import_base(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if FILES[module] is not None and FILES[module].name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join(package + ([node.module] if node.module else []))


def read_names(module: str) -> dict[str, tuple[str, str, ast.AST | None]]:
    """name -> (defining module, name there, node); the module is empty for foreign names."""
    if module in NAMES:
        return NAMES[module]
    # Entered before it is filled: modules import each other in circles.
    names = NAMES[module] = {}
    if FILES.get(module) is None:
        return names
    for node in statements(ast.parse(FILES[module].read_text()).body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names[node.name] = (module, node.name, node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            plain = [t.id for t in targets if isinstance(t, ast.Name)]
            names.update({name: (module, name, node) for name in plain})
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = ("", alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            read_import(node, module, names)
    return names


def read_import(node: ast.ImportFrom, module: str, names: dict) -> None:
    base = import_base(node, module)
    for alias in node.names:
        if base not in FILES:
            names[alias.asname or alias.name] = ("", alias.name, None)
            continue
        inner = read_names(base)
        if alias.name == "*":
            names.update({n: v for n, v in inner.items() if not n.startswith("_")})
        elif alias.name in inner:
            names[alias.asname or alias.name] = inner[alias.name]
        else:
            names[alias.asname or alias.name] = ("", alias.name, None)


def read_parameters(node: ast.AST, bound: bool) -> str:
    """The signature in the form that `signature_of` gives for a live function."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = list(zip(positional, defaults, strict=True))[1 if bound else 0 :]
    text = [a.arg + (f"={ast.unparse(d)}" if d is not None else "") for a, d in pairs]
    if arguments.vararg:
        text.append("*" + arguments.vararg.arg)
    elif arguments.kwonlyargs:
        text.append("*")
    for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        text.append(a.arg + (f"={ast.unparse(d)}" if d is not None else ""))
    if arguments.kwarg:
        text.append("**" + arguments.kwarg.arg)
    return "(" + ", ".join(text) + ")"


def class_members(node: ast.ClassDef, module: str) -> dict[str, ast.AST]:
    """Members by name, with what `self` is given in methods, bases in the package included."""
    members: dict[str, ast.AST] = {}
    names = read_names(module)
    for base in node.bases:
        home, _, parent = names.get(ast.unparse(base).split("[")[0], ("", "", None))
        if isinstance(parent, ast.ClassDef):
            members.update(class_members(parent, home))
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.ctx, ast.Store)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "self"
        ):
            members.setdefault(inner.attr, inner)
    for inner in node.body:
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
            members[inner.name] = inner
        elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
            members[inner.target.id] = inner
        elif isinstance(inner, ast.Assign):
            members.update({t.id: inner for t in inner.targets if isinstance(t, ast.Name)})
    return members


def describe_read(module: str, rest: list[str]) -> dict[str, Any]:
    home, name, node = read_names(module).get(rest[0], (None, None, None))
    if home is None:
        return {"found": False}
    told = {"found": True, "how": "read", "home": f"{home}.{name}"}
    if len(rest) > 1:
        if not isinstance(node, ast.ClassDef):
            return {"found": False}
        member = class_members(node, home).get(rest[1])
        if member is None:
            return {"found": False}
        return {**told, **node_facts(member, bound=True), "home": f"{told['home']}.{rest[1]}"}
    if isinstance(node, ast.ClassDef):
        made = class_members(node, home).get("__init__")
        told["signature"] = read_parameters(made, True) if made is not None else None
        return {**told, "kind": "class"}
    return {**told, **node_facts(node, bound=False)}


def node_facts(node: ast.AST | None, bound: bool) -> dict[str, Any]:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return {"kind": "value", "signature": None}
    decorators = [ast.unparse(d) for d in node.decorator_list]
    if any("property" in d for d in decorators):
        return {"kind": "property", "signature": None}
    static = "staticmethod" in decorators
    return {"kind": "function", "signature": read_parameters(node, bound and not static)}


# --- running -------------------------------------------------------------------------------


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
