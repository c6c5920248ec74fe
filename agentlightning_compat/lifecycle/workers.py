"""How workers move: what they claim, what becomes of it, when they are heard. Pure."""

from __future__ import annotations

from agentlightning_compat.lifecycle.records import AttemptRecord, WorkerRecord

_STATUS_AFTER = {
    "succeeded": "idle",
    "failed": "idle",
    "timeout": "unknown",
    "unresponsive": "unknown",
    "preparing": "busy",
    "running": "busy",
}


def claimed(worker: WorkerRecord, attempt: AttemptRecord, now: float) -> WorkerRecord:
    """It works on the attempt from now on."""
    return worker._replace(
        status="busy",
        last_busy_time=now,
        current_rollout_id=attempt.rollout_id,
        current_attempt_id=attempt.attempt_id,
    )


def given(worker: WorkerRecord, attempt: AttemptRecord, now: float) -> WorkerRecord:
    """It asked for work and was given the attempt."""
    return worker._replace(
        status="busy",
        last_dequeue_time=now,
        last_busy_time=now,
        current_rollout_id=attempt.rollout_id,
        current_attempt_id=attempt.attempt_id,
    )


def found_nothing(worker: WorkerRecord, now: float) -> WorkerRecord:
    """It asked for work and there was none."""
    if worker.status == "idle":
        return worker._replace(last_dequeue_time=now)
    return worker._replace(status="idle", last_dequeue_time=now, last_idle_time=now)


def heard(worker: WorkerRecord, attempt: AttemptRecord, now: float) -> WorkerRecord:
    """The status of an attempt of it was reported, or found out.

    The end of an attempt says nothing about a worker that has gone on to another one.
    """
    status = _STATUS_AFTER[attempt.status]
    if status == "busy":
        return claimed(worker, attempt, now)
    current = (worker.current_rollout_id, worker.current_attempt_id)
    if worker.current_attempt_id and current != (attempt.rollout_id, attempt.attempt_id):
        return worker
    return worker._replace(
        status=status, last_idle_time=now, current_rollout_id=None, current_attempt_id=None
    )
