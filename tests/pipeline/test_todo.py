"""Where TODO lines go."""

import ast

import pytest

import codemods.todo
from codemods.edit.ranges import EditSet
from codemods.project import Project


def marked(text, *marks):
    """`text` with a TODO for each place where one of `marks` stands."""
    module = Project(".").add("a.py", text, ast.parse(text))
    left = [codemods.todo.Left(text.index(mark), "AGL999", "do it") for mark in marks]
    edits = EditSet()
    edits.add(codemods.todo.edits(module, left))
    return edits.apply(text)


TODO = "# TODO(agl-migrate AGL999): do it"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("HERE\n", f"{TODO}\nHERE\n"),
        ("x = (\n    HERE\n)\n", f"{TODO}\nx = (\n    HERE\n)\n"),
        ("if x:\n    HERE\n", f"if x:\n    {TODO}\n    HERE\n"),
        ("if x: HERE\n", f"{TODO}\nif x: HERE\n"),
        ("if x:\n\ty; HERE\n", f"if x:\n\t{TODO}\n\ty; HERE\n"),
        ("x = 1; \\\nHERE\n", f"{TODO}\nx = 1; \\\nHERE\n"),
        ("@HERE\ndef f():\n    pass\n", f"{TODO}\n@HERE\ndef f():\n    pass\n"),
        ("@a\n@HERE\ndef f(): pass\n", f"{TODO}\n@a\n@HERE\ndef f(): pass\n"),
        (
            "if x:\n    pass\nelif HERE:\n    pass\n",
            f"if x:\n    pass\n{TODO}\nelif HERE:\n    pass\n",
        ),
        (
            "try:\n    x\nexcept HERE:\n    pass\n",
            f"{TODO}\ntry:\n    x\nexcept HERE:\n    pass\n",
        ),
        ('"""\nHERE\n"""\n', f'{TODO}\n"""\nHERE\n"""\n'),
        ("# HERE\nx = 1\n", f"# HERE\n{TODO}\nx = 1\n"),
        ("x = 1\r\nHERE\r\n", f"x = 1\r\n{TODO}\r\nHERE\r\n"),
        ("x = 1\nHERE", f"x = 1\n{TODO}\nHERE"),
        ("# HERE\n", "# HERE\n"),
    ],
)
def test_the_line_above_the_statement(before, after):
    result = marked(before, "HERE")
    assert result == after
    ast.parse(result)


def test_one_line_for_several_findings_of_one_rule():
    assert marked("f(ONE, TWO)\n", "ONE", "TWO") == f"{TODO}\nf(ONE, TWO)\n"


def test_a_line_that_is_there_is_not_repeated():
    text = f"if x:\n    {TODO.replace('do it', 'other words')}\n    # a note\n    HERE\n"
    assert marked(text, "HERE") == text


def test_the_line_of_another_rule_does_not_count():
    other = TODO.replace("999", "998")
    assert marked(f"{other}\nHERE\n", "HERE") == f"{other}\n{TODO}\nHERE\n"


def test_advice_of_several_lines_becomes_one():
    text = "HERE\n"
    module = Project(".").add("a.py", text, ast.parse(text))
    [edit] = codemods.todo.edits(module, [codemods.todo.Left(0, "AGL1", "do\n  this")])
    assert edit.transform("") == "# TODO(agl-migrate AGL1): do this\n"
