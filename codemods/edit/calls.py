"""Changes to the arguments of one call, comments and layout kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import libcst as cst

from codemods.edit.call_layout import TIGHT, comma_like, with_last, without
from codemods.edit.ranges import Blocked
from codemods.edit.slices import newline_of, parse_slice, slice_code

Step = Callable[[cst.Call], cst.Call]


@dataclass(slots=True)
class CallEdit:
    """A list of changes to one call, done in order on its current text.

    `newline` is the line ending of the file, for new values of several lines.
    """

    steps: list[Step] = field(default_factory=list)
    newline: str = "\n"

    def rename_keyword(self, old: str, new: str) -> CallEdit:
        """`f(old=x)` into `f(new=x)`."""

        def step(call: cst.Call) -> cst.Call:
            args = [
                arg.with_changes(keyword=arg.keyword.with_changes(value=new))
                if arg.keyword is not None and arg.keyword.value == old
                else arg
                for arg in call.args
            ]
            return call.with_changes(args=args)

        self.steps.append(step)
        return self

    def remove_keyword(self, name: str) -> CallEdit:
        """Drop `name=...`, where it is given."""

        def step(call: cst.Call) -> cst.Call:
            for index, arg in enumerate(call.args):
                if arg.keyword is not None and arg.keyword.value == name:
                    return without(call, index)
            return call

        self.steps.append(step)
        return self

    def remove_positional(self, index: int) -> CallEdit:
        """Drop the argument at `index` (counted in the call as it then is)."""
        self.steps.append(lambda call: without(call, index))
        return self

    def name_positional(self, index: int, keyword: str) -> CallEdit:
        """`f(x)` into `f(keyword=x)` for the argument at `index`."""

        def step(call: cst.Call) -> cst.Call:
            arg = call.args[index]
            named = arg.with_changes(
                keyword=cst.Name(keyword),
                equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
            )
            return call.with_changes(args=[*call.args[:index], named, *call.args[index + 1 :]])

        self.steps.append(step)
        return self

    def unname_first(self, keyword: str) -> CallEdit:
        """`f(keyword=x)` into `f(x)`, if it is the first argument."""

        def step(call: cst.Call) -> cst.Call:
            name = call.args[0].keyword if call.args else None
            if name is None or name.value != keyword:
                return call
            bare = call.args[0].with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
            return call.with_changes(args=[bare, *call.args[1:]])

        self.steps.append(step)
        return self

    def set_keyword(self, name: str, value: str) -> CallEdit:
        """Give `name=value`: in place if it is there, else as the last argument."""

        def step(call: cst.Call) -> cst.Call:
            expression = cst.parse_expression(value)
            for index, arg in enumerate(call.args):
                if arg.keyword is not None and arg.keyword.value == name:
                    changed = arg.with_changes(value=expression)
                    return call.with_changes(
                        args=[*call.args[:index], changed, *call.args[index + 1 :]]
                    )
            return with_last(call, cst.Arg(expression, cst.Name(name), equal=TIGHT))

        self.steps.append(step)
        return self

    def set_value(self, index: int, value: str) -> CallEdit:
        """Give another value to the argument at `index`, positional or not."""

        def step(call: cst.Call) -> cst.Call:
            changed = call.args[index].with_changes(value=cst.parse_expression(value))
            return call.with_changes(args=[*call.args[:index], changed, *call.args[index + 1 :]])

        self.steps.append(step)
        return self

    def change_argument(
        self, place: int | str, keyword: str, change: Callable[[str], str]
    ) -> CallEdit:
        """Give the argument at an index, or with a keyword, the name `keyword` and another value.

        `change` gets the text of the value as it then is.
        """

        def step(call: cst.Call) -> cst.Call:
            args = list(call.args)
            for index, arg in enumerate(args):
                if place in (index, arg.keyword.value if arg.keyword is not None else None):
                    value = cst.parse_expression(change(slice_code(arg.value)))
                    args[index] = arg.with_changes(
                        keyword=cst.Name(keyword), value=value, equal=TIGHT
                    )
            return call.with_changes(args=args)

        self.steps.append(step)
        return self

    def add_positional(self, value: str, index: int) -> CallEdit:
        """Insert `value` as the positional argument at `index`."""

        def step(call: cst.Call) -> cst.Call:
            new = cst.Arg(cst.parse_expression(value))
            if index >= len(call.args):
                return with_last(call, new)
            spaced = new.with_changes(comma=comma_like(call))
            return call.with_changes(args=[*call.args[:index], spaced, *call.args[index:]])

        self.steps.append(step)
        return self

    def reorder(self, order: list[int]) -> CallEdit:
        """Give the arguments in another order: `order[i]` is the old index of the new i-th.

        Comments and line breaks stay where they stand in the layout.
        """

        def step(call: cst.Call) -> cst.Call:
            args = [
                call.args[old].with_changes(
                    comma=call.args[new].comma,
                    whitespace_after_arg=call.args[new].whitespace_after_arg,
                )
                for new, old in enumerate(order)
            ]
            return call.with_changes(args=args)

        self.steps.append(step)
        return self

    def rename_attribute(self, name: str) -> CallEdit:
        """`x.old(...)` into `x.name(...)`."""

        def step(call: cst.Call) -> cst.Call:
            if not isinstance(call.func, cst.Attribute):
                raise Blocked("the method is not called as an attribute")
            return call.with_changes(func=call.func.with_changes(attr=cst.Name(name)))

        self.steps.append(step)
        return self

    def to_function(self, text: str) -> CallEdit:
        """`x.method(a)` into `text(x, a)`."""

        def step(call: cst.Call) -> cst.Call:
            if not isinstance(call.func, cst.Attribute):
                raise Blocked("the method is not called as an attribute")
            first = cst.Arg(call.func.value)
            if call.args:
                first = first.with_changes(comma=comma_like(call))
            return call.with_changes(func=cst.parse_expression(text), args=[first, *call.args])

        self.steps.append(step)
        return self

    def set_function(self, text: str) -> CallEdit:
        """Call `text` instead, with the same arguments."""
        self.steps.append(lambda call: call.with_changes(func=cst.parse_expression(text)))
        return self

    def keep_only(self, *keywords: str) -> CallEdit:
        """Drop every argument but the keywords named."""

        def step(call: cst.Call) -> cst.Call:
            for index in reversed(range(len(call.args))):
                keyword = call.args[index].keyword
                if keyword is None or keyword.value not in keywords:
                    call = without(call, index)
            return call

        self.steps.append(step)
        return self

    def __call__(self, text: str) -> str:
        """The call's text with every change done.

        Raises:
            Blocked: the text does not survive a round trip through LibCST unchanged.
        """
        call = parse_slice(text)
        if not isinstance(call, cst.Call):
            raise Blocked("another rewrite changed this call into something else")
        for step in self.steps:
            call = step(call)
        return slice_code(call, newline_of(text, self.newline))
