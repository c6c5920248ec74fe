"""String literals of a file: what a rule may change inside them, and what they serve."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite

PATCHES = frozenset({"patch", "setattr", "delattr", "multiple", "spy", "stub"})
_IMPORTS = frozenset({"import_module", "__import__", "find_spec", "importorskip", "reload"})


def strings(ctx: FileContext, word: str = "agentlightning") -> Iterator[ast.Constant]:
    """The string constants of a file that hold `word`, without docstrings and f-strings."""
    if word not in ctx.module.text:
        return
    for node in ctx.module.table.nodes.get(ast.Constant, ()):
        assert isinstance(node, ast.Constant)
        if not isinstance(node.value, str) or word not in node.value:
            continue
        if not isinstance(ctx.parent(node), ast.Expr | ast.JoinedStr | ast.FormattedValue):
            yield node


def spot(node: ast.Constant, text: str, ctx: FileContext) -> tuple[int, int] | None:
    """Where `text` stands in the file, if the literal spells it once and in one piece."""
    source = ctx.source(node)
    if source.count(text) != 1:
        return None
    start = ctx.module.span(node)[0] + source.index(text)
    return start, start + len(text)


def respell(rewrite: Rewrite, node: ast.Constant, old: str, new: str, ctx: FileContext) -> None:
    """Put `new` in place of `old` inside a literal, its quotes and prefix kept."""
    place = spot(node, old, ctx)
    if place is None:
        rewrite.block("the string is written in several pieces")
    rewrite.replace_span(*place, new)


def called(node: ast.AST, ctx: FileContext) -> str:
    """The last name of what is called with `node` as an argument; empty where it is none."""
    call = ctx.parent(node)
    if isinstance(call, ast.keyword):
        call = ctx.parent(call)
    if not isinstance(call, ast.Call) or call.func is node:
        return ""
    return last_name(call.func)


def last_name(node: ast.expr) -> str:
    """`c` of `a.b.c`, the name itself of a name."""
    return getattr(node, "attr", "") or getattr(node, "id", "")


def serves_patch(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a string is the first argument of something that patches."""
    if called(node, ctx) not in PATCHES:
        return False
    parent = ctx.parent(node)
    if isinstance(parent, ast.keyword):
        return parent.arg == "target"
    return isinstance(parent, ast.Call) and bool(parent.args) and parent.args[0] is node


def serves_import(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a string says which module to import."""
    return called(node, ctx) in _IMPORTS


def serves_run(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a string follows `"-m"` in a list, or is given to `run_module`."""
    if called(node, ctx) == "run_module":
        return True
    parent = ctx.parent(node)
    around: list[ast.expr] = []
    if isinstance(parent, ast.List | ast.Tuple):
        around = parent.elts
    elif isinstance(parent, ast.Call):
        around = parent.args
    pairs = pairwise(around)
    return any(
        after is node and isinstance(first, ast.Constant) and first.value == "-m"
        for first, after in pairs
    )


def names_module_table(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a string is a key of `sys.modules`, or stands in a `patch.dict` of it."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Subscript) and parent.slice is node:
        return last_name(parent.value) == "modules"
    if called(node, ctx) in ("get", "pop", "setdefault") and isinstance(parent, ast.Call):
        owner = parent.func
        return isinstance(owner, ast.Attribute) and last_name(owner.value) == "modules"
    if isinstance(parent, ast.Compare):
        return any(last_name(side) == "modules" for side in parent.comparators)
    if isinstance(parent, ast.Dict) and node in parent.keys:
        call = ctx.parent(parent)
        return isinstance(call, ast.Call) and "sys.modules" in ctx.source(call)
    return called(node, ctx) in ("setitem", "delitem")


def is_annotation(node: ast.Constant, ctx: FileContext) -> bool:
    """Whether a string is a quoted type."""
    if node in ctx.module.table.string_annotations:
        return True
    return called(node, ctx) in ("cast", "TypeVar", "NewType", "ForwardRef")
