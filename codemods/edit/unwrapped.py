"""A call whose one argument is a call: the arguments of the inner one, in its layout."""

from __future__ import annotations

import libcst as cst

from codemods.edit.ranges import Blocked
from codemods.edit.slices import newline_of, parse_slice, slice_code


def unwrapped(text: str) -> str:
    """`f(G(a, b))` as `f(a, b)`.

    Raises:
        Blocked: the text is no such call any more, or a comment would be lost.
    """
    outer = parse_slice(text)
    if not isinstance(outer, cst.Call) or len(outer.args) != 1:
        raise Blocked("another rewrite changed this call into something else")
    inner = outer.args[0].value
    if not isinstance(inner, cst.Call):
        raise Blocked("another rewrite changed this argument into something else")
    newline = newline_of(text)
    shell = slice_code(outer, newline).replace(slice_code(inner, newline), "")
    if "#" in shell:
        raise Blocked("a comment stands beside the argument")
    merged = outer.with_changes(
        args=inner.args,
        whitespace_after_func=inner.whitespace_after_func,
        whitespace_before_args=inner.whitespace_before_args,
    )
    return _dedented(slice_code(merged, newline), _depth(outer), newline)


def _depth(outer: cst.Call) -> int:
    """By how much the argument stands further to the right than the call that it is given to."""
    before = outer.whitespace_before_args
    if not isinstance(before, cst.ParenthesizedWhitespace):
        return 0
    closing = outer.args[0]
    after = (
        closing.comma.whitespace_after
        if isinstance(closing.comma, cst.Comma)
        else closing.whitespace_after_arg
    )
    if not isinstance(after, cst.ParenthesizedWhitespace):
        return 0
    return len(before.last_line.value) - len(after.last_line.value)


def _dedented(code: str, depth: int, newline: str) -> str:
    first, *rest = code.split(newline)
    if depth <= 0 or '"""' in code or "'''" in code:
        return code
    if any(line[:depth].strip() for line in rest):
        return code
    return newline.join([first, *(line[depth:] for line in rest)])
