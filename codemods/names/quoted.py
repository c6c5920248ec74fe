"""Types that are written as strings: `"Task"`, `cast("Rollout", x)`, `TypeVar(bound="Tracer")`."""

from __future__ import annotations

import ast
import re

# Of what is called, which arguments are types: those from the first index up to the second.
_TAKE_TYPES = {
    "cast": (0, 1),
    "ForwardRef": (0, 1),
    "NewType": (1, 2),
    "TypeVar": (1, 99),
}
# `Handler = Callable[["Task"], None]` is no annotation, and a type all the same.
_GENERICS = frozenset({"Optional", "Union", "Callable", "List", "Dict", "Type", "Tuple", "Generic"})
_NO_ESCAPES = re.compile(r"[\w.\[\], |()]+")


def unquoted(node: ast.Constant) -> ast.expr | None:
    """The type expression in a string, its nodes placed where they stand in the file.

    None where the text between the quotes is not the string itself (escapes, several pieces,
    triple quotes): places in it cannot be told.
    """
    text = str(node.value)
    width = (node.end_col_offset or 0) - node.col_offset - len(text.encode())
    # Quotes alone, or with one letter before them.
    if node.end_lineno != node.lineno or width not in (2, 3) or not _NO_ESCAPES.fullmatch(text):
        return None
    shift = node.col_offset + width - 1
    try:
        inner = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    for part in ast.walk(inner):
        if isinstance(part, ast.expr | ast.keyword):
            part.lineno = part.end_lineno = node.lineno
            part.col_offset += shift
            part.end_col_offset = (part.end_col_offset or 0) + shift
    return inner


def data_in_type(node: ast.AST, parent: ast.AST) -> list[ast.AST]:
    """The children of a type expression that are no types: of `Literal`, `Annotated`, calls."""
    if isinstance(node, ast.Subscript) and _last_name(node.value) == "Literal":
        return [node.slice]
    if isinstance(node, ast.Tuple) and isinstance(parent, ast.Subscript):
        return [*node.elts[1:]] if _last_name(parent.value) == "Annotated" else []
    if isinstance(node, ast.Call):
        types = types_given(node)
        return [child for child in (*node.args, *node.keywords) if child not in types]
    return []


def types_given(node: ast.AST) -> list[ast.AST]:
    """The children of an expression, itself no type, that are type expressions."""
    if isinstance(node, ast.Subscript):
        return [node.slice] if _last_name(node.value) in _GENERICS else []
    if not isinstance(node, ast.Call):
        return []
    first, last = _TAKE_TYPES.get(_last_name(node.func), (0, 0))
    if not last:
        return []
    named = [k for k in node.keywords if k.arg in ("bound", "default", "typ", "arg", "tp")]
    return [*node.args[first:last], *named]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
