"""Functions decorated with `@reward`: what they return and where it has to be emitted."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codemods.edit import statements
from codemods.edit.rewrite import Rewrite
from codemods.names.module import Module
from codemods.names.scopes import FunctionNode
from codemods.names.shapes import returns_of

_NUMBER_CALLS = frozenset({"float", "int", "bool", "len", "round", "abs", "sum"})
_NOT_A_REWARD = (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Tuple, ast.Set, ast.JoinedStr)


class Emission(NamedTuple):
    """One `return` whose value is a reward; `guarded` where the value may be None."""

    statement: ast.Return
    value: ast.expr
    guarded: bool


class RewardFunction:
    """What has to happen in a decorated function; `blocked` says why it stays decorated."""

    def __init__(self) -> None:
        self.emissions: list[Emission] = []
        self.blocked = ""


def plan_function(module: Module, function: FunctionNode, decorator: ast.expr) -> RewardFunction:
    """Where a function decorated with `@reward` has to emit its result instead."""
    plan = RewardFunction()
    below = function.decorator_list[function.decorator_list.index(decorator) + 1 :]
    if below:
        plan.blocked = f"`{ast.unparse(below[0])}` stands between the decorator and the function"
    elif _yields(module, function):
        plan.blocked = "it is a generator"
    for statement in returns_of(function):
        value = statement.value
        if value is None or _is_none(value):
            continue
        if isinstance(value, _NOT_A_REWARD) or _is_text(value):
            plan.blocked = plan.blocked or "it returns something that is no number"
        plan.emissions.append(Emission(statement, value, _may_be_none(module, function, value)))
    if not plan.emissions:
        plan.blocked = plan.blocked or "it returns no value"
    return plan


def emit_result(rewrite: Rewrite, function: FunctionNode, emission: Emission) -> None:
    """Emit the value of one `return` before it is returned."""
    emit = rewrite.use("agentlightning.emit_reward", function)
    statement, value = emission.statement, emission.value
    if isinstance(value, ast.Name) or _is_constant(value):
        shown = rewrite.module.source(value)
        rewrite.before(statement, _emitting(emit, shown, emission.guarded))
        return
    name = _free_name(rewrite.module, function)
    start, _ = rewrite.module.span(statement)
    rewrite.replace_span(start, start + len("return"), f"{name} =")
    emitting = _emitting(emit, name, emission.guarded)
    alone = statements.owns_its_lines(rewrite.module, statement)
    rewrite.after(statement, f"{emitting}{chr(10) if alone else '; '}return {name}")


def _emitting(emit: str, shown: str, guarded: bool) -> str:
    if guarded:
        return f"if {shown} is not None:\n    {emit}({shown})"
    return f"{emit}({shown})"


def _free_name(module: Module, function: FunctionNode) -> str:
    name = "reward_value"
    taken = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    taken |= module.table.inner[function].bindings.keys()
    while name in taken:
        name += "_"
    return name


def _yields(module: Module, function: FunctionNode) -> bool:
    return any(
        isinstance(node, ast.Yield | ast.YieldFrom)
        and module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda) is function
        for node in ast.walk(function)
    )


def _may_be_none(module: Module, function: FunctionNode, value: ast.expr) -> bool:
    """Whether the code says that a returned value can be None."""
    if is_number(value):
        return False
    if isinstance(value, ast.IfExp):
        return any(
            _is_none(v) or _may_be_none(module, function, v) for v in (value.body, value.orelse)
        )
    if isinstance(value, ast.Name):
        bindings = module.scope(value).lookup(value.id)
        if bindings and all(b.value is not None and is_number(b.value) for b in bindings):
            return False
        if any(b.value is not None and _is_none(b.value) for b in bindings):
            return True
    note = "" if function.returns is None else ast.unparse(function.returns)
    return "Optional" in note or "None" in note


def is_number(node: ast.expr) -> bool:
    """Whether an expression is surely an int, a float or a bool."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float)
        case ast.UnaryOp(op=ast.Not()) | ast.Compare():
            return True
        case ast.UnaryOp(operand=operand):
            return is_number(operand)
        case ast.BinOp(left=left, right=right):
            return is_number(left) or is_number(right)
        case ast.IfExp(body=body, orelse=orelse):
            return is_number(body) and is_number(orelse)
        case ast.Call(func=ast.Name(id=name)):
            return name in _NUMBER_CALLS
    return False


def _is_constant(node: ast.expr) -> bool:
    operand = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(operand, ast.Constant) and is_number(operand)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def decorator_span(module: Module, decorator: ast.expr) -> tuple[int, int]:
    """What goes when a decorator goes: its lines, but not a comment behind it."""
    start, end = module.span(decorator)
    at = module.text.rfind("@", 0, start)
    line = module.offset(decorator.lineno, 0)
    while end < len(module.text) and module.text[end] in " \t)":
        end += 1
    if module.text.startswith("#", end) or module.text[line:at].strip():
        return at, end
    end += 2 if module.text.startswith("\r\n", end) else 1
    return line, end
