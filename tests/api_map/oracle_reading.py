"""Read, not imported: modules of the installed release as syntax trees.

Runs in the interpreter of the release, like `oracle_probe`, which uses it.
"""

import ast
import importlib.util
from pathlib import Path
from typing import Any

PACKAGE = Path(importlib.util.find_spec("agentlightning").origin).parent


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
NAMES: dict[str, dict[str, tuple[str, str, ast.AST | None]]] = {}


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
            names.update({n: inner[n] for n in exported(inner) if n in inner})
        elif alias.name in inner:
            names[alias.asname or alias.name] = inner[alias.name]
        else:
            names[alias.asname or alias.name] = ("", alias.name, None)


def exported(names: dict[str, tuple[str, str, ast.AST | None]]) -> list[str]:
    """What a star import takes: `__all__`, or every public name."""
    _, _, node = names.get("__all__", (None, None, None))
    if isinstance(node, ast.Assign):
        return ast.literal_eval(node.value)
    return [name for name in names if not name.startswith("_")]


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
