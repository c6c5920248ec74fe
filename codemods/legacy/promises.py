"""What a return annotation says about a value that a rollout method hands on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

Action = Literal["float", "reward", "convert", "ask"]
"""How a returned expression is treated.

float    wrap it in `float()`
reward   put its `final_reward=` in place of the whole report
convert  wrap it in `to_result()`
ask      leave it, and say so
"""

_CHOICES = frozenset({"Annotated", "Optional", "Union"})
_WHOLE = frozenset({"bool", "int"})
_LISTS = frozenset({"List", "Sequence", "list"})
_ITEMS = frozenset({"Dict", "Mapping", "Triplet", "dict"})
_IGNORED = frozenset({"Decimal", "Dict", "Fraction", "Tuple", "dict", "str", "tuple"})


def promise(annotation: ast.expr) -> Action | None:
    """What has to be done with a value of an annotated type, if that type is not taken."""
    actions = {_action(choice) for choice in _choices(annotation)} - {"none"}
    if "convert" in actions:
        return "convert"
    return "float" if actions == {"float"} else None


def _choices(annotation: ast.expr) -> Iterator[ast.expr]:
    """The types that an annotation allows."""
    match annotation:
        case ast.Constant(value=str() as text):
            try:
                yield from _choices(ast.parse(text.strip(), mode="eval").body)
            except SyntaxError:
                return
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            yield from _choices(left)
            yield from _choices(right)
        case ast.Subscript(value=outer, slice=inner) if _name(outer) in _CHOICES:
            for part in inner.elts if isinstance(inner, ast.Tuple) else [inner]:
                yield from _choices(part)
        case _:
            yield annotation


def _action(choice: ast.expr) -> str:
    if isinstance(choice, ast.Constant) and choice.value is None:
        return "none"
    outer = choice.value if isinstance(choice, ast.Subscript) else choice
    name = _name(outer)
    if name in _LISTS and isinstance(choice, ast.Subscript):
        return "convert" if any(_name(c) in _ITEMS for c in _items(choice.slice)) else "taken"
    if name in _WHOLE:
        return "float"
    return "convert" if name in _IGNORED or name == "RolloutRawResultLegacy" else "taken"


def _items(node: ast.expr) -> Iterator[ast.expr]:
    for choice in _choices(node):
        yield choice.value if isinstance(choice, ast.Subscript) else choice


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
