"""AGL112: modules and names that are looked up by a string while the program runs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import partial

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy import literals
from codemods.legacy.dotted import judge
from codemods.legacy.dynamic import module_of, name_in, spelled
from codemods.legacy.module_table import meddling
from codemods.names.values import External, Instance, ProjectClass
from codemods.rule import Hit, Rule

_WORDS = ("import_module", "__import__", "importorskip", "find_spec", "getattr", "reload")


class DynamicNames(Rule):
    """`importlib.import_module`, `__import__` and `getattr` with names that changed."""

    code = "AGL112"
    title = "Name looked up at run time has changed"
    why = (
        "`importlib.import_module(...)` and `getattr(module, ...)` take names as strings. Nothing "
        "but a run shows that the module or the name is not there any more, and what is read "
        "from such a module cannot be followed like an import."
    )
    before = 'module = importlib.import_module("agentlightning.tracer.triplet")'
    after = 'module = importlib.import_module("agentlightning.adapter.triplet")'
    applicability = "review"
    nodes = (ast.Module,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Calls that import or read by name, attributes of what they import, `sys.modules`."""
        yield from meddling(ctx)
        if not any(word in ctx.module.text for word in _WORDS):
            return
        for call in ctx.module.table.nodes.get(ast.Call, ()):
            assert isinstance(call, ast.Call)
            if isinstance(call.func, ast.Name) and call.func.id == "getattr":
                yield from _getattr(call, ctx)
            elif call.args and literals.last_name(call.func) in _WORDS:
                yield from _import(call, ctx)
        for attribute in ctx.module.table.nodes.get(ast.Attribute, ()):
            assert isinstance(attribute, ast.Attribute)
            yield from _attribute(attribute, ctx)


def _import(call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    name, path = call.args[0], spelled(call)
    if path.partition(".")[0] != "agentlightning":
        return
    if isinstance(ctx.parent(call), ast.IfExp):
        yield Hit(
            call,
            f"`{path}` is imported under a condition",
            reason="check that both ways still work with 0.3.0",
            symbol=path,
        )
    verdict = judge(path, ctx.options.target, "module")
    if verdict is None or not isinstance(name, ast.Constant):
        return
    new, reason = verdict.new, verdict.reason
    goes_on = module_of(call, ctx) == "agentlightning" and isinstance(
        ctx.parent(call), ast.Attribute
    )
    if new is None or goes_on or literals.spot(name, path, ctx) is None:
        reason = reason if new is None else f"the module is {new}"
        yield Hit(name, verdict.message, reason=reason, symbol=path)
    else:
        fix = partial(literals.respell, node=name, old=path, new=new, ctx=ctx)
        yield Hit(name, verdict.message, fix, symbol=path)


def _attribute(node: ast.Attribute, ctx: FileContext) -> Iterator[Hit]:
    base = module_of(node.value, ctx)
    if base is None or base not in api_map.load().modules:
        return
    name, reason, message = _change(base, node.attr, ctx)
    if name:
        yield Hit(node, message, partial(Rewrite.rename, node=node, name=name), symbol=node.attr)
    elif message:
        yield Hit(node, message, reason=reason, symbol=node.attr)


def _getattr(call: ast.Call, ctx: FileContext) -> Iterator[Hit]:
    if len(call.args) < 2:
        return
    owner, literal = call.args[:2]
    base = ctx.written(owner) or module_of(owner, ctx)
    is_module = base is not None and base in api_map.load().modules
    if not isinstance(literal, ast.Constant):
        if is_module:
            reason = "check that every name it can ask for exists in 0.3.0"
            yield Hit(call, f"a name is looked up in `{base}`", reason=reason, symbol=base or "")
        return
    attr = str(literal.value)
    if not is_module or base is None:
        yield from _member(call, _class_of(owner, ctx), attr)
        return
    name, reason, message = _change(base, attr, ctx)
    if name and "." not in name and literals.spot(literal, attr, ctx) is not None:
        fix = partial(literals.respell, node=literal, old=attr, new=name, ctx=ctx)
        yield Hit(call, message, fix, symbol=attr)
    elif name and len(call.args) == 2:
        text = f"{ctx.source(owner)}.{name}"
        yield Hit(call, message, partial(Rewrite.replace, node=call, text=text), symbol=attr)
    elif message:
        yield Hit(call, message, reason=reason or f"ask for {name}", symbol=attr)


def _change(module: str, attr: str, ctx: FileContext) -> tuple[str, str, str]:
    """The new name of something read from a module, else why there is none, and a message."""
    path = f"{module}.{attr}"
    row = api_map.load().lookup(path)
    if row is None or row.kind == "module":
        return "", "", ""
    verdict = judge(path, ctx.options.target)
    if path == "agentlightning.reward":
        verdict = judge("agentlightning.reward.reward", ctx.options.target)
    if verdict is not None:
        name = name_in(module, verdict.new) if verdict.new else None
        if name == attr:
            return "", "", ""  # it moves with its module
        reason = verdict.reason or f"import {verdict.new} instead"
        return name or "", reason, verdict.message
    if row.legacy or row.change == "changed":
        advice = "import it by a statement, so that its uses are looked at"
        return "", advice, f"`{path}` is read by name, so that its uses are not followed"
    return "", "", ""


def _class_of(node: ast.expr, ctx: FileContext) -> str:
    value = ctx.infer(node)
    value = value.of if isinstance(value, Instance) else value
    bases = ctx.project.inference.mro(value) if isinstance(value, ProjectClass) else [value]
    return next((b.path for b in bases if isinstance(b, External)), "")


def _member(call: ast.Call, owner: str, attr: str) -> Iterator[Hit]:
    row = api_map.load().members_of(owner).get(attr)
    if row is not None and (row.legacy or row.change in ("moved", "renamed", "removed")):
        message = f"`{attr}` of `{row.owner.rpartition('.')[2]}` is asked for by name"
        yield Hit(call, message, reason=row.advice or "look at its uses", symbol=row.path)
