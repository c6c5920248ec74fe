"""Arguments put into a call and taken out of it so that comments and line breaks stay."""

from __future__ import annotations

import libcst as cst

TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


def comma_like(call: cst.Call) -> cst.Comma:
    """A comma as the call has them between its arguments."""
    for arg in call.args[:-1]:
        if isinstance(arg.comma, cst.Comma):
            return arg.comma.with_changes(
                whitespace_after=without_comment(arg.comma.whitespace_after)
            )
    before = call.whitespace_before_args
    trailing = len(call.args) == 1 and isinstance(call.args[0].comma, cst.Comma)
    if trailing and isinstance(before, cst.ParenthesizedWhitespace):
        return cst.Comma(whitespace_after=without_comment(before))  # a line for each argument
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def without_comment(
    whitespace: cst.BaseParenthesizableWhitespace,
) -> cst.BaseParenthesizableWhitespace:
    if isinstance(whitespace, cst.ParenthesizedWhitespace):
        first = whitespace.first_line.with_changes(
            comment=None, whitespace=cst.SimpleWhitespace("")
        )
        return whitespace.with_changes(first_line=first, empty_lines=[])
    return whitespace


def with_last(call: cst.Call, new: cst.Arg) -> cst.Call:
    """The call with one more argument at its end."""
    if not call.args:
        return call.with_changes(args=[new])
    *front, last = call.args
    joint = comma_like(call)
    if len(call.args) == 1 and isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        joint = cst.Comma(whitespace_after=without_comment(call.whitespace_before_args))
    if isinstance(last.comma, cst.Comma):
        # A trailing comma: the new argument takes over what followed it.
        tail = last.comma
        middle = last.with_changes(comma=_keep_comment(tail, joint))
        closing = tail.with_changes(whitespace_after=without_comment(tail.whitespace_after))
        return call.with_changes(args=[*front, middle, new.with_changes(comma=closing)])
    middle = last.with_changes(comma=joint, whitespace_after_arg=cst.SimpleWhitespace(""))
    final = new.with_changes(whitespace_after_arg=last.whitespace_after_arg)
    if _has_comment(last.whitespace_after_arg):
        middle = last.with_changes(comma=_comma_before(last.whitespace_after_arg, joint))
        middle = middle.with_changes(whitespace_after_arg=cst.SimpleWhitespace(""))
        final = new.with_changes(whitespace_after_arg=without_comment(last.whitespace_after_arg))
    return call.with_changes(args=[*front, middle, final])


def _keep_comment(tail: cst.Comma, joint: cst.Comma) -> cst.Comma:
    """A comma that keeps the comment behind `tail` and goes on as `joint` does."""
    if not _has_comment(tail.whitespace_after):
        return joint
    return _comma_before(tail.whitespace_after, joint)


def _comma_before(comment: cst.BaseParenthesizableWhitespace, joint: cst.Comma) -> cst.Comma:
    assert isinstance(comment, cst.ParenthesizedWhitespace)
    after = joint.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace):
        return cst.Comma(
            whitespace_after=after.with_changes(
                first_line=comment.first_line, empty_lines=comment.empty_lines
            )
        )
    return cst.Comma(whitespace_after=comment)


def _has_comment(whitespace: cst.BaseParenthesizableWhitespace) -> bool:
    return isinstance(whitespace, cst.ParenthesizedWhitespace) and (
        whitespace.first_line.comment is not None
        or any(line.comment is not None for line in whitespace.empty_lines)
    )


def without(call: cst.Call, index: int) -> cst.Call:
    """The call without the argument at `index`."""
    args = list(call.args)
    gone = args.pop(index)
    if not args:
        return call.with_changes(args=[], whitespace_before_args=cst.SimpleWhitespace(""))
    if index == len(args):
        args[-1] = _as_last(args[-1], gone)
    return call.with_changes(args=args)


def _as_last(arg: cst.Arg, gone: cst.Arg) -> cst.Arg:
    """`arg` with the end of the layout that `gone` had, and with its own comment."""
    end = gone.comma if isinstance(gone.comma, cst.Comma) else None
    closing = end.whitespace_after if end is not None else gone.whitespace_after_arg
    own = arg.comma.whitespace_after if isinstance(arg.comma, cst.Comma) else None
    if own is not None and _has_comment(own):
        assert isinstance(own, cst.ParenthesizedWhitespace)
        if isinstance(closing, cst.ParenthesizedWhitespace):
            own = own.with_changes(indent=closing.indent, last_line=closing.last_line)
        closing = own
    if end is not None:
        return arg.with_changes(comma=end.with_changes(whitespace_after=closing))
    return arg.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=closing)
