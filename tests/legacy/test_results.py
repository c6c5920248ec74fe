"""What agents returned under the legacy API, through `to_result`, on the real 0.3.0 runner."""

from __future__ import annotations

from typing import Any

import pytest

from agentlightning_compat.legacy import to_result

NOTHING: list[Any] = []
TWO_NONE = [[[10, 1, 2], [10, 3], None], [[20, 1, 2], [20, 3], None]]


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("case", "reward", "triplets"),
    [
        ("none", None, NOTHING),
        ("float", 0.5, NOTHING),
        ("int", 1.0, NOTHING),
        ("bool", 1.0, NOTHING),
        ("np.float64", 0.25, NOTHING),
        ("np.float32", 0.25, NOTHING),
        ("np.array of one", 0.25, NOTHING),
        ("empty list", None, NOTHING),
        ("string", None, NOTHING),
        ("dict", None, NOTHING),
        ("tuple", None, NOTHING),
        ("mixed list", None, NOTHING),
        (
            "triplets",
            0.3,
            [
                [[10, 1, 2], [10, 3], 0.1],
                [[20, 1, 2], [20, 3], None],
                [[30, 1, 2], [30, 3], 0.3],
            ],
        ),
        ("triplets without reward", None, TWO_NONE),
        ("report of a reward", 0.5, NOTHING),
        ("empty report", None, NOTHING),
        (
            "report of triplets",
            1.0,
            [[[10, 1, 2], [10, 3], 0.1], [[20, 1, 2], [20, 3], 1.0]],
        ),
        (
            "report of triplets with another end",
            1.0,
            [[[10, 1, 2], [10, 3], None], [[20, 1, 2], [20, 3], 0.5]],
        ),
        ("report with metadata and logs", 1.0, NOTHING),
        ("report of a trace", 1.0, [[[1, 2], [3], 0.25]]),
        ("report of a trace and its triplets", 0.5, [[[5], [6], 0.5]]),
        ("otel json", 0.25, [[[1, 2], [3], 0.25]]),
        ("dumped spans", None, [[[5], [6], None]]),
        ("spans of 0.2", 0.75, NOTHING),
        ("unknown dicts", None, NOTHING),
        ("core fields", 0.5, NOTHING),
        ("float after a traced call", 0.5, [[[7], [8], 0.5]]),
        ("triplets after a traced call", None, [[[7], [8], None]]),
        ("the tracer's own trace", 0.5, NOTHING),
    ],
)
def test_the_real_runner_stores_what_was_returned(real, case, reward, triplets):
    found = real("results")[case]
    assert found.get("status") == "succeeded", found
    assert found["reward"] == reward
    assert found["triplets"] == triplets


@pytest.mark.oracle
def test_the_agent_of_a_triplet_can_still_be_matched(real):
    found = real("results")["triplets of agents"]
    # Both have one response id, which the adapter would take for one call traced twice.
    assert [prompt for prompt, _, _ in found["triplets"]] == [[10, 1, 2], [20, 1, 2]]
    assert found["writers"] == [[10, 1, 2]]


@pytest.mark.oracle
@pytest.mark.parametrize("case", ["report of a trace", "otel json"])
def test_a_dict_trace_keeps_its_tree(real, case):
    found = real("results")[case]
    assert found["parents"][:4] == [None, f"{1:016x}", f"{2:016x}", f"{1:016x}"]
    assert found["writers"] == [[1, 2]]


@pytest.mark.oracle
def test_what_the_tracer_stored_is_not_stored_twice(real):
    assert real("results")["the tracer's own trace"]["names"].count("step") == 1


@pytest.mark.oracle
def test_a_dict_that_is_no_span_is_kept(real):
    assert real("results")["unknown dicts"]["names"] == ["agentlightning.object"]


@pytest.mark.oracle
@pytest.mark.parametrize("case", ["nan", "infinite triplet"])
def test_a_reward_that_is_not_finite_fails_the_attempt(real, case):
    assert "reward is not a finite number" in real("results")[case]["error"]


@pytest.mark.oracle
@pytest.mark.parametrize("shown", ["str 'done'", "dict {'reward': 1.0}", "tuple (1.0, 'x')"])
def test_an_ignored_value_is_named_with_the_users_line(real, shown):
    log = real("results")["log"]
    line = next(line for line in log.splitlines() if f"the rollout returned {shown}" in line)
    assert "real/results.py:" in line


def test_an_ignored_value_is_logged_once_per_line(caplog):
    for _ in range(3):
        assert to_result("done") is None
    assert len(caplog.records) == 1
    assert "test_results.py" in caplog.records[0].getMessage()


def test_nan_names_the_users_line():
    with pytest.raises(ValueError, match=r"test_results\.py:\d+: reward is not a finite number"):
        to_result(float("nan"))
