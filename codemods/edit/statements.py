"""Where whole statements go in or out of a file, `;` and one-line suites included."""

from __future__ import annotations

import ast

from codemods.edit.ranges import Blocked, Edit, replacement
from codemods.names.children import walk
from codemods.names.module import Module
from codemods.names.scopes import FunctionNode


def indentation(module: Module, statement: ast.stmt) -> str:
    """The white space at the start of the statement's line."""
    start = line_start(module, statement)
    text = module.text
    end = start
    while end < len(text) and text[end] in " \t\f":
        end += 1
    return text[start:end]


def line_start(module: Module, statement: ast.stmt) -> int:
    """The index of the first character of the statement's first line, decorators included."""
    first = statement.lineno
    for decorator in getattr(statement, "decorator_list", []):
        first = min(first, decorator.lineno)
    start = module.offset(first, 0)
    return start + 1 if start == 0 and module.text.startswith("\ufeff") else start


def line_end(module: Module, statement: ast.stmt) -> int:
    """The index behind the line ending of the statement's last line."""
    _, end = module.span(statement)
    text = module.text
    while end < len(text) and text[end] not in "\r\n":
        end += 1
    if text.startswith("\r\n", end):
        return end + 2
    return min(end + 1, len(text))


def suite(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    """The list of statements that `statement` stands in."""
    parent = module.parent(statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block
    raise Blocked("the statement does not stand in a block")


def owns_its_lines(module: Module, statement: ast.stmt) -> bool:
    """Whether nothing else stands on the statement's first and last line but a comment."""
    start, end = line_start(module, statement), line_end(module, statement)
    first, last = module.span(statement)
    if getattr(statement, "decorator_list", None):
        first = start
    before = module.text[start:first].strip()
    after = module.text[last:end].strip()
    return not before and (not after or after.startswith("#"))


def block(module: Module, indent: str, lines: str) -> str:
    """`lines` with the indentation and the line endings of the place they go to."""
    newline = module.newline
    return "".join(
        (indent + line if line.strip() else line) + newline for line in lines.split("\n")
    )


def insert_before(module: Module, statement: ast.stmt, lines: str, rank: int = 0) -> Edit:
    """Statements in front of `statement`, on lines of their own."""
    if owns_first_line(module, statement):
        start = line_start(module, statement)
        return replacement(start, start, block(module, indentation(module, statement), lines), rank)
    if "\n" in lines or not _simple(statement):
        raise Blocked("other code stands on the same line")
    start, _ = module.span(statement)
    return replacement(start, start, f"{lines}; ", rank)


def insert_after(module: Module, statement: ast.stmt, lines: str, rank: int = 0) -> Edit:
    """Statements behind `statement`, on lines of their own."""
    if not owns_its_lines(module, statement):
        if "\n" in lines or not _simple(statement):
            raise Blocked("other code stands on the same line")
        _, end = module.span(statement)
        return replacement(end, end, f"; {lines}", rank)
    end = line_end(module, statement)
    text = block(module, indentation(module, statement), lines)
    if end == len(module.text) and module.text[end - 1] not in "\r\n":
        text = module.newline + text.removesuffix(module.newline)
    return replacement(end, end, text, rank)


def remove(module: Module, statement: ast.stmt) -> Edit:
    """Take a statement out; `pass` is left where its block would be empty."""
    siblings = suite(module, statement)
    start, end = module.span(statement)
    if len(siblings) == 1 and not isinstance(module.parent(statement), ast.Module):
        return replacement(start, end, "pass")
    if owns_its_lines(module, statement):
        return replacement(line_start(module, statement), line_end(module, statement), "")
    return _remove_from_line(module, siblings, statement)


def _remove_from_line(module: Module, siblings: list[ast.stmt], statement: ast.stmt) -> Edit:
    index = siblings.index(statement)
    start, end = module.span(statement)
    if index + 1 < len(siblings) and siblings[index + 1].lineno == statement.end_lineno:
        return replacement(start, module.span(siblings[index + 1])[0], "")
    if index and siblings[index - 1].end_lineno == statement.lineno:
        return replacement(module.span(siblings[index - 1])[1], end, "")
    return replacement(start, end, "pass")


def first_in_body(module: Module, function: FunctionNode, lines: str, rank: int = 0) -> Edit:
    """Statements at the start of a function's body, behind its docstring."""
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        if len(function.body) == 1:
            return insert_after(module, first, lines, rank)
        first = function.body[1]
    if owns_first_line(module, first):
        return insert_before(module, first, lines, rank)
    if "\n" in lines:
        raise Blocked("the body stands on the line of the definition")
    start, _ = module.span(first)
    return replacement(start, start, f"{lines}; ", rank)


def owns_first_line(module: Module, statement: ast.stmt) -> bool:
    """Whether the statement is the first thing on its line."""
    start, first = line_start(module, statement), module.span(statement)[0]
    if getattr(statement, "decorator_list", None):
        return True
    return not module.text[start:first].strip()


def _simple(statement: ast.stmt) -> bool:
    compound = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)
    return not isinstance(
        statement, (*compound, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Match)
    )


def header_span(module: Module, function: FunctionNode) -> tuple[int, int]:
    """From `def` (or `async def`) up to and with the colon of the header."""
    start, _ = module.span(function)
    parts: list[ast.AST] = [a for a in walk(function.args) if hasattr(a, "end_col_offset")]
    if function.returns is not None:
        parts.append(function.returns)
    position = start
    if parts:
        position = max(module.span(part)[1] for part in parts)
    return start, _colon(module.text, position, function.returns is None, start)


def _colon(text: str, position: int, closes: bool, start: int) -> int:
    """The index behind the colon that ends a header, past brackets and comments."""
    depth = 0 if not closes else _depth(text, start, position)
    index = position
    while index < len(text):
        char = text[index]
        if char == "#":
            while index < len(text) and text[index] not in "\r\n":
                index += 1
            continue
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth = max(0, depth - 1)
        elif char == ":" and depth == 0:
            return index + 1
        index += 1
    raise Blocked("the end of the function header was not found")


def _depth(text: str, start: int, position: int) -> int:
    # With parameters, the header's own parenthesis is open at their end; without, it is not yet.
    return 1 if position > start else 0
