"""Changes to function headers keep the layout."""

from __future__ import annotations

import pytest

from codemods.edit.ranges import Blocked
from codemods.edit.signatures import Parameter, SignatureEdit

NEW = [
    Parameter("self", was="self"),
    Parameter("task", was="task"),
    Parameter("resources", was="resources"),
    Parameter("rollout", was="rollout_id", annotation="Rollout"),
]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(self, task, rollout_id, resources):",
            "def f(self, task, resources, rollout: Rollout):",
        ),
        (
            "async def f(self, task: Any, rollout_id: str, resources: R) -> float:",
            "async def f(self, task: Any, resources: R, rollout: Rollout) -> float:",
        ),
        (
            "def f(\n    self,\n    task,  # what\n    rollout_id,\n    resources,\n):",
            "def f(\n    self,\n    task,  # what\n    resources,\n    rollout: Rollout,\n):",
        ),
        (
            "def f(\n    self, task, rollout_id, resources\n) -> float:",
            "def f(\n    self, task, resources, rollout: Rollout\n) -> float:",
        ),
        (
            "def f(self, task, rollout_id, resources, val=False):",
            "def f(self, task, resources, rollout: Rollout, val=False):",
        ),
        (
            "def f(self, task, rollout_id, resources, *, t=1.0, **more):",
            "def f(self, task, resources, rollout: Rollout, *, t=1.0, **more):",
        ),
    ],
)
def test_parameters_in_a_new_order(before: str, after: str) -> None:
    assert SignatureEdit().set_parameters(NEW)(before) == after


def test_name_async_and_returns() -> None:
    edit = SignatureEdit().rename("g").make_async().set_returns("float")
    assert edit("def f(x, y=1):  # why\n   ".rstrip()[:14]) == "async def g(x, y=1) -> float:"


def test_positional_only_parameters_are_left() -> None:
    with pytest.raises(Blocked):
        SignatureEdit().set_parameters(NEW)("def f(self, task, /, rollout_id, resources):")
