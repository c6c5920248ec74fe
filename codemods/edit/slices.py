"""Pieces of a file as LibCST nodes, and back, byte for byte."""

from __future__ import annotations

import libcst as cst

from codemods.edit.ranges import Blocked


def parse_slice(text: str) -> cst.BaseExpression:
    """The expression in a slice of a file, which may go over several lines.

    Raises:
        Blocked: LibCST cannot parse it, or would not give back the same bytes.
    """
    try:
        # The parentheses let the slice span lines, as the ones around it did in the file.
        node = cst.parse_expression(f"({text})")
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise Blocked("LibCST cannot parse this expression") from error
    lpar, rpar = node.lpar[1:], node.rpar[:-1]
    bare = node.with_changes(lpar=lpar, rpar=rpar)
    if slice_code(bare, newline_of(text)) != text:
        raise Blocked("LibCST does not give this expression back unchanged")
    return bare


def slice_code(node: cst.CSTNode, newline: str = "\n") -> str:
    """The source text of a node, without a module around it."""
    return cst.Module([], default_newline=newline).code_for_node(node)


def newline_of(text: str, default: str = "\n") -> str:
    """The first line ending of a text, which LibCST takes for the one of all its lines."""
    first = min((at for end in "\r\n" if (at := text.find(end)) != -1), default=-1)
    if first == -1:
        return default
    if text[first] == "\n":
        return "\n"
    return "\r\n" if text.startswith("\r\n", first) else "\r"
