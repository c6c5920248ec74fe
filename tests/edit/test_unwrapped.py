"""A call taken out of the call that it is the one argument of."""

from __future__ import annotations

import pytest

from codemods.edit.ranges import Blocked
from codemods.edit.unwrapped import unwrapped


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(G(a, b=1))", "f(a, b=1)"),
        ("x.f(r=G())", "x.f()"),
        ("f(\n    G(a, b)\n)", "f(a, b)"),
        ("f(\n    G(\n        a,  # one\n        b,\n    ),\n)", "f(\n    a,  # one\n    b,\n)"),
        ("f(G(\n    a,\n))", "f(\n    a,\n)"),
        ("f(\r\n\tG(\r\n\t\ta,\r\n\t)\r\n)", "f(\r\n\ta,\r\n)"),
        (
            'f(\n    G(\n        """a\n        b""",\n    )\n)',
            'f(\n        """a\n        b""",\n    )',
        ),
    ],
)
def test_the_inner_arguments_keep_their_layout(before: str, after: str) -> None:
    assert unwrapped(before) == after


@pytest.mark.parametrize("text", ["f(a)", "f(G(), 1)", "f", "f(  # why\n    G(a)\n)"])
def test_what_is_no_such_call_or_would_lose_a_comment_is_left(text: str) -> None:
    with pytest.raises(Blocked):
        unwrapped(text)
