"""What importing the helpers costs, and where they take their classes from."""

from __future__ import annotations

import subprocess
import sys

import pytest

import agentlightning_compat
from agentlightning_compat import legacy
from agentlightning_compat.legacy import dev_resources, dev_tasks, target

_HEAVY = """
import sys
import agentlightning_compat.legacy as legacy
for name in legacy.__all__:
    getattr(legacy, name)
heavy = {"agentlightning", "pydantic", "opentelemetry"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_importing_the_helpers_is_light():
    run = subprocess.run(
        [sys.executable, "-c", _HEAVY], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr


def test_every_public_name_resolves():
    assert dir(legacy) == sorted(legacy.__all__)
    for name in legacy.__all__:
        assert getattr(legacy, name).__name__ == name
    for name in agentlightning_compat.__all__:
        assert getattr(agentlightning_compat, name) is not None


@pytest.mark.parametrize("module", [agentlightning_compat, legacy])
def test_an_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense


@pytest.mark.parametrize(
    ("module", "root"),
    [
        ("agentlightning.types.core", "agentlightning"),
        ("agentlightning_compat.model", "agentlightning_compat"),
        ("agentlightning_compat.legacy.completed", None),
        ("agentlightning_of_mine", None),
    ],
)
def test_the_package_is_told_by_the_class_of_an_object(module, root):
    base = type("Base", (), {"__module__": module})
    mine = type("Mine", (base,), {"__module__": "app"})
    assert target.root_of(mine()) == root
    assert target.root_of(mine) == root


def test_without_any_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "agentlightning", None)
    with pytest.raises(ImportError, match=r"agentlightning>=0\.3,<1\.0"):
        target.api("NoSuchName")


class Task:
    def __init__(self, input: object) -> None:
        self.input = input


def test_tasks_are_unwrapped_and_inputs_are_not():
    assert dev_tasks([Task(1), Task(2)]) == [1, 2]
    assert dev_tasks(({"q": 1},)) == [{"q": 1}]


@pytest.mark.parametrize("tasks", [[], [Task(1), 2]])
def test_a_list_that_the_loader_refused_is_refused(tasks):
    with pytest.raises(ValueError, match=r"no task to run|all Task objects"):
        dev_tasks(tasks)


@pytest.mark.parametrize("source", [None, 3, "text", {"a": 1}])
def test_what_is_no_loader_is_refused(source):
    with pytest.raises(TypeError, match="DevTaskLoader"):
        dev_tasks(source)


@pytest.mark.parametrize("source", [None, 3, [1]])
def test_what_has_no_resources_is_refused(source):
    with pytest.raises(TypeError, match="named resources"):
        dev_resources(source)
