"""Methods of hook classes: whether a runner can call them, and how they are made so."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.context import FileContext
from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.legacy.agent_hooks import TODAY
from codemods.legacy.hook_bodies import HookBody, can_await, put_await, read_body, runs_loop
from codemods.names import known
from codemods.names.scopes import FunctionNode
from codemods.names.values import ProjectClass

_ASYNC = "a runner awaits `{}`"
_SHAPE = "no runner can call this `{}`"


class Shape(NamedTuple):
    """What is wrong with a method of a hook: `fix` is there unless a person has to see to it."""

    message: str
    reason: str = ""
    body: HookBody | None = None
    method: FunctionNode | None = None
    missing: tuple[str, ...] = ()
    awaits: tuple[ast.Call, ...] = ()
    supers: tuple[ast.Call, ...] = ()

    def fix(self, rewrite: Rewrite) -> None:
        """Give the method the shape of today."""
        if self.body is not None:
            owner = self.body.method.args.args[0].arg
            self.body.write(rewrite, owner, owner)
        elif self.method is not None:
            self._header(rewrite, self.method)
            for call in self.awaits:
                put_await(rewrite, call)
            for call in self.supers:
                start, _ = rewrite.module.span(call)
                rewrite.replace_span(start, start, "await ")

    def _header(self, rewrite: Rewrite, method: FunctionNode) -> None:
        if not self.missing:
            start, _ = rewrite.module.span(method)
            rewrite.replace_span(start, start, "async ")
            return
        from codemods.edit.signatures import Parameter

        owner, *taken = [a.arg for a in method.args.args]
        taken += [a.arg for a in method.args.kwonlyargs]
        names = TODAY[method.name]
        wanted = [Parameter(name, name if name in taken else None) for name in names]
        rewrite.header(method).make_async().set_parameters([Parameter(owner, owner)], wanted)


def hook_methods(node: ast.ClassDef) -> list[FunctionNode]:
    """The methods of a class that a runner calls on a hook."""
    return [
        part
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name in TODAY
    ]


def read_shape(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> Shape | None:
    """What keeps a runner from calling a hook's method, if anything does."""
    wanted = TODAY[method.name]
    needed, taken, spread = _parameters(method)
    missing = tuple(name for name in wanted if name not in taken)
    if any(name not in wanted for name in needed):
        return _old(ctx, cls, method)
    if missing and not spread:
        return _short(ctx, cls, method, missing)
    if isinstance(method, ast.AsyncFunctionDef):
        return None
    message = _ASYNC.format(method.name)
    reason = _sync_obstacle(ctx, cls, method)
    return Shape(message, reason) if reason else _made(ctx, cls, method, message)


def _parameters(method: FunctionNode) -> tuple[list[str], list[str], bool]:
    """The names that a caller has to give, all names, and whether any other is taken as well."""
    arguments = method.args
    positional = arguments.args[1:]
    needed = [a.arg for a in positional[: len(positional) - len(arguments.defaults)]]
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    needed += [a.arg for a, default in pairs if default is None]
    taken = [a.arg for a in [*positional, *arguments.kwonlyargs]]
    return needed, taken, arguments.kwarg is not None


def _old(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> Shape:
    """`on_rollout_end(self, task, rollout, runner, tracer)` on a hook."""
    message = _SHAPE.format(method.name)
    body = None
    if method.name in ("on_rollout_start", "on_rollout_end") and not called(ctx, cls, method):
        body = read_body(ctx, method, moves=False)
    if body is not None and (not body.supers or _above_is_fine(ctx, cls, method)):
        return Shape(message, body=body)
    header = f"async def {method.name}(self, *, {', '.join(TODAY[method.name])})"
    return Shape(message, f"make it `{header}`; the task's fields are on the rollout")


def _above_is_fine(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> bool:
    """Whether the method that `super()` finds has, or gets, the shape of today."""
    for base in ctx.project.ancestors(cls):
        for above in hook_methods(base.node):
            if above.name == method.name:
                other = ctx.beside(base.module)
                shape = read_shape(other, base, above)
                return shape is None or not shape.reason
    return ctx.project.inference.derives(cls, known.HOOK)


def _short(
    ctx: FileContext, cls: ProjectClass, method: FunctionNode, missing: tuple[str, ...]
) -> Shape:
    message = _SHAPE.format(method.name)
    names = {n.id for n in ast.walk(method) if isinstance(n, ast.Name)}
    arguments = method.args
    odd = arguments.posonlyargs or arguments.vararg or arguments.defaults or method.decorator_list
    start, end = statements.header_span(ctx.module, method)
    clash = bool(odd) or names & set(missing) or not arguments.args
    if clash or any(arguments.kw_defaults) or "#" in ctx.module.text[start:end]:
        return Shape(message, f"it has to take {', '.join(missing)} as well")
    return _made(ctx, cls, method, message)._replace(missing=missing)


def _made(ctx: FileContext, cls: ProjectClass, method: FunctionNode, message: str) -> Shape:
    if isinstance(method, ast.AsyncFunctionDef):
        return Shape(message, method=method)
    calls = [n for n in ast.walk(method) if isinstance(n, ast.Call)]
    loops = tuple(call for call in calls if runs_loop(ctx, call))
    name = f"super().{method.name}"
    supers = tuple(call for call in calls if ast.unparse(call.func) == name)
    if not all(can_await(ctx, call) for call in loops):
        return Shape(message, "make it `async def`; the loop that it runs is an `await` then")
    whole = all(isinstance(ctx.parent(call), ast.Expr | ast.Return) for call in supers)
    if supers and not (whole and _above_is_fine(ctx, cls, method)):
        return Shape(message, "make it `async def`, and await what `super()` has, if that is async")
    return Shape(message, method=method, awaits=loops, supers=supers)


def _sync_obstacle(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> str:
    if method.decorator_list:
        return "see that what its decorator makes of it is a coroutine function"
    inner = [part for part in ast.walk(method) if part is not method]
    if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inner):
        return "make it `async def` without `yield`, which would never run"
    if any(getattr(part, "attr", "") == "run_until_complete" for part in inner):
        return "make it `async def`; the loop that it runs is an `await` then"
    nested = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    if any(isinstance(part, nested) and _loops_inside(ctx, part) for part in inner):
        return "make it `async def`; the loop that it runs is an `await` then"
    return "its direct calls have to be awaited then" if called(ctx, cls, method) else ""


def _loops_inside(ctx: FileContext, node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and runs_loop(ctx, part) for part in ast.walk(node))


def called(ctx: FileContext, cls: ProjectClass, method: FunctionNode) -> bool:
    """Whether the project itself calls the method on an object of the class."""
    for module in ctx.project.modules.values():
        for attribute in module.attributes.get(method.name, ()):
            other = ctx.beside(module)
            receiver = other.infer(attribute.value)
            owner = getattr(receiver, "of", None)
            if isinstance(owner, ProjectClass) and cls in ctx.project.inference.mro(owner):
                call = other.parent(attribute)
                awaited = call is not None and isinstance(other.parent(call), ast.Await)
                if not awaited and ast.unparse(attribute.value) != "super()":
                    return True
    return False
