"""Modules of the standard library imported where a person would import them."""

from __future__ import annotations

import ast

import pytest

from codemods.edit.imports import ImportPlan
from codemods.edit.ranges import EditSet
from codemods.names.module import Module


def _with_asyncio(source: str) -> tuple[str, str]:
    module = Module("m.py", source, ast.parse(source))
    plan = ImportPlan(module)
    local = plan.need_module("asyncio", module.tree.body[-1])
    edits = EditSet()
    edits.add(plan.edits(ast.parse(f"{source}\n{local}.run()\n")))
    return edits.apply(source), local


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nx = 1\n", "import asyncio\nimport os\nx = 1\n"),
        (
            "import abc\nfrom os import path\nx = 1\n",
            "import abc\nimport asyncio\nfrom os import path\nx = 1\n",
        ),
        ("from os import path\nx = 1\n", "import asyncio\nfrom os import path\nx = 1\n"),
        ('"""Doc."""\nx = 1\n', '"""Doc."""\nimport asyncio\n\nx = 1\n'),
        (
            "from __future__ import annotations\r\n\r\nfrom agentlightning import Task\r\nx = Task\r\n",
            "from __future__ import annotations\r\n\r\nimport asyncio\r\n\r\nfrom agentlightning import Task\r\nx = Task\r\n",
        ),
        ("import yaml\nimport os\nx = 1\n", "import asyncio\n\nimport yaml\nimport os\nx = 1\n"),
    ],
)
def test_a_module_goes_to_the_standard_library(before: str, after: str) -> None:
    assert _with_asyncio(before) == (after, "asyncio")


def test_an_import_that_is_there_is_used() -> None:
    source = "import asyncio as aio\nx = 1\n"
    assert _with_asyncio(source) == (source, "aio")


def test_a_name_that_is_taken_is_not_shadowed() -> None:
    text, local = _with_asyncio("from mine import asyncio\nx = asyncio\n")
    assert text == f"import asyncio as {local}\n\nfrom mine import asyncio\nx = asyncio\n"
    assert local != "asyncio"
