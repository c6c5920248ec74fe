"""Changes to a call's arguments, with comments and layout."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemods.edit.calls import CallEdit
from codemods.edit.ranges import Blocked
from codemods.edit.signatures import SignatureEdit


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a=1)", "f()"),
        ("f(a=1, b=2)", "f(b=2)"),
        ("f(b=2, a=1)", "f(b=2)"),
        ("f(b=2, a=1,)", "f(b=2,)"),
        ("f(\n    b=2,  # two\n    a=1,  # one\n)", "f(\n    b=2,  # two\n)"),
        ("f(\n    b=2,  # two\n    a=1\n)", "f(\n    b=2  # two\n)"),
        ("f(\n    a=1,  # one\n    b=2,\n)", "f(\n    b=2,\n)"),
        ("f(*args, **kw)", "f(*args, **kw)"),
        ("f(*args, a=1, **kw)", "f(*args, **kw)"),
        ("x\n  .f(a=1, b=(2))", "x\n  .f(b=(2))"),
    ],
)
def test_remove_keyword(before: str, after: str) -> None:
    assert CallEdit().remove_keyword("a")(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f()"),
        ("f(a=1)", "f(1)"),
        ("f(\n    a = 1,  # one\n    b=2,\n)", "f(\n    1,  # one\n    b=2,\n)"),
        ("f(b=2, a=1)", "f(b=2, a=1)"),
    ],
)
def test_unname_first(before: str, after: str) -> None:
    assert CallEdit().unname_first("a")(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(a=1)"),
        ("f(b)", "f(b, a=1)"),
        ("f(b,)", "f(b, a=1,)"),
        ("f(a=2, b=3)", "f(a=1, b=3)"),
        ("f(\n    b,\n    c,\n)", "f(\n    b,\n    c,\n    a=1,\n)"),
        ("f(\n    b,  # b\n)", "f(\n    b,  # b\n    a=1,\n)"),
        ("f(\n    b  # b\n)", "f(\n    b,  # b\n    a=1\n)"),
        ("f(\n    b,\n    c  # c\n)", "f(\n    b,\n    c,  # c\n    a=1\n)"),
        ("f(  # why\n)", "f(  # why\na=1)"),
    ],
)
def test_set_keyword(before: str, after: str) -> None:
    result = CallEdit().set_keyword("a", "1")(before)
    assert result == after
    ast.parse(result)


def test_steps_are_done_in_order() -> None:
    edit = CallEdit().rename_attribute("fit_v0").remove_positional(1).set_keyword("k", "[1, 2]")
    assert edit("t.fit(agent, url)") == "t.fit_v0(agent, k=[1, 2])"


def test_reorder_keeps_the_layout() -> None:
    before = "f(\n    a,  # first place\n    b,\n    c,\n)"
    assert CallEdit().reorder([0, 2, 1])(before) == "f(\n    a,  # first place\n    c,\n    b,\n)"


def test_positional_argument_gets_a_name() -> None:
    assert CallEdit().name_positional(1, "x")("f(a, b)") == "f(a, x=b)"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_endings_stay_as_they_are(end: str) -> None:
    before = f"f({end}    a,  # first{end}    b,{end})"
    after = f"f({end}    a,  # first{end}    b,{end}    c=1,{end})"
    assert CallEdit().set_keyword("c", "1")(before) == after
    header = f"def f({end}    a,  # first{end}    b,{end}):"
    assert SignatureEdit().rename("g")(header) == header.replace("def f", "def g")


def test_method_becomes_a_function_of_its_object() -> None:
    assert CallEdit().to_function("run")("x.y.go(a, b=1)") == "run(x.y, a, b=1)"
    assert CallEdit().to_function("run")("make().go()") == "run(make())"
    before = "x.go(\n    a,  # first\n    b,\n)"
    assert CallEdit().to_function("run")(before) == "run(\n    x,\n    a,  # first\n    b,\n)"


@pytest.mark.parametrize("text", ["f(", "1 +", "f(a) = 3"])
def test_what_libcst_cannot_parse_is_refused(text: str) -> None:
    with pytest.raises(Blocked):
        CallEdit().remove_keyword("a")(text)


ARGUMENT = st.sampled_from(["a=1", "b=[2, 3]", "c=f(x)", "*rest", "**more", "d='x,y'"])
SPACE = st.sampled_from(["", " ", "\n    ", "  # note\n    "])


@given(st.lists(ARGUMENT, unique=True), st.lists(SPACE, min_size=8, max_size=8))
def test_removing_any_keyword_leaves_the_others(arguments: list[str], spaces: list[str]) -> None:
    ordered = sorted(arguments, key=lambda a: (a.startswith("**"), not a.startswith("*")))
    body = "".join(f"{spaces[i]}{a},{spaces[-1 - i]}" for i, a in enumerate(ordered))
    before = f"f({body})"
    for gone in "abcd":
        after = CallEdit().remove_keyword(gone)(before)
        old, new = (ast.parse(t, mode="eval").body for t in (before, after))
        assert isinstance(old, ast.Call)
        assert isinstance(new, ast.Call)
        kept = [ast.dump(k) for k in old.keywords if k.arg != gone]
        assert [ast.dump(k) for k in new.keywords] == kept
        assert [ast.dump(a) for a in new.args] == [ast.dump(a) for a in old.args]
