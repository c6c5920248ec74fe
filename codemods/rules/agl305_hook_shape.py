"""AGL305: hooks in a shape that no runner can call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import Instance, ProjectClass
from codemods.rule import Hit, Rule

PARAMETERS = {
    "on_rollout_start": ("agent", "runner", "rollout"),
    "on_rollout_end": ("agent", "runner", "rollout", "spans"),
    "on_trace_start": ("agent", "runner", "tracer", "rollout"),
    "on_trace_end": ("agent", "runner", "tracer", "rollout"),
}
_TAKES_HOOKS = frozenset({"init", "run_context"})


class HookShape(Rule):
    """Methods of hooks that are not async or want other arguments; hooks that are no list."""

    code = "AGL305"
    title = "Hook in a shape that cannot be called"
    why = (
        "A runner awaits the methods of a hook and passes everything by keyword. A method that is "
        "not async, or wants other arguments, is logged as an error at each rollout and ignored; "
        "a class in place of an object, or a single plain object, stops the trainer."
    )
    before = "class Timer(Hook):\n    def on_rollout_start(self, *, agent, runner, rollout): ..."
    after = (
        "class Timer(Hook):\n    async def on_rollout_start(self, *, agent, runner, rollout): ..."
    )
    applicability = "review"
    nodes = (ast.ClassDef, ast.keyword)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Classes derived from `Hook`, and what is given as `hooks=`."""
        if isinstance(node, ast.ClassDef):
            if ctx.project.inference.derives(ProjectClass(ctx.module, node), known.HOOK):
                for method in _methods(node):
                    yield from _method(method, ctx)
        elif isinstance(node, ast.keyword) and node.arg == "hooks" and _goes_to_runner(node, ctx):
            if isinstance(node.value, ast.List | ast.Tuple):
                for element in node.value.elts:
                    yield from _class_given(element, ctx, "{}")
            else:
                yield from _class_given(node.value, ctx, "[{}]")
                yield from _alone(node.value, ctx)


def _methods(node: ast.ClassDef) -> list[FunctionNode]:
    return [
        part
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name in PARAMETERS
    ]


def _method(method: FunctionNode, ctx: FileContext) -> Iterator[Hit]:
    symbol = f"{known.HOOK}.{method.name}"
    wanted = PARAMETERS[method.name]
    arguments = method.args
    positional = arguments.args[1:]
    optional = len(arguments.defaults)
    needed = [a.arg for a in positional[: len(positional) - optional]]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    needed += [a.arg for a, default in pairs if default is None]
    taken = [a.arg for a in [*positional, *arguments.kwonlyargs]]
    strange = [name for name in needed if name not in wanted]
    missing = [name for name in wanted if name not in taken]
    if strange or (missing and method.args.kwarg is None):
        header = f"async def {method.name}(self, *, {', '.join(wanted)})"
        yield Hit(
            method,
            f"no runner can call this `{method.name}`",
            reason=f"make it `{header}`; the task's fields are on the rollout",
            symbol=symbol,
        )
    elif isinstance(method, ast.FunctionDef) and not method.decorator_list:
        start, _ = ctx.module.span(method)
        yield Hit(
            method,
            f"a runner awaits `{method.name}`",
            lambda rewrite: rewrite.replace_span(start, start, "async "),
            symbol=symbol,
        )


def _goes_to_runner(keyword: ast.keyword, ctx: FileContext) -> bool:
    call = ctx.parent(keyword)
    if not isinstance(call, ast.Call):
        return False
    if ctx.is_class(call.func, known.TRAINER):
        return True
    return ctx.method_call(call, known.LIT_RUNNER) in _TAKES_HOOKS


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
    value = ctx.infer(node)
    if not isinstance(value, Instance) or not isinstance(value.of, ProjectClass):
        return
    if _is_hook(value.of, ctx) and not ctx.is_instance(node, known.HOOK):
        yield Hit(
            node,
            "a single hook that is not derived from `Hook` has to stand in a list",
            lambda rewrite: rewrite.wrap(node, "[", "]"),
            symbol=known.HOOK,
        )


def _is_hook(cls: ProjectClass, ctx: FileContext) -> bool:
    bases = [base for base in ctx.project.inference.mro(cls) if isinstance(base, ProjectClass)]
    return ctx.project.inference.derives(cls, known.HOOK) or any(_methods(b.node) for b in bases)


def _takes_nothing(cls: ProjectClass, ctx: FileContext) -> bool:
    """Whether the class can be called without arguments."""
    for base in ctx.project.inference.mro(cls):
        if isinstance(base, ProjectClass):
            for part in base.node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    return len(part.args.args) == 1 and not part.args.kwonlyargs
    return True
