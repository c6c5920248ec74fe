"""What is known of a trainer and of what `fit` is given, at a place in a program."""

from __future__ import annotations

import ast

import pytest

from codemods.context import FileContext, Options
from codemods.legacy.backends import kind_of
from codemods.legacy.fit_calls import fit_calls
from codemods.legacy.trainers import construction, movable, steady
from codemods.project import Project


def context(source: str) -> FileContext:
    project = Project(".")
    return FileContext(project.add("source.py", source, ast.parse(source)), project, Options())


def marked(ctx: FileContext, name: str) -> ast.expr:
    """The argument of the call `name(...)` in the source."""
    for node in ast.walk(ctx.module.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
            return node.args[0]
    raise AssertionError(f"no call of {name}")


@pytest.mark.parametrize(
    ("before", "expression", "kind"),
    [
        ("", "'http://a'", "url"),
        ("", "f'http://{host}'", "url"),
        ("", "'http://' + host", "url"),
        ("import os", "os.environ['A']", "url"),
        ("from os import getenv as g", "g('A') or 'http://a'", "url"),
        ("import sys", "sys.argv[1]", "url"),
        ("def where() -> str: ...", "where()", "url"),
        ("def where():\n    return 'http://a'", "where()", "url"),
        ("place = 'http://a'", "place", "url"),
        ("place = None\nif x: place = 'http://a'", "place", "url"),
        ("", "args.server_url", "url"),
        ("", "config['backend']", "url"),
        ("", "config.get('endpoint', None)", "url"),
        ("", "str(thing)", "url"),
        ("import agentlightning as agl", "agl.AgentLightningClient(x)", "client"),
        ("import agentlightning as agl", "agl.DevTaskLoader([1], {})", "loader"),
        ("", "[1, 2]", "dataset"),
        ("", "[x for x in y]", "dataset"),
        ("", "list(rows)", "dataset"),
        ("", "train_data", "dataset"),
        ("", "thing", "unknown"),
        ("", "make(3)", "unknown"),
        ("from os import environ", "other(environ)", "unknown"),
        ("place = 'http://a'\nplace = [1]", "place", "unknown"),
    ],
)
def test_kind_of_what_fit_is_given(before: str, expression: str, kind: str) -> None:
    ctx = context(f"{before}\nhere({expression})\n")
    assert kind_of(ctx, marked(ctx, "here")) == kind


@pytest.mark.parametrize("annotation", ["str", "str | None", "Optional[str]", "'str'"])
def test_annotated_parameter_is_an_address(annotation: str) -> None:
    ctx = context(f"def f(x: {annotation}):\n    here(x)\n")
    assert kind_of(ctx, marked(ctx, "here")) == "url"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nplace(0)\nhere(x)", True),
        ("place(0)\nx = 1\nhere(x)", False),
        ("x = 1\nplace(0)\nx = 2\nhere(x)", False),
        ("place(0)\nhere(y())", True),
        ("place(0)\nprint(1)\nhere(y())", True),
        ("place(0)\nload()\nhere(y())", False),
        ("place(0)\nload()\nhere('a')", True),
        ("def f(a):\n    place(0)\n    here(a.b)", True),
        ("def f(a):\n    place(0)\n    a.b = 1\n    here(a.b)", False),
        ("place(0)\ndef f(a):\n    here(a)", False),
        ("x = 1\nplace(0)\ndef f():\n    here(x)", True),
        ("x = 1\ndef f():\n    place(0)\n    here(x)", True),
        ("async def f(a):\n    place(0)\n    here(await a)", False),
        ("place(0)\nhere((x := 3))", False),
        ("place(0)\nhere(lambda: 3)", False),
    ],
)
def test_what_can_be_evaluated_earlier(source: str, expected: bool) -> None:
    ctx = context(source)
    assert movable(ctx, marked(ctx, "here"), marked(ctx, "place")) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a):\n    here(a.dev)\n    place(0)", True),
        ("def f(a):\n    here(a.dev)\n    a.dev = 1\n    place(0)", False),
        ("def f(a):\n    here(a)\n    a = 1\n    place(0)", False),
        ("def f(a):\n    here(g(a))\n    h()\n    place(0)", False),
        ("def f(a):\n    here(a)\ndef g(a):\n    place(0)", False),
    ],
)
def test_what_can_be_evaluated_later(source: str, expected: bool) -> None:
    ctx = context(source)
    assert steady(ctx, marked(ctx, "here"), marked(ctx, "place")) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("t = Trainer(n_runners=1)\nt.fit(a, u)", "1"),
        ("Trainer(n_runners=1).fit(a, u)", "1"),
        ("t: Trainer = Trainer(n_runners=1)\nt.fit(a, u)", "1"),
        ("b, t = 0, Trainer(n_runners=1)\nt.fit(a, u)", "1"),
        ("t = None\nt = Trainer(n_runners=1)\nt.fit(a, u)", "1"),
        ("t = Trainer(n_runners=1)\nt = Trainer(n_runners=2)\nt.fit(a, u)", "2"),
        ("t = Trainer(n_runners=1)\nt.fit(a, u)\nt = Trainer(n_runners=2)", "1"),
        ("t = Trainer(n_runners=1)\nif c: t = Trainer(n_runners=2)\nt.fit(a, u)", None),
        ("if c: t = Trainer(n_runners=1)\nelse: t = Trainer(n_runners=2)\nt.fit(a, u)", None),
        ("t = Trainer(n_runners=1) if c else Trainer(n_runners=2)\nt.fit(a, u)", None),
        ("t = Trainer(n_runners=1)\ndef f():\n    t.fit(a, u)", "1"),
        (
            "t = Trainer(n_runners=1)\nfor _ in x:\n    t.fit(a, u)\n    t = Trainer(n_runners=2)",
            None,
        ),
        ("def f(t: Trainer):\n    t.fit(a, u)", None),
        ("def make(): return Trainer(n_runners=1)\nt = make()\nt.fit(a, u)", None),
    ],
)
def test_construction_in_reach(body: str, expected: str | None) -> None:
    ctx = context(f"from agentlightning import Trainer\n{body}\n")
    (call,) = fit_calls(ctx)
    built = construction(ctx, call.receiver)
    found = None if built is None else ctx.source(built.call.keywords[0].value)
    assert found == expected
