"""Polling, reporting and reading back on real 0.3.0 stores, near and across a server."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.oracle

STORES = ["memory", "server and client"]
TRIPLET = [[1], [2], 0.5]


@pytest.fixture(params=STORES)
def trips(request, real):
    return real("stores")[request.param]


@pytest.mark.parametrize(
    ("case", "reward", "triplets"),
    [
        ("float", 0.5, []),
        ("nothing", None, []),
        ("fields", 1.0, [TRIPLET]),
        ("report", 1.0, [TRIPLET]),
        ("triplets", 0.5, [TRIPLET]),
        ("trace", 0.25, []),
        ("spans", None, []),
        ("core fields", 0.5, []),
        ("failed", None, []),
    ],
)
def test_a_reported_result_is_read_back(trips, case, reward, triplets):
    trip = trips[case]
    assert trip["same"]
    assert trip["done"]["final_reward"] == reward
    assert trip["done"]["triplets"] == triplets
    assert trip["done"]["input"] == {"n": case}
    assert trip["done"]["mode"] == "train"
    status = "failed" if case == "failed" else "succeeded"
    assert trip["attempt"] == trip["done"]["status"] == status
    assert trip["done"]["has_trace"] == (case not in {"nothing", "failed"})


def test_a_claimed_rollout_is_running_under_the_workers_name(trips):
    assert trips["float"]["claimed"] == ["running", "running", "Worker-7"]
    assert trips["float"]["stored while running"] == "running"


@pytest.mark.parametrize("case", ["fields", "report"])
def test_metadata_and_logs_of_a_report_are_read_back(trips, case):
    assert trips[case]["done"]["metadata"] == {"a": 1, "b": 2}
    assert trips[case]["done"]["logs"] == ["x"]


def test_a_report_alone_finds_its_rollout(trips):
    assert trips["report only"]["final_reward"] == 1.0


def test_a_rollout_is_taken_once(trips):
    assert trips["taken again"] is None
    assert trips["drained after waits"] == []


def test_a_drain_gives_only_what_is_new(trips):
    first, second = trips["drains"]
    assert first >= 2
    assert second == 0


def test_each_store_object_has_a_drain_of_its_own(real):
    assert real("stores")["server and client"]["drained elsewhere"] > 2


def test_waits_end_in_time(trips):
    assert trips["poll timed out"] is None
    assert trips["looked once"] is None
    assert trips["wait timed out"] is None
    assert trips["not finished"] is None
    assert 0.5 <= trips["seconds"] < 3


def test_a_timeout_of_zero_waits_until_the_rollout_is_finished(trips):
    assert trips["woken"]["final_reward"] == 0.5


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("unknown wait", "LookupError"),
        ("unknown report", "LookupError"),
        ("unknown field", "TypeError"),
        ("nan", "ValueError"),
    ],
)
def test_what_can_never_work_raises(trips, case, error):
    assert trips[case] == error


def test_sync_code_polls_reports_and_waits(real):
    found = real("stores")["sync"]
    assert found["same"]
    assert found["done"]["final_reward"] == 0.75
