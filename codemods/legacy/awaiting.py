"""Where a coroutine of the store takes the place of a blocking call."""

from __future__ import annotations

import ast

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.names import known
from codemods.names.values import External, ProjectClass

HELPERS = "agentlightning_compat.legacy"
_IN_LOOP = (
    "runners of today call this method in their event loop, where nothing can wait: make it async"
)


def is_awaited(ctx: FileContext, node: ast.Call) -> bool:
    """Whether the value of the call is awaited, or waited for by the helper, right there."""
    parent = ctx.parent(node)
    return isinstance(parent, ast.Await) or (
        isinstance(parent, ast.Call) and ctx.infer(parent.func) == External(f"{HELPERS}.wait")
    )


def is_statement(ctx: FileContext, node: ast.expr) -> bool:
    """Whether nobody looks at the value of an expression (or of the `await` around it)."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Await):
        parent = ctx.parent(parent)
    return isinstance(parent, ast.Expr)


def binds_tighter(ctx: FileContext, node: ast.expr) -> bool:
    """Whether what stands around an expression would take only the end of `await x`."""
    parent = ctx.parent(node)
    return (
        (isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is node)
        or (isinstance(parent, ast.Call) and parent.func is node)
        or isinstance(parent, ast.Await)
    )


def await_here(rewrite: Rewrite, ctx: FileContext, node: ast.expr) -> None:
    """Put `await` in front of a call, with parentheses where they are needed."""
    if binds_tighter(ctx, node):
        rewrite.wrap(node, "(await ", ")")
    else:
        rewrite.wrap(node, "await ", "")


def block_here(rewrite: Rewrite, ctx: FileContext, node: ast.expr, sync: str = "wait") -> None:
    """Get the result of a call that has become a coroutine: by `await`, or by waiting for it."""
    if ctx.in_async(node):
        await_here(rewrite, ctx, node)
    else:
        rewrite.wrap(node, f"{rewrite.use(f'{HELPERS}.{sync}', node)}(", ")")


def misplaced(ctx: FileContext, node: ast.expr) -> str:
    """Why nothing can be rewritten at a node; empty where its place in the file is certain.

    Before Python 3.12 the parser does not know where the parts of an f-string stand.
    """
    if ctx.module.enclosing(node, ast.JoinedStr) is None:
        return ""
    try:
        read = ast.parse(ctx.source(node).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        read = None
    same = read is not None and ast.dump(read) == ast.dump(node)
    return "" if same else "its place in the f-string is not certain"


def cannot_await(ctx: FileContext, node: ast.expr) -> str:
    """Why a coroutine can neither be awaited nor waited for at a place; empty if it can."""
    if not ctx.in_async(node):
        return _IN_LOOP if _in_agent(ctx, node) else ""
    if ctx.module.enclosing(node, ast.GeneratorExp) is not None:
        return "`await` in a generator expression makes it another kind of object; write a loop"
    return ""


def _in_agent(ctx: FileContext, node: ast.expr) -> bool:
    """Whether a method of an agent is around that runs with a rollout."""
    function = ctx.function_around(node)
    while function is not None:
        cls = ctx.parent(function)
        if isinstance(cls, ast.ClassDef):
            agent = ProjectClass(ctx.module, cls)
            return function.name != "__init__" and ctx.project.inference.derives(
                agent, known.LIT_AGENT
            )
        function = ctx.function_around(function)
    return False
