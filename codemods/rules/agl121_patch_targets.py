"""AGL121: what tests patch, where the name is not looked up any more."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods import api_map
from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy import literals
from codemods.legacy.dotted import PATH, judge
from codemods.names.module import Module
from codemods.rule import Hit, Rule

_TRACER = "agentlightning.tracer"
_OBJECT = frozenset({"object", "setattr", "delattr", "spy"})


class PatchTargets(Rule):
    """Targets of `mock.patch`, `patch.object`, `monkeypatch.setattr` and the like."""

    code = "AGL121"
    title = "Test patches a name where nothing looks it up any more"
    why = (
        "`patch` replaces a name in one module. `agentlightning.trainer` and `.runner` became "
        "packages, so names that they had imported are gone from there (AttributeError) or are "
        "looked up in a submodule: the patch then has no effect, and the test proves nothing."
    )
    before = '@patch("agentlightning.trainer.AgentLightningClient")'
    after = '@patch("agentlightning.trainer.legacy.AgentLightningClient")'
    applicability = "review"
    nodes = (ast.Call, ast.Constant)
    words = literals.PATCHES | _OBJECT

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Dotted targets, and objects patched by the name of an attribute."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and literals.serves_patch(node, ctx):
                yield from _dotted(node, ctx)
            return
        assert isinstance(node, ast.Call)
        if literals.last_name(node.func) in _OBJECT and len(node.args) > 1:
            yield from _object(node.args[0], node.args[1], ctx)


def _dotted(node: ast.Constant, ctx: FileContext) -> Iterator[Hit]:
    path = str(node.value)
    if not path.startswith("agentlightning."):
        yield from _own_module(node, path, ctx)
        return
    verdict = judge(path, ctx.options.target, "patch") if PATH.fullmatch(path) else None
    if verdict is None:
        return
    new = verdict.new
    if new is None or literals.spot(node, path, ctx) is None:
        reason = verdict.reason if new is None else f"write {new}"
        yield Hit(node, verdict.message, reason=reason, symbol=path)
        return
    message = f"`{path}` is looked up as `{new}` in 0.3.0"

    def fix(rewrite: Rewrite) -> None:
        literals.respell(rewrite, node, path, new, ctx)

    yield Hit(node, message, fix, symbol=path)


def _own_module(node: ast.Constant, path: str, ctx: FileContext) -> Iterator[Hit]:
    """A name that one of the user's modules imports, and that its rewrite renames."""
    owner, _, name = path.rpartition(".")
    module = ctx.project.find_module(ctx.module, owner) if owner else None
    if module is None:
        return
    source = _imported_from(module, name)
    row = api_map.load().lookup(source) if source else None
    if row is not None and (row.legacy or row.change in ("renamed", "removed")):
        yield Hit(
            node,
            f"`{owner}` imports `{name}` from agentlightning, and its rewrite may not",
            reason="look at what that module imports after the run, and patch that name",
            symbol=row.path,
        )


def _imported_from(module: Module, name: str) -> str:
    for binding in module.table.root.bindings.get(name, ()):
        if binding.kind == "from" and binding.path.startswith("agentlightning."):
            return binding.path
    return ""


def _object(target: ast.expr, attribute: ast.expr, ctx: FileContext) -> Iterator[Hit]:
    if not isinstance(attribute, ast.Constant) or not isinstance(attribute.value, str):
        return
    base = _spelled(target, ctx)
    if base is None:
        return
    if base == _TRACER and isinstance(target, ast.Attribute):
        yield Hit(
            target,
            "as an attribute, `agentlightning.tracer` is `agentlightning.types.tracer` in 0.3.0",
            reason=f'patch "{_TRACER}.{attribute.value}" by its path',
            symbol=_TRACER,
        )
        return
    path = f"{base}.{attribute.value}"
    verdict = judge(path, ctx.options.target, "patch")
    if verdict is None:
        return
    row = api_map.load().lookup(path)
    new = verdict.new
    if new is None or row is None or row.kind != "method":
        reason = verdict.reason if new is None else f'patch "{new}" instead'
        yield Hit(attribute, verdict.message, reason=reason, symbol=path)
    elif not new.endswith(f".{attribute.value}"):

        def fix(rewrite: Rewrite) -> None:
            name = new.rpartition(".")[2]
            literals.respell(rewrite, attribute, str(attribute.value), name, ctx)

        yield Hit(attribute, verdict.message, fix, symbol=path)


def _spelled(node: ast.expr, ctx: FileContext) -> str | None:
    """The path of the module or class that a name stands for."""
    path = ctx.written(node) or ctx.qual(node)
    known = api_map.load()
    if path is None or (path not in known.modules and known.lookup(path) is None):
        return None
    return path
