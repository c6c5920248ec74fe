"""Types that are written as strings: found, placed, and told apart from data."""

from __future__ import annotations

import ast

import pytest

from codemods.names.module import Module


def quoted_names(text: str) -> list[str]:
    """The names inside the strings of a file, each read back from the place it is said to have."""
    module = Module("/m.py", text, ast.parse(text))
    nodes = [n for kind in (ast.Name, ast.Attribute) for n in module.table.nodes.get(kind, ())]
    inside = [n for n in nodes if module.enclosing(n, ast.Constant) is not None]
    return sorted(module.source(n) for n in inside)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('x: "Task" = None\n', ["Task"]),
        (
            "def f(a: 'é.Task', b: r'Task') -> 'List[Task]': ...\n",
            "List Task Task é é.Task".split(),
        ),
        ('x: "Optional[agl.Rollout]"\n', ["Optional", "agl", "agl.Rollout"]),
        ('ö = 1; y: Dict[str, "Task | None"]\n', ["Task"]),
        ('y = cast("Task", value)\n', ["Task"]),
        ('T = TypeVar("T", bound="Task")\n', ["Task"]),
        ('N = NewType("N", "Task")\n', ["Task"]),
        ('Handler = Callable[["Task"], "Reply"]\n', ["Reply", "Task"]),
        ('x: Annotated["Task", "words"]\n', ["Task"]),
    ],
)
def test_names_in_types_have_their_places(text: str, names: list[str]) -> None:
    assert quoted_names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        'x: Literal["Task"]\n',
        'x: Annotated[int, "Task"]\n',
        'x: Annotated[int, Field("Task", default="Task")]\n',
        'x = "Task"\n',
        'y = cast(Task, "Task")\n',
        'N = NewType("N", int)\n',
        'x = table["Task"]\n',
    ],
)
def test_strings_that_are_data_have_no_names(text: str) -> None:
    assert quoted_names(text) == []


@pytest.mark.parametrize(
    "annotation", ['"Ta" "sk"', '"\\x54ask"', '"""Task"""', '"not a type"', "\"List['Task']\""]
)
def test_types_whose_places_cannot_be_told_are_kept_apart(annotation: str) -> None:
    text = f"x: {annotation}\n"
    module = Module("/m.py", text, ast.parse(text))
    assert quoted_names(text) == []
    assert len(module.table.unread_annotations) == 1
