"""Imports that one rewrite asks for and another makes needless."""

from __future__ import annotations

import ast

import pytest

from codemods.edit.import_statement import rewrite_from
from codemods.edit.imported import ImportedName
from codemods.edit.imports import ImportPlan
from codemods.edit.ranges import EditSet
from codemods.names.module import Module

SOURCE = "from agentlightning import Task\n\nprint(Task)\n"


def _imports(rewritten: str) -> str:
    module = Module("m.py", SOURCE, ast.parse(SOURCE))
    plan = ImportPlan(module)
    node = module.table.nodes[ast.Name][-1]
    assert plan.need("agentlightning.Span", node) == "Span"
    edits = EditSet()
    edits.add(plan.edits(ast.parse(rewritten)))
    return edits.apply(SOURCE).splitlines()[0]


def test_a_needed_name_is_imported() -> None:
    assert _imports(SOURCE + "Span()\n") == "from agentlightning import Span, Task"


def test_a_needed_name_that_is_gone_from_the_result_is_not() -> None:
    assert _imports(SOURCE) == "from agentlightning import Task"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("LLM, Task, configure", "LLM, LitAgent, Task, configure"),  # by type, as isort does
        ("Adapter, LLM", "Adapter, LLM, LitAgent"),  # by character
        ("b, a", "b, a, LitAgent"),
    ],
)
def test_a_new_name_goes_where_the_names_are_sorted_to(names: str, expected: str) -> None:
    text = rewrite_from(
        f"from agentlightning import {names}",
        "agentlightning",
        {i: ImportedName(n, None) for i, n in enumerate(names.split(", "))},
        [ImportedName("LitAgent", None)],
    )
    assert text == f"from agentlightning import {expected}"
