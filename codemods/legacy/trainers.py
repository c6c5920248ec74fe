"""How a trainer was built, where that is in reach, and what can be moved into its construction."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from codemods.context import FileContext
from codemods.names import known
from codemods.names.scopes import Binding
from codemods.names.values import BoundMethod, ProjectClass

CLASSES = (known.TRAINER, known.TRAINER_LEGACY)
NO_ALGORITHM = (
    "the trainer has no algorithm, so fit() would wait for ever: give it one, or make a trial "
    "run with dev(agent, train_dataset=...) and initial_resources"
)
_PURE = (
    ast.Name,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Call,
    ast.BinOp,
    ast.BoolOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.Compare,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Dict,
    ast.List,
    ast.Tuple,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.boolop,
    ast.unaryop,
    ast.cmpop,
)


class Construction(NamedTuple):
    """The one call that built a trainer; `name` is what it was assigned to, if it was."""

    call: ast.Call
    name: Binding | None

    def keyword(self, name: str) -> ast.expr | None:
        """The value given for a keyword."""
        return next((k.value for k in self.call.keywords if k.arg == name), None)

    @property
    def open_ended(self) -> bool:
        """Whether `**` may bring keywords that nobody sees."""
        return any(k.arg is None for k in self.call.keywords)


def is_trainer_method(ctx: FileContext, node: ast.Attribute) -> bool:
    """Whether an attribute is agentlightning's own member of a trainer, not an override of it."""
    value = ctx.infer(node)
    return (
        isinstance(value, BoundMethod)
        and value.name == node.attr
        and ctx.project.inference.derives(value.owner, *CLASSES)
    )


def construction(ctx: FileContext, receiver: ast.expr) -> Construction | None:
    """Where `receiver` was built, if that is certain: in place, or by one assignment."""
    if isinstance(receiver, ast.Call):
        return Construction(receiver, None) if _builds(ctx, receiver) else None
    if not isinstance(receiver, ast.Name):
        return None
    binding = reaching(ctx, receiver)
    if binding is None or binding.scope.kind == "class":
        return None
    value = _assigned(binding)
    if isinstance(value, ast.Call) and _builds(ctx, value):
        return Construction(value, binding)
    return None


def _assigned(binding: Binding) -> ast.expr | None:
    """The expression that a name is assigned, `a, b = x, y` included."""
    if binding.kind == "assign":
        return binding.value
    value = binding.value
    if binding.kind == "unpack" and isinstance(value, ast.Tuple | ast.List):
        plain = not any(isinstance(element, ast.Starred) for element in value.elts)
        if plain and binding.index < len(value.elts):
            return value.elts[binding.index]
    return None


def reaching(ctx: FileContext, name: ast.Name) -> Binding | None:
    """The one binding whose value a name has where it is read, if there can be no other.

    Of several it is the last one before, if it stands in a block around the read, and no loop
    brings back another.
    """
    scope = ctx.module.scope(name)
    real = [b for b in scope.lookup(name.id) if not _is_placeholder(b)]
    if len(real) <= 1:
        return real[0] if real else None
    before = [b for b in real if b.position < _position(name)]
    if not before or real[0].scope is not scope:
        return None
    last = before[-1]
    block = ctx.parent(ctx.module.statement(last.node))
    inner: ast.AST | None = ctx.module.statement(name)
    while inner is not None and ctx.parent(inner) is not block:
        inner = ctx.parent(inner)
        if isinstance(inner, ast.For | ast.AsyncFor | ast.While) and last is not real[-1]:
            return None
    if inner is None or not isinstance(inner, ast.stmt):
        return None
    return last if _same_suite(block, ctx.module.statement(last.node), inner) else None


def _same_suite(block: ast.AST | None, first: ast.stmt, second: ast.stmt) -> bool:
    for part in ("body", "orelse", "finalbody"):
        suite = getattr(block, part, None)
        if isinstance(suite, list) and first in suite:
            return second in suite
    return False


def constructions(ctx: FileContext, receiver: ast.expr) -> list[ast.Call]:
    """Every call that may have built the trainer `receiver`."""
    built = construction(ctx, receiver)
    if built is not None:
        return [built.call]
    if not isinstance(receiver, ast.Name):
        return []
    values = [b.value for b in ctx.module.scope(receiver).lookup(receiver.id)]
    calls = [part for value in values if value is not None for part in ast.walk(value)]
    return [call for call in calls if isinstance(call, ast.Call) and _builds(ctx, call)]


def has_algorithm(built: Construction) -> bool:
    """Whether the trainer has an algorithm, or work comes to it in a way that is not in sight."""
    given = any(built.keyword(name) is not None for name in ("algorithm", "strategy", "runner"))
    return given or built.open_ended


def _is_placeholder(binding: Binding) -> bool:
    value = binding.value
    if binding.kind == "assign" and value is None:
        return True  # `trainer: Trainer`
    return isinstance(value, ast.Constant) and value.value is None


def _builds(ctx: FileContext, call: ast.Call) -> bool:
    return ctx.is_class(call.func, *CLASSES) and not _is_partial(ctx, call)


def _is_partial(ctx: FileContext, call: ast.Call) -> bool:
    return any(ctx.is_class(argument, *CLASSES) for argument in call.args)


def takes(ctx: FileContext, built: Construction, *keywords: str) -> bool:
    """Whether the construction can be given further keywords that it does not have yet."""
    if built.open_ended or any(built.keyword(name) is not None for name in keywords):
        return False
    value = ctx.infer(built.call.func)
    if not isinstance(value, ProjectClass):
        return True
    for base in ctx.project.inference.mro(value):
        if isinstance(base, ProjectClass):
            for binding in base.module.table.inner[base.node].bindings.get("__init__", ()):
                arguments = getattr(binding.node, "args", None)
                if not isinstance(arguments, ast.arguments) or arguments.kwarg is None:
                    return False
    return True


def uses(ctx: FileContext, binding: Binding) -> Iterator[ast.Name]:
    """The reads of a name that may see the value of one of its bindings."""
    for node in ctx.module.table.nodes.get(ast.Name, ()):
        assert isinstance(node, ast.Name)
        if node.id != binding.name or not isinstance(node.ctx, ast.Load):
            continue
        seen = binding in ctx.module.scope(node).lookup(node.id)
        if seen and reaching(ctx, node) in (binding, None):
            yield node


def movable(ctx: FileContext, node: ast.expr, place: ast.AST) -> bool:
    """Whether `node` has the same value when evaluated at `place`, which runs before it.

    Names have to be bound by then and not again; what may read the surroundings (a call, an
    environment variable) must not have a statement in between that changes them.
    """
    impure = False
    for part in ast.walk(node):
        if not isinstance(part, _PURE):
            return False
        if isinstance(part, ast.Name) and not _same_binding(ctx, part, place):
            return False
        if isinstance(part, ast.Attribute) and _assigned_later(ctx, part, place):
            return False
        impure = impure or isinstance(part, ast.Call | ast.Subscript)
    return not (impure and _acts_between(ctx, place, node))


def steady(ctx: FileContext, node: ast.expr, place: ast.AST) -> bool:
    """Whether `node` has the same value when evaluated at `place`, which runs after it."""
    impure = False
    for part in ast.walk(node):
        if not isinstance(part, _PURE):
            return False
        if isinstance(part, ast.Name):
            here = ctx.module.scope(part).lookup(part.id)
            if here != ctx.module.scope(place).lookup(part.id):
                return False
            if not _same_binding(ctx, part, part):
                return False
        if isinstance(part, ast.Attribute) and _assigned_later(ctx, part, node):
            return False
        impure = impure or isinstance(part, ast.Call | ast.Subscript)
    return not (impure and _acts_between(ctx, node, place))


def _same_binding(ctx: FileContext, name: ast.Name, place: ast.AST) -> bool:
    here = ctx.module.scope(name).lookup(name.id)
    scope = ctx.module.scope(place)
    if here != scope.lookup(name.id):
        return False
    if not here:
        return True  # a builtin
    owner = here[0].scope
    if owner is scope:
        return all(binding.position < _position(place) for binding in here)
    if owner.kind == "module":
        return len(here) == 1 or not any(
            name.id in inner.outer_names for inner in ctx.module.table.inner.values()
        )
    return True


def _assigned_later(ctx: FileContext, attribute: ast.Attribute, place: ast.AST) -> bool:
    for other in ctx.module.table.nodes.get(ast.Attribute, ()):
        assert isinstance(other, ast.Attribute)
        stored = not isinstance(other.ctx, ast.Load)
        if stored and other.attr == attribute.attr and _position(other) > _position(place):
            return True
    return False


def _acts_between(ctx: FileContext, place: ast.AST, node: ast.AST) -> bool:
    """Whether a statement between two places is run for its effect (`load_dotenv()`)."""
    scope = ctx.module.scope(place)
    inside = ctx.module.statement(node)
    for statement in ctx.module.table.nodes.get(ast.Expr, ()):
        if ctx.module.scope(statement) is not scope or statement is inside:
            continue
        assert isinstance(statement, ast.Expr)
        between = _position(place) < _position(statement) < _position(node)
        acts = between and isinstance(statement.value, ast.Call | ast.Await)
        if acts and not _only_tells(ctx.source(statement)):
            return True
    return False


def _only_tells(text: str) -> bool:
    return text.startswith(("print(", "logger.", "logging.", "log.", "console.", "rich.print("))


def _position(node: ast.AST) -> tuple[int, int]:
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
