"""Modules that are imported by a call, and what is read from them by name."""

from __future__ import annotations

import ast

from codemods import api_map
from codemods.context import FileContext
from codemods.legacy import literals
from codemods.legacy.dotted import judge

# Names that are new in 0.3.0, and modules that have them besides the package itself.
ALSO_IN = {
    "Tracer": ("agentlightning.tracer", "agentlightning.tracer.base"),
    "TracerTraceToTriplet": ("agentlightning.adapter", "agentlightning.adapter.triplet"),
}


def module_of(node: ast.expr, ctx: FileContext) -> str | None:
    """The path into agentlightning that an expression leads to through a call that imports."""
    return _module(node, ctx, frozenset())


def _module(node: ast.expr, ctx: FileContext, within: frozenset[ast.expr]) -> str | None:
    # `within` are the values being looked at: `x = x if x else y` goes round.
    match node:
        case ast.Call():
            return _imported(node)
        case ast.Attribute(value=value, attr=attr):
            base = _module(value, ctx, within)
            return None if base is None else f"{base}.{attr}"
        case ast.IfExp(body=body, orelse=orelse):
            return _module(body, ctx, within) or _module(orelse, ctx, within)
        case ast.NamedExpr(value=value):
            return _module(value, ctx, within)
        case ast.Name(id=name):
            bindings = ctx.module.scope(node).lookup(name)
            calls = [b.value for b in bindings if b.kind == "assign" and _calls(b.value)]
            new = [call for call in calls if call is not None and call not in within]
            paths = {_module(call, ctx, within | {call}) for call in new}
            return paths.pop() if len(paths) == 1 else None
    return None


def _calls(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Call | ast.IfExp | ast.NamedExpr)


def _imported(call: ast.Call) -> str | None:
    """The module that a call imports, if its name is spelled out and agentlightning's."""
    function = literals.last_name(call.func)
    if function not in ("import_module", "__import__", "importorskip"):
        return None
    path = spelled(call)
    if path.partition(".")[0] != "agentlightning":
        return None
    if function == "__import__" and not _wants_names(call):
        return "agentlightning"  # of a dotted name it gives the package at its head
    return path


def spelled(call: ast.Call) -> str:
    """The module that a call of an importing function names; empty where that is not written."""
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "name")]
    name = given[0] if given else None
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return ""
    if not name.value.startswith("."):
        return name.value
    anchor = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "package")]
    if len(anchor) != 1 or not isinstance(anchor[0], ast.Constant):
        return ""
    ups = len(name.value) - len(name.value.lstrip(".")) - 1
    parts = str(anchor[0].value).split(".")
    return ".".join([*parts[: len(parts) - ups], name.value.lstrip(".")])


def _wants_names(call: ast.Call) -> bool:
    named = [k.value for k in call.keywords if k.arg == "fromlist"]
    fromlist = [*call.args[3:4], *named]
    return bool(fromlist) and bool(getattr(fromlist[0], "elts", None))


def name_in(module: str, new: str) -> str | None:
    """What to read from a module, at its place in 0.3.0, to get the thing at the path `new`."""
    verdict = judge(module, "agentlightning", "module")
    home = module if verdict is None else verdict.new
    new = new.replace("agentlightning_compat.", "agentlightning.", 1)
    package, _, name = new.rpartition(".")
    if home is None:
        return None
    if home in (package, *ALSO_IN.get(name, ())):
        return name
    if home == "agentlightning":
        return new.removeprefix("agentlightning.")
    row = api_map.load().lookup(f"{home}.{name}")
    return name if row is not None and row.name == name and "0.3.0" in row.versions else None
