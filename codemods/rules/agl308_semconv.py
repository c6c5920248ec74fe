"""AGL308: `SpanNames` and `SpanAttributeNames`, whose place is `agentlightning.semconv`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from codemods.context import FileContext
from codemods.edit.rewrite import Rewrite
from codemods.legacy.awaiting import misplaced
from codemods.legacy.instances import imports_framework
from codemods.rule import Hit, Rule

SPANS = "agentlightning.types.tracer.SpanNames"
ATTRIBUTES = "agentlightning.types.tracer.SpanAttributeNames"
REWARD = "agentlightning.reward"
PLAIN = frozenset({"MESSAGE", "OBJECT", "EXCEPTION", "VIRTUAL"})
IDS = frozenset({"ROLLOUT_ID", "ATTEMPT_ID", "SPAN_SEQUENCE_ID"})
NO_REWARD = (
    "a reward is an annotation since 0.3, no span of its own name: ask is_reward_span(span), or "
    "look for AGL_ANNOTATION of agentlightning.semconv"
)
OBJECTS = (
    "the value is under LightningSpanAttributes.OBJECT_JSON or, for a plain one, OBJECT_LITERAL "
    "of agentlightning.semconv"
)


class Semconv(Rule):
    """Their members by the constants of 0.3, and tests for the name of a reward span."""

    code = "AGL308"
    title = "Names of spans and attributes moved to `semconv`"
    why = (
        "0.3 emits other names: a reward is an annotation (`agentlightning.annotation`), a message "
        "is under `agentlightning.message.body`. Code that looks for the old ones finds nothing "
        "and says nothing. `AGL_...` are strings; the attributes are an enum with `.value`."
    )
    before = "messages = [s for s in spans if s.name == SpanNames.MESSAGE.value]"
    after = "messages = [s for s in spans if s.name == AGL_MESSAGE]"
    applicability = "review"
    nodes = (ast.Module, ast.Compare, ast.Subscript)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """References to the two classes, and the same names written as strings."""
        if isinstance(node, ast.Module):
            for reference, path in ctx.reads(SPANS, ATTRIBUTES):
                if isinstance(reference.ctx, ast.Load):
                    yield _reference(reference, path, ctx)
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            named = any(isinstance(side, ast.Attribute) and side.attr == "name" for side in sides)
            if named and any(_text(s) == REWARD for s in sides) and imports_framework(ctx):
                message = f'no span is named "{REWARD}" since 0.3'
                yield Hit(node, message, reason=NO_REWARD, symbol=f"{SPANS}.REWARD")
        elif isinstance(node, ast.Subscript) and _text(node.slice) == "reward":
            of = node.value
            if isinstance(of, ast.Attribute) and of.attr == "attributes" and imports_framework(ctx):
                reason = "get_reward_value(span) reads it, also where it is named otherwise"
                message = 'no span has an attribute "reward" since 0.3'
                yield Hit(node, message, reason=reason, symbol=f"{SPANS}.REWARD")


def _text(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""


def _reference(node: ast.Name | ast.Attribute, path: str, ctx: FileContext) -> Hit:
    member = ctx.parent(node)
    message = f"`{path.rpartition('.')[2]}` is deprecated: `agentlightning.semconv` has the names"
    if not isinstance(member, ast.Attribute) or member.value is not node:
        reason = "the whole class is meant here; write the constants of semconv that are needed"
        return Hit(node, message, reason=reason, symbol=path)
    symbol = f"{path}.{member.attr}"
    valued = ctx.parent(member)
    whole: ast.expr = member
    if isinstance(valued, ast.Attribute) and valued.attr == "value":
        whole = valued
    if lost := misplaced(ctx, whole):
        return Hit(member, message, reason=lost, symbol=symbol)
    if symbol == f"{SPANS}.REWARD":
        return _reward(whole, message, symbol, ctx)
    if path == SPANS and member.attr in PLAIN:
        new, suffix = f"AGL_{member.attr}", ""
    elif path == SPANS and member.attr in IDS:
        new, suffix = f"LightningResourceAttributes.{member.attr}", ".value"
    elif symbol == f"{ATTRIBUTES}.MESSAGE" and _is_key(whole, ctx):
        new, suffix = "LightningSpanAttributes.MESSAGE_BODY", ".value"
    else:
        reason = OBJECTS if member.attr == "OBJECT" else "its value is another since 0.3: see why"
        return Hit(member, message, reason=reason, symbol=symbol)

    def fix(rewrite: Rewrite) -> None:
        head, dot, tail = new.partition(".")
        name = rewrite.use(f"agentlightning.semconv.{head}", node)
        rewrite.replace(whole, f"{name}{dot}{tail}{suffix}")

    return Hit(member, message, fix, symbol=symbol)


def _is_key(node: ast.expr, ctx: FileContext) -> bool:
    """Whether an expression is what the attributes of a span are looked up by."""
    parent = ctx.parent(node)
    if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute):
        return parent.args[:1] == [node] and parent.func.attr in ("get", "pop")
    if isinstance(parent, ast.Compare):
        return parent.left is node and isinstance(parent.ops[0], ast.In | ast.NotIn)
    return isinstance(parent, ast.Subscript) and parent.slice is node


def _reward(node: ast.expr, message: str, symbol: str, ctx: FileContext) -> Hit:
    """A test for the name of a span is a test for a reward; anything else a person has to read."""
    test = ctx.parent(node)
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else []
    spans = [s.value for s in _names(sides)]
    if not isinstance(test, ast.Compare) or len(sides) != 2 or len(spans) != 1:
        return Hit(node, message, reason=NO_REWARD, symbol=symbol)
    if not isinstance(test.ops[0], ast.Eq | ast.NotEq) or not isinstance(spans[0], ast.Name):
        return Hit(node, message, reason=NO_REWARD, symbol=symbol)
    wanted = isinstance(test.ops[0], ast.Eq)

    def fix(rewrite: Rewrite) -> None:
        function = rewrite.use("agentlightning.emitter.is_reward_span", test)
        call = f"{function}({ctx.source(spans[0])})"
        alone = isinstance(ctx.parent(test), ast.BoolOp | ast.comprehension | ast.stmt)
        denied = f"not {call}" if alone else f"(not {call})"
        rewrite.replace(test, call if wanted else denied)

    return Hit(test, message, fix, symbol=symbol)


def _names(sides: Iterable[ast.expr]) -> Iterator[ast.Attribute]:
    for side in sides:
        if isinstance(side, ast.Attribute) and side.attr == "name":
            yield side
