"""What rollout methods return, and how 0.3 has to be given it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import NamedTuple

from codemods.context import FileContext
from codemods.legacy.promises import Action, promise
from codemods.legacy.reward_functions import is_number
from codemods.names import known
from codemods.names.children import walk
from codemods.names.infer import Inference
from codemods.names.scopes import Binding, FunctionNode
from codemods.names.shapes import returns_of
from codemods.names.values import External, Instance, ProjectFunction

_REPORT = "a report"
WHOLE = "an int or a bool"
_SHAPES: dict[type[ast.expr], str] = {
    ast.Constant: "a text",
    ast.JoinedStr: "a text",
    ast.Tuple: "a tuple",
    ast.Set: "a set",
}
_REPORTS = (known.ROLLOUT, known.ROLLOUT_LEGACY)
_NARROW = frozenset({"float16", "float32", "int32", "int64", "bool_", "tensor", "array", "Tensor"})
_TELLING = ("triplet", "RolloutRawResultLegacy")


class Outcome(NamedTuple):
    """One returned expression that 0.3 would not take as it is, or not silently."""

    node: ast.expr
    action: Action
    what: str


class Results:
    """Reads the return statements of the functions of one file.

    What the functions in `converted` give back is looked at where they return it.
    """

    def __init__(self, ctx: FileContext, converted: Collection[FunctionNode] = ()) -> None:
        self._ctx = ctx
        self._converted = converted
        self._inference: Inference = ctx.project.inference

    def of(self, function: FunctionNode) -> Iterator[Outcome]:
        """What has to change at the returns of a rollout method or of a helper behind it."""
        seen: set[ast.AST] = set()
        for statement in returns_of(function):
            if statement.value is None:
                continue
            for outcome in self._value(function, statement.value):
                if outcome.node not in seen:
                    seen.add(outcome.node)
                    yield outcome

    def _value(self, function: FunctionNode, node: ast.expr) -> Iterator[Outcome]:
        if isinstance(node, ast.IfExp):
            yield from self._value(function, node.body)
            yield from self._value(function, node.orelse)
        elif isinstance(node, ast.Name):
            yield from self._name(function, node)
        else:
            outcome = self._expression(node)
            if outcome is not None:
                yield outcome

    def _expression(self, node: ast.expr) -> Outcome | None:
        inner = node.value if isinstance(node, ast.Await) else node
        if isinstance(inner, ast.List | ast.ListComp):
            return self._list(inner)
        if isinstance(inner, ast.Call):
            return self._call(node, inner)
        if isinstance(inner, ast.Dict | ast.Set | ast.Tuple | ast.JoinedStr | ast.DictComp):
            return Outcome(node, "convert", _shape_of(inner))
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str | bytes):
            return Outcome(node, "convert", _shape_of(inner))
        if is_whole(inner):
            return Outcome(node, "float", WHOLE)
        if self._is_report(node):
            return Outcome(node, "convert", _REPORT)
        return None

    def _list(self, node: ast.List | ast.ListComp) -> Outcome | None:
        elements = node.elts if isinstance(node, ast.List) else [node.elt]
        if not elements:
            return None
        return self._elements(node, elements)

    def _elements(self, node: ast.expr, elements: list[ast.expr]) -> Outcome | None:
        if all(self._ctx.is_instance(e, known.TRIPLET) for e in elements):
            return Outcome(node, "convert", "a list of triplets")
        if all(isinstance(e, ast.Dict | ast.DictComp) for e in elements):
            return Outcome(node, "convert", "a list of dicts")
        if any("span" in ast.unparse(e).lower() for e in elements):
            return None
        return Outcome(node, "ask", "a list of anything but spans of one class")

    def _call(self, node: ast.expr, call: ast.Call) -> Outcome | None:
        if self._ctx.qual(call.func) in _REPORTS:
            return self._construction(node, call)
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if name in _NARROW:
            return Outcome(node, "float", f"a `{name}`")
        if name in ("int", "bool", "len") and isinstance(call.func, ast.Name):
            return Outcome(node, "float", WHOLE)
        callee = self._ctx.infer(call.func)
        if isinstance(callee, ProjectFunction) and callee.node in self._converted:
            return None
        if isinstance(callee, ProjectFunction) and callee.node.returns is not None:
            promised = promise(callee.node.returns)
            if promised is not None:
                return Outcome(node, promised, f"`{ast.unparse(callee.node.returns)}`")
        if self._is_report(node):
            return Outcome(node, "convert", _REPORT)
        return None

    def _is_report(self, node: ast.expr) -> bool:
        """Whether an expression is known to be a legacy report, and not a rollout of the store."""
        value = self._ctx.infer(node)
        if not isinstance(value, Instance) or not isinstance(value.of, External):
            return False
        if value.call is not None and not self._is_legacy_construction(value.call):
            return False
        return value.of.path in _REPORTS

    @staticmethod
    def _is_legacy_construction(call: ast.Call) -> bool:
        given = {keyword.arg for keyword in call.keywords}
        return not given & {"input", "start_time", "status"}

    def _construction(self, node: ast.expr, call: ast.Call) -> Outcome | None:
        if not self._is_legacy_construction(call):
            return None
        what = _REPORT
        plain = not call.args and "#" not in self._ctx.source(call)
        for keyword in call.keywords:
            if keyword.arg not in ("rollout_id", "final_reward") and not _is_empty(keyword.value):
                plain = False
        return Outcome(node, "reward" if plain else "convert", what)

    def _name(self, function: FunctionNode, node: ast.Name) -> Iterator[Outcome]:
        bindings = self._ctx.module.scope(node).lookup(node.id)
        values = [b.value for b in bindings if b.kind == "assign" and b.value is not None]
        if not values or len(values) != len(bindings):
            if any(word in node.id.lower() for word in _TELLING):
                yield Outcome(node, "convert", "a list of triplets")
            elif self._is_report(node) and bindings[0].scope.node is function:
                yield from self._annotated(node, bindings)
            return
        outcomes = [self._expression(value) for value in values]
        yield from self._assigned(function, node, values, outcomes)

    def _annotated(self, node: ast.Name, bindings: list[Binding]) -> Iterator[Outcome]:
        if bindings[-1].kind != "param":
            yield Outcome(node, "convert", _REPORT)

    def _assigned(
        self,
        function: FunctionNode,
        node: ast.Name,
        values: list[ast.expr],
        outcomes: list[Outcome | None],
    ) -> Iterator[Outcome]:
        first = outcomes[0]
        once = len(outcomes) == 1 and _only_returned(self._ctx, function, node.id)
        if once and first is not None and first.action == "reward":
            yield first
            return
        actions = {outcome.action for outcome in outcomes if outcome is not None}
        if actions & {"reward", "convert"}:
            what = next(o.what for o in outcomes if o is not None and o.action != "float")
            yield Outcome(node, "convert", what)
        elif actions == {"float"} and all(
            is_number(v) or o for v, o in zip(values, outcomes, strict=True)
        ):
            yield Outcome(node, "float", next(o.what for o in outcomes if o is not None))
        elif "triplet" in node.id.lower():
            yield Outcome(node, "convert", "a list of triplets")
        else:
            yield from self._grown(function, node, values)

    def _grown(
        self, function: FunctionNode, node: ast.Name, values: list[ast.expr]
    ) -> Iterator[Outcome]:
        """A list that starts empty and is appended to."""
        if not any(isinstance(value, ast.List) and not value.elts for value in values):
            return
        added = [
            call.args[0]
            for call in walk(function)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "append"
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == node.id
            and len(call.args) == 1
        ]
        outcome = self._elements(node, added) if added else None
        if outcome is not None:
            yield outcome


def _shape_of(node: ast.expr) -> str:
    return f"{_SHAPES.get(type(node), 'a dict')} (which 0.1 ignored)"


def is_whole(node: ast.expr) -> bool:
    """Whether an expression is surely an int or a bool."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int)
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return True
        case ast.UnaryOp(operand=operand):
            return is_whole(operand)
        case ast.BoolOp(values=values):
            return all(is_whole(value) for value in values)
        case ast.IfExp(body=body, orelse=orelse):
            return is_whole(body) and is_whole(orelse)
        case ast.Call(func=ast.Name(id=name)):
            return name in ("int", "bool", "len")
    return False


def _is_empty(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.List | ast.Dict) and not ast.unparse(node).strip("[]{}")


def _only_returned(ctx: FileContext, function: FunctionNode, name: str) -> bool:
    """Whether a variable is assigned once and then only returned."""
    uses = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
    reads = [n for n in uses if isinstance(n.ctx, ast.Load)]
    return len(uses) == len(reads) + 1 and all(
        isinstance(ctx.parent(read), ast.Return) for read in reads
    )
