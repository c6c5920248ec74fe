"""A rule with `words` has nothing to say about a file that spells none of them."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings

from codemods.context import Options
from codemods.engine import context_for, detect
from codemods.project import Project
from codemods.registry import all_rules
from codemods.rule import Rule
from tests.rules.cases import all_cases
from tests.rules.test_generated_programs import programs

WORDED = [rule for rule in all_rules() if rule.words]


def asked(rule: Rule) -> Rule:
    """The same rule, which is asked about every file, but not about other attributes."""
    attributes = rule.attributes or rule.words
    made: Rule = type(rule.code, (type(rule),), {"words": frozenset(), "attributes": attributes})()
    return made


ASKED = {rule.code: asked(rule) for rule in WORDED}


def silent(project: Project) -> set[str]:
    """The rules that are not asked about some file; each of them is asked all the same."""
    passed = set()
    for module in project.modules.values():
        for server in ("store", "legacy"):
            ctx = context_for(project, module, Options(server=server))
            rules = [ASKED[rule.code] for rule in WORDED if rule.words.isdisjoint(module.words)]
            passed |= {rule.code for rule in rules}
            assert [(d.rule.code, d.hit.message) for d in detect(ctx, rules)] == []
    return passed


def project_of(files: dict[str, str]) -> Project:
    project = Project(".")
    for path, text in files.items():
        project.add(path, text, ast.parse(text))
    return project


def test_every_fixture():
    passed = set()
    for case in all_cases():
        for text in (case.before, case.after):
            if text is not None:
                passed |= silent(project_of({case.options["path"]: text, **case.others}))
    assert passed == set(ASKED)


@settings(max_examples=60)
@given(programs())
def test_generated_programs(program):
    text, _ = program
    assert silent(project_of({"source.py": text}))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("import a as b", None),
        ("a = 1", "a"),
        ("a.b", "b"),
        ("f(key=1)", "key"),
        ("f(**x)", "**"),
        ("def f(): ...", "f"),
        ("async def f(): ...", "f"),
        ("def f(x: 'A.b'): ...", "b"),
    ],
)
def test_what_a_file_spells(text, word):
    [module] = project_of({"source.py": text}).modules.values()
    assert word in module.words if word else not module.words


def test_a_rule_gets_only_the_attributes_that_it_names():
    seen = []

    class Watching(Rule):
        nodes = (ast.Attribute, ast.Call, ast.Module)
        attributes = frozenset({"b", "d"})

        def check(self, node, ctx):
            seen.append(ast.unparse(node))
            return ()

    project = project_of({"source.py": "a.b\nc.d()\ne.f.b"})
    [module] = project.modules.values()
    detect(context_for(project, module, Options()), [Watching()])
    assert seen == ["a.b", "e.f.b", "c.d", "c.d()", "a.b\nc.d()\ne.f.b"]
