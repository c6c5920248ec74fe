"""Which expressions are the spans that a tracer recorded, followed through names and loops."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from codemods.context import FileContext
from codemods.legacy.instances import own_class
from codemods.legacy.objects import objects
from codemods.legacy.tracers import is_tracer, method_of, trace_results
from codemods.names.module import Module
from codemods.names.scopes import Binding
from codemods.names.shapes import dotted_tail

_Question = Callable[[FileContext, ast.expr, int], bool]

_DEPTH = 8
_SAME_SPANS = frozenset({"list", "sorted", "reversed", "tuple", "filter"})


def is_trace(ctx: FileContext, node: ast.expr, depth: int = _DEPTH) -> bool:
    """Whether an expression is what `get_last_trace()` of a tracer gave, or some of it."""
    if depth == 0:
        return False
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="get_last_trace")):
            return is_tracer(ctx, owner) and not _own_trace(ctx, owner)
        case ast.Call(func=ast.Attribute(attr="spans")):
            return _of_processor(ctx, node)
        case ast.Call(args=arguments):
            same = dotted_tail(node) in _SAME_SPANS
            return same and any(is_trace(ctx, a, depth - 1) for a in arguments)
        case ast.Subscript(value=whole, slice=ast.Slice()):
            return is_trace(ctx, whole, depth - 1)
        case ast.ListComp(elt=element):
            return is_span(ctx, element, depth - 1)
        case ast.BoolOp(values=values):
            return any(is_trace(ctx, value, depth - 1) for value in values)
        case ast.Name():
            return _given(ctx, node, depth, is_trace)
    return False


def is_span(ctx: FileContext, node: ast.expr, depth: int = _DEPTH) -> bool:
    """Whether an expression is one span of such a trace."""
    if depth == 0:
        return False
    match node:
        case ast.Subscript(value=whole, slice=place) if not isinstance(place, ast.Slice):
            return is_trace(ctx, whole, depth - 1)
        case ast.Call(func=ast.Name(id="next" | "max" | "min"), args=[whole, *_]):
            return is_trace(ctx, whole, depth - 1)
        case ast.Name():
            binding = _last(ctx.module, node)
            if binding is not None and binding.kind == "loop" and binding.value is not None:
                return is_trace(ctx, binding.value, depth - 1)
            return _given(ctx, node, depth, is_span)
    return False


def _given(ctx: FileContext, node: ast.Name, depth: int, ask: _Question) -> bool:
    """The same question for what a name was given, or what the project's calls give it."""
    binding = _last(ctx.module, node)
    if binding is None:
        return False
    if binding.kind == "assign":
        return binding.value is not None and ask(ctx, binding.value, depth - 1)
    if binding.kind != "param":
        return False
    sources = list(objects(ctx).sources(ctx.module, node))
    return bool(sources) and all(
        ask(_inside(ctx, module), source, depth - 1) for module, source in sources
    )


def _inside(ctx: FileContext, module: Module) -> FileContext:
    return ctx.beside(module)


def _last(module: Module, node: ast.Name) -> Binding | None:
    """What gave a name its value last, as the lines stand."""
    bindings = module.scope(node).lookup(node.id)
    place = (node.lineno, node.col_offset)
    earlier = [b for b in bindings if b.position <= place] or bindings
    return earlier[-1] if earlier else None


def _own_trace(ctx: FileContext, tracer: ast.expr) -> bool:
    """Whether the tracer's class is of the project and says itself what a trace is."""
    cls = own_class(ctx, tracer)
    if cls is None:
        return False
    chain = [cls, *ctx.project.ancestors(cls)]
    return any(method_of(base, "get_last_trace") is not None for base in chain)


def _of_processor(ctx: FileContext, node: ast.Call) -> bool:
    """Whether `x.spans()` asks what `with tracer.trace_context() as x` gave."""
    for item in _items(ctx):
        call = item.context_expr
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr == "trace_context" and node in trace_results(ctx, item)[0]:
            return is_tracer(ctx, call.func.value)
    return False


def _items(ctx: FileContext) -> Iterator[ast.withitem]:
    for item in ctx.module.table.nodes.get(ast.withitem, ()):
        assert isinstance(item, ast.withitem)
        yield item
