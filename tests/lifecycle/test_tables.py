"""The state machine as tables: event, state before, state after."""

from __future__ import annotations

import pytest

from agentlightning_compat.lifecycle import rollouts as machine
from agentlightning_compat.lifecycle import workers
from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    ConfigRecord,
    Pair,
    RolloutRecord,
    WorkerRecord,
)

NOW = 1000.0


def pair(rollout: str, attempt: str, *, latest: bool = True, **config: object) -> Pair:
    ended = 900.0 if rollout in ("failed", "succeeded", "cancelled") else None
    record = RolloutRecord(
        "r", None, 800.0, ended, status=rollout, config=ConfigRecord(**config), attempts=1
    )
    if not latest:
        record = record._replace(attempts=2)
    return Pair(record, AttemptRecord("r", "a", 1, 850.0, status=attempt, worker_id="w"))


ATTEMPT_AFTER_SPAN = {
    "preparing": "running",
    "running": "running",
    "unresponsive": "running",
    "timeout": "timeout",
    "failed": "failed",
    "succeeded": "succeeded",
}


@pytest.mark.parametrize(("before", "after"), ATTEMPT_AFTER_SPAN.items())
def test_a_span_is_a_sign_of_life(before, after):
    moved = machine.span_stored(*pair("cancelled", before), NOW)
    assert (moved.attempt.status, moved.attempt.last_heartbeat_time) == (after, NOW)
    assert moved.rollout.status == "cancelled"


@pytest.mark.parametrize(
    ("rollout", "attempt", "after"),
    [
        ("preparing", "preparing", "running"),
        ("preparing", "running", "running"),
        ("preparing", "timeout", "preparing"),
        ("running", "running", "running"),
        ("requeuing", "unresponsive", "running"),
        ("requeuing", "preparing", "running"),
        ("requeuing", "timeout", "requeuing"),
        ("requeuing", "failed", "requeuing"),
        ("requeuing", "running", "requeuing"),
        ("queuing", "preparing", "queuing"),
        ("queuing", "running", "queuing"),
        ("failed", "unresponsive", "failed"),
        ("succeeded", "succeeded", "succeeded"),
        ("cancelled", "preparing", "cancelled"),
    ],
)
def test_what_a_span_does_to_the_rollout(rollout, attempt, after):
    assert machine.span_stored(*pair(rollout, attempt), NOW).rollout.status == after
    older = machine.span_stored(*pair(rollout, attempt, latest=False), NOW)
    assert older.rollout.status == rollout


@pytest.mark.parametrize("before", ["queuing", "preparing", "requeuing", "failed", "succeeded"])
@pytest.mark.parametrize(
    ("status", "config", "after"),
    [
        ("preparing", {}, "preparing"),
        ("running", {}, "running"),
        ("succeeded", {}, "succeeded"),
        ("failed", {}, "failed"),
        ("timeout", {}, "failed"),
        ("failed", {"max_attempts": 2}, "failed"),
        ("failed", {"retry_condition": ("failed",)}, "failed"),
        ("failed", {"retry_condition": ("failed",), "max_attempts": 2}, "requeuing"),
        ("timeout", {"retry_condition": ("failed",), "max_attempts": 2}, "failed"),
        ("unresponsive", {"retry_condition": ("unresponsive",), "max_attempts": 9}, "requeuing"),
    ],
)
def test_what_a_report_does_to_the_rollout(before, status, config, after):
    changes = {"status": status}
    moved = machine.attempt_updated(pair(before, "running", **config), changes, NOW)
    assert (moved.rollout.status, moved.attempt.status) == (after, status)
    finished = after in ("failed", "succeeded")
    assert (moved.rollout.end_time is not None) == finished
    assert (moved.attempt.end_time is not None) == (status in ("failed", "succeeded"))
    older = pair(before, "running", latest=False, **config)
    assert machine.attempt_updated(older, changes, NOW).rollout == older.rollout


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "timeout"])
def test_a_report_does_not_undo_a_cancellation(status):
    before = pair("cancelled", "running", max_attempts=3, retry_condition=("failed", "timeout"))
    moved = machine.attempt_updated(before, {"status": status}, NOW)
    assert moved.rollout == before.rollout
    assert moved.attempt.status == status


def test_a_note_moves_nothing():
    for status in ("cancelled", "failed", "requeuing", "running"):
        before = pair(status, "failed")
        moved = machine.attempt_updated(before, {"metadata": {"a": 1}}, NOW)
        assert moved.rollout.status == status
        assert moved.attempt == before.attempt._replace(metadata={"a": 1})


@pytest.mark.parametrize("status", ["queuing", "requeuing", "running", "failed", "cancelled"])
def test_a_claim_is_the_next_attempt(status):
    rollout, _ = pair(status, "failed", timeout_seconds=5)
    claimed = machine.claim(rollout, "a2", "w2", NOW)
    assert (claimed.rollout.status, claimed.rollout.end_time) == ("preparing", None)
    assert (claimed.rollout.attempts, claimed.rollout.check_at) == (2, NOW + 5)
    assert claimed.attempt == AttemptRecord("r", "a2", 2, NOW, worker_id="w2")


@pytest.mark.parametrize(
    ("config", "heard", "lost"),
    [
        ({}, None, None),
        ({"timeout_seconds": 150}, None, None),
        ({"timeout_seconds": 149}, None, "timeout"),
        ({"timeout_seconds": 149}, 999.0, "timeout"),
        ({"unresponsive_seconds": 150}, None, None),
        ({"unresponsive_seconds": 149}, None, "unresponsive"),
        ({"unresponsive_seconds": 149}, 999.0, None),
        ({"unresponsive_seconds": 1}, 999.0, None),
        ({"unresponsive_seconds": 0.5}, 999.0, "unresponsive"),
        ({"timeout_seconds": 1, "unresponsive_seconds": 1}, None, "timeout"),
        ({"timeout_seconds": float("nan")}, None, None),
        ({"timeout_seconds": float("inf")}, None, None),
    ],
)
def test_when_an_attempt_is_lost(config, heard, lost):
    rollout, attempt = pair("running", "running", **config)
    attempt = attempt._replace(last_heartbeat_time=heard)
    due = machine.deadline(rollout.config, attempt)
    after = machine.overdue(rollout._replace(check_at=due), attempt, NOW)
    assert (after.attempt.status if after else None) == lost
    assert (due is not None and due < NOW) == (lost is not None)
    if after:
        assert after.rollout.status == "failed"
        assert after.attempt.end_time is None


def test_a_clock_that_was_set_back_makes_it_due_earlier():
    rollout, attempt = pair("preparing", "preparing", unresponsive_seconds=10)
    first = machine.span_stored(rollout, attempt, NOW)
    assert first.rollout.check_at == NOW + 10
    second = machine.span_stored(*first, NOW - 60)
    assert second.rollout.check_at == NOW - 50
    third = machine.span_stored(*second, NOW)
    assert third.rollout.check_at == NOW - 50
    unheard = pair("running", "preparing", unresponsive_seconds=10)
    assert machine.span_stored(*unheard, 840.0).rollout.check_at == 850.0


def test_an_attempt_that_comes_back_is_watched_again():
    lost = pair("running", "unresponsive", unresponsive_seconds=10)
    assert machine.span_stored(*lost, NOW).rollout.check_at == NOW + 10


@pytest.mark.parametrize("rollout", ["queuing", "requeuing", "failed", "succeeded", "cancelled"])
def test_only_what_is_worked_on_is_lost(rollout):
    assert machine.overdue(*pair(rollout, "running", timeout_seconds=1), NOW) is None


@pytest.mark.parametrize("attempt", ["unresponsive", "timeout", "failed", "succeeded"])
def test_only_live_attempts_are_lost(attempt):
    rollout, record = pair("running", attempt, timeout_seconds=1)
    after = machine.overdue(rollout._replace(check_at=851.0), record, NOW)
    assert after is not None
    assert (after.attempt.status, after.rollout.status) == (attempt, "running")
    assert after.rollout.check_at is None


@pytest.mark.parametrize(
    ("status", "worker"),
    [
        ("preparing", "busy"),
        ("running", "busy"),
        ("succeeded", "idle"),
        ("failed", "idle"),
        ("timeout", "unknown"),
        ("unresponsive", "unknown"),
    ],
)
def test_what_a_report_does_to_the_worker(status, worker):
    _, attempt = pair("running", status)
    before = WorkerRecord("w", "busy", current_rollout_id="r", current_attempt_id="a")
    after = workers.heard(before, attempt, NOW)
    assert after.status == worker
    assert after.current_attempt_id == ("a" if worker == "busy" else None)
    assert (after.last_busy_time, after.last_idle_time) == (
        (NOW, None) if worker == "busy" else (None, NOW)
    )
    elsewhere = before._replace(current_attempt_id="other")
    if worker != "busy":
        assert workers.heard(elsewhere, attempt, NOW) == elsewhere
