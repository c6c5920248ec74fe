"""AGL305: hooks in a shape that no runner can call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import TODAY
from codemods.legacy.hook_methods import hook_methods, read_shape
from codemods.legacy.hooks import GivenHooks, class_of, elements, family, goes_to_runner, is_root
from codemods.names import known
from codemods.names.values import ProjectClass
from codemods.rule import Hit, Rule

_STAYS = "left as it is while the legacy server stays"


class HookShape(Rule):
    """Methods of hooks that are not async or want other arguments; hooks that are no list."""

    code = "AGL305"
    title = "Hook in a shape that cannot be called"
    why = (
        "A runner awaits the methods of a hook and passes everything by keyword. A method that is "
        "not async, wants other arguments or is not there is logged as an error at each rollout "
        "and ignored; a class in place of an object, or a single plain object, stops the trainer."
    )
    before = "class Timer(Hook):\n    def on_rollout_start(self, *, agent, runner, rollout): ..."
    after = (
        "class Timer(Hook):\n    async def on_rollout_start(self, *, agent, runner, rollout): ..."
    )
    applicability = "review"
    nodes = (ast.ClassDef, ast.keyword)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Classes derived from `Hook` or used as hooks, and what is given as `hooks=`."""
        for hit in _hits(node, ctx):
            stays = ctx.options.server == "legacy" and hit.fix is not None
            yield hit._replace(fix=None, reason=_STAYS) if stays else hit


def _hits(node: ast.AST, ctx: FileContext) -> Iterator[Hit]:
    if isinstance(node, ast.ClassDef):
        cls = ProjectClass(ctx.module, node)
        given = GivenHooks.of(ctx)
        if not given.takes_part(ctx, cls):
            return
        if not ctx.project.inference.derives(cls, known.HOOK):
            yield from _base(cls, ctx, given)
        yield from _methods(cls, ctx)
    elif isinstance(node, ast.keyword) and node.arg == "hooks" and goes_to_runner(ctx, node):
        parts = elements(ctx, node.value)
        for element in parts or ():
            yield from _class_given(element, ctx, "{}")
        if parts is None:
            yield from _class_given(node.value, ctx, "[{}]")
            yield from _alone(node.value, ctx)


def _methods(cls: ProjectClass, ctx: FileContext) -> Iterator[Hit]:
    for method in hook_methods(cls.node):
        shape = read_shape(ctx, cls, method)
        if shape is not None:
            yield Hit(
                method,
                shape.message,
                None if shape.reason else shape.fix,
                shape.reason,
                symbol=f"{known.HOOK}.{method.name}",
            )


def _base(cls: ProjectClass, ctx: FileContext, given: GivenHooks) -> Iterator[Hit]:
    """A class of which objects are given as hooks, without the base that has all methods."""
    message = f"the hook `{cls.node.name}` is not derived from `Hook`"
    start, end = ctx.module.span(cls.node)
    header = re.match(
        rf"class\s+{cls.node.name}\s*(\(\s*(object)?\s*\))?(?=\s*:)", ctx.module.text[start:end]
    )
    if is_root(cls) and hook_methods(cls.node) and header is not None:

        def fix(rewrite: Rewrite) -> None:
            base = rewrite.use("agentlightning.Hook", cls.node)
            text = f"class {cls.node.name}({base})"
            rewrite.replace_span(start, start + header.end(), text)

        yield Hit(cls.node, message, fix, applicability="safe", symbol=known.HOOK)
    elif cls in given.plain:
        relatives = family(ctx, cls)
        there = {method.name for base in relatives for method in hook_methods(base.node)}
        missing = [name for name in TODAY if name not in there]
        gets_it = any(is_root(base) and hook_methods(base.node) for base in relatives)
        if there and missing and (not gets_it or is_root(cls)):
            reason = f"derive it: it has no {', '.join(missing)}"
            yield Hit(cls.node, message, reason=reason, symbol=known.HOOK)


def _class_given(node: ast.expr, ctx: FileContext, form: str) -> Iterator[Hit]:
    """A class where an object has to be."""
    value = ctx.infer(node)
    if not isinstance(value, ProjectClass) or not _is_hook(value, ctx):
        return
    plain = _takes_nothing(value, ctx)
    name = ctx.source(node)

    def fix(rewrite: Rewrite) -> None:
        rewrite.wrap(node, *form.format(f"{name}()").split(name))

    yield Hit(
        node,
        "a hook is an object, not a class",
        fix if plain else None,
        "" if plain else f"give an object: {name}(...)",
        symbol=known.HOOK,
    )


def _alone(node: ast.expr, ctx: FileContext) -> Iterator[Hit]:
    """A single object that is no `Hook`, which the trainer takes for a list."""
    value = class_of(ctx, node)
    if value is None or isinstance(ctx.infer(node), ProjectClass) or not _is_hook(value, ctx):
        return
    if not ctx.is_instance(node, known.HOOK):
        yield Hit(
            node,
            "a single hook that is not derived from `Hook` has to stand in a list",
            lambda rewrite: rewrite.wrap(node, "[", "]"),
            symbol=known.HOOK,
        )


def _is_hook(cls: ProjectClass, ctx: FileContext) -> bool:
    bases = [base for base in ctx.project.inference.mro(cls) if isinstance(base, ProjectClass)]
    return ctx.project.inference.derives(cls, known.HOOK) or any(
        hook_methods(b.node) for b in bases
    )


def _takes_nothing(cls: ProjectClass, ctx: FileContext) -> bool:
    """Whether the class can be called without arguments."""
    for base in ctx.project.inference.mro(cls):
        if isinstance(base, ProjectClass):
            for part in base.node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    return len(part.args.args) == 1 and not part.args.kwonlyargs
    return True
