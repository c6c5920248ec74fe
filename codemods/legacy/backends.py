"""What the second argument of `fit` is: an address, a client, a loader of tasks, or a dataset."""

from __future__ import annotations

import ast
import re
from typing import Literal

from codemods.context import FileContext
from codemods.names import known
from codemods.names.scopes import Binding
from codemods.names.shapes import returns_of
from codemods.names.values import External, ProjectFunction

Kind = Literal["url", "client", "loader", "dataset", "unknown"]

_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get", "os.environ.setdefault", "os.environ.pop"})
_TEXT_METHODS = frozenset({"format", "strip", "rstrip", "lstrip", "removesuffix", "join"})
_ADDRESS = re.compile(r"url|uri|server|endpoint|backend|address|host|api_?base", re.IGNORECASE)
_DATA = re.compile(r"data|train|tasks|examples|samples|records|rows|split", re.IGNORECASE)
_ENDS_AS_ADDRESS = re.compile(r"(url|uri|endpoint|server|address)$", re.IGNORECASE)
_COLLECTIONS = (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)
_TEXT_TYPES = frozenset({"str", "AnyStr", "HttpUrl", "AnyUrl", "LiteralString"})
_DEPTH = 8


def kind_of(ctx: FileContext, node: ast.expr) -> Kind:
    """What an expression given to `fit` stands for, by its value, its type and at last its name."""
    found = _kind(ctx, node, 0)
    if found == "unknown":
        return _by_name(node)
    return found


def _kind(ctx: FileContext, node: ast.expr, depth: int) -> Kind:
    if depth > _DEPTH:
        return "unknown"
    if ctx.is_instance(node, known.CLIENT):
        return "loader" if ctx.is_instance(node, known.DEV_LOADER) else "client"
    if isinstance(node, _COLLECTIONS):
        return "dataset"
    return _by_form(ctx, node, depth)


def _by_form(ctx: FileContext, node: ast.expr, depth: int) -> Kind:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return "url"
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
            return "url" if "url" in _kinds(ctx, [left, right], depth) else "unknown"
        case ast.IfExp(body=body, orelse=orelse):
            return _agreed(ctx, [body, orelse], depth)
        case ast.BoolOp(values=values):
            return _agreed(ctx, values, depth)
        case ast.NamedExpr(value=value):
            return _kind(ctx, value, depth + 1)
        case ast.Subscript(value=value):
            return "url" if _external(ctx, value) in ("os.environ", "sys.argv") else "unknown"
        case ast.Call():
            return _called(ctx, node, depth)
        case ast.Name():
            return _named(ctx, node, depth)
    return "unknown"


def _kinds(ctx: FileContext, nodes: list[ast.expr], depth: int) -> set[Kind]:
    return {_kind(ctx, node, depth + 1) for node in nodes if not _is_none(node)}


def _agreed(ctx: FileContext, nodes: list[ast.expr], depth: int) -> Kind:
    found = _kinds(ctx, nodes, depth) - {"unknown"}
    return found.pop() if len(found) == 1 else "unknown"


def _called(ctx: FileContext, node: ast.Call, depth: int) -> Kind:
    path = _external(ctx, node.func)
    if path in _ENVIRONMENT or (path is None and _builtin(ctx, node.func, "str")):
        return "url"
    if path is None and any(_builtin(ctx, node.func, name) for name in ("list", "tuple", "dict")):
        return "dataset"
    if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
        return "url"
    function = ctx.infer(node.func)
    if isinstance(function, ProjectFunction):
        if _is_text(function.node.returns):
            return "url"
        values = [r.value for r in returns_of(function.node) if r.value is not None]
        if function.module is ctx.module:
            return _agreed(ctx, values, depth)
    return "unknown"


def _named(ctx: FileContext, node: ast.Name, depth: int) -> Kind:
    bindings = ctx.module.scope(node).lookup(node.id)
    found = {_bound(ctx, binding, depth) for binding in bindings} - {"unknown"}
    return found.pop() if len(found) == 1 else "unknown"


def _bound(ctx: FileContext, binding: Binding, depth: int) -> Kind:
    if _is_text(binding.annotation):
        return "url"
    if binding.kind == "assign" and binding.value is not None:
        return "unknown" if _is_none(binding.value) else _kind(ctx, binding.value, depth + 1)
    if binding.kind == "param":
        default = _default(binding)
        return "unknown" if default is None else _kind(ctx, default, depth + 1)
    if binding.kind == "from":
        # A constant of another file: its own text decides, the names in it mean something there.
        value = _imported_constant(ctx, binding)
        return "url" if value is not None else "unknown"
    return "unknown"


def _imported_constant(ctx: FileContext, binding: Binding) -> ast.Constant | None:
    source, _, name = binding.path.rpartition(".")
    module = ctx.project.find_module(ctx.module, source or ".")
    if module is None:
        return None
    values = [b.value for b in module.table.root.bindings.get(name, ())]
    match values:
        case [ast.Constant(value=str()) as constant]:
            return constant
    return None


def _default(binding: Binding) -> ast.expr | None:
    function = binding.scope.node
    arguments = getattr(function, "args", None)
    if not isinstance(arguments, ast.arguments):
        return None
    positional = [*arguments.posonlyargs, *arguments.args]
    given = positional[len(positional) - len(arguments.defaults) :]
    pairs = [*zip(given, arguments.defaults, strict=True)]
    for argument, default in [
        *pairs,
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]:
        if argument is binding.node:
            return default
    return None


def _is_text(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _TEXT_TYPES
        case ast.Constant(value=str() as text):
            return text.partition("|")[0].strip() in _TEXT_TYPES
        case ast.BinOp(left=left, right=right):
            return _is_text(left) and (_is_none(right) or _is_text(right))
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional")):
            return _is_text(annotation.slice)
    return False


def _external(ctx: FileContext, node: ast.expr) -> str | None:
    value = ctx.infer(node)
    return value.path if isinstance(value, External) else None


def _builtin(ctx: FileContext, node: ast.expr, name: str) -> bool:
    return (
        isinstance(node, ast.Name) and node.id == name and not ctx.module.scope(node).lookup(name)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _by_name(node: ast.expr) -> Kind:
    """What a name that nothing else is known of suggests, if only one thing."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            pass
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as name), *_]):
            pass
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            pass
        case _:
            return "unknown"
    if _ENDS_AS_ADDRESS.search(name):
        return "url"
    address, data = bool(_ADDRESS.search(name)), bool(_DATA.search(name))
    if address == data:
        return "unknown"
    return "url" if address else "dataset"
