"""Hand-built runners and queued tasks on a real 0.3.0 store."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.oracle


@pytest.fixture
def found(real):
    return real("runners")


def test_one_rollout_is_run_whatever_the_limit_of_the_runner(found):
    assert found["one"] == 1
    assert found["after one"] == 1


def test_rollouts_are_counted_those_that_fail_as_well(found):
    assert found["rest"] == 2
    assert found["states"] == {
        "0": "succeeded",
        "1": "failed",
        "2": "succeeded",
        "3": "queuing",
    }
    assert found["hooks left"] == 0


def test_tasks_are_queued_with_all_that_they_are_given(found):
    assert found["first"] == found["metadata"] == [True] * 4
    assert found["modes"] == ["train"]


def test_published_resources_are_the_latest(found):
    assert found["latest"]
