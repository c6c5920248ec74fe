"""How rollouts and attempts move. Pure: values in, `now` in seconds in, new values out."""

from __future__ import annotations

from math import isfinite
from typing import Any

from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    ConfigRecord,
    Pair,
    RolloutRecord,
)
from agentlightning_compat.model.rollouts import FINISHED, QUEUING, RUNNING


def in_queue(rollout: RolloutRecord) -> bool:
    """Whether a claimant may have it."""
    return rollout.status in QUEUING


def is_finished(rollout: RolloutRecord) -> bool:
    """Whether it has its result; it moves again only when told to."""
    return rollout.status in FINISHED


def is_latest(rollout: RolloutRecord, attempt: AttemptRecord) -> bool:
    """Only the latest attempt speaks for its rollout."""
    return attempt.sequence_id == rollout.attempts


def last_sign(attempt: AttemptRecord) -> float:
    """When it was last heard of: its last heartbeat, or its beginning."""
    seen = attempt.last_heartbeat_time
    return attempt.start_time if seen is None else seen


def deadline(config: ConfigRecord, attempt: AttemptRecord) -> float | None:
    """The last moment at which the attempt, if nothing more is heard of it, is not lost."""
    if config.timeout_seconds is None and config.unresponsive_seconds is None:
        return None
    limits = (
        (attempt.start_time, config.timeout_seconds),
        (last_sign(attempt), config.unresponsive_seconds),
    )
    ends = [start + limit for start, limit in limits if limit is not None and isfinite(limit)]
    return min(ends) if ends else None


def claim(rollout: RolloutRecord, attempt_id: str, worker_id: str | None, now: float) -> Pair:
    """Start the next attempt, whatever the rollout was doing before."""
    sequence_id = rollout.attempts + 1
    attempt = AttemptRecord(
        rollout.rollout_id, attempt_id, sequence_id, now, None, "preparing", worker_id
    )
    return Pair(
        rollout._replace(
            status="preparing",
            end_time=None,
            attempts=sequence_id,
            check_at=deadline(rollout.config, attempt),
        ),
        attempt,
    )


def span_stored(rollout: RolloutRecord, attempt: AttemptRecord, now: float) -> Pair:
    """A new span is a sign of life.

    An attempt that was only silent comes back, and takes its rollout out of the queue if nobody
    else has claimed it yet. One that ran out of time does not.
    """
    awakes = attempt.status in ("preparing", "unresponsive")
    status = "running" if awakes else attempt.status
    # Written out: this is the most frequent event of all, and `_replace` takes five times as long.
    of, attempt_id, sequence_id, start, end, _, worker_id, _, metadata = attempt
    alive = AttemptRecord(of, attempt_id, sequence_id, start, end, status, worker_id, now, metadata)
    if status == "running" and sequence_id == rollout.attempts:
        if rollout.status == "preparing" or (awakes and rollout.status == "requeuing"):
            rollout = _moved(rollout, "running", alive, now)
        elif rollout.status == "running" and (awakes or now < last_sign(attempt)):
            # Nobody watched an attempt that was lost; if the clock was set back, it is due earlier.
            rollout = _moved(rollout, "running", alive, now)
    return Pair(rollout, alive)


def attempt_updated(pair: Pair, changes: dict[str, Any], now: float) -> Pair:
    """Write the changed fields; a status of the latest attempt moves its rollout.

    A cancelled rollout stays cancelled, whatever its attempt reports.
    """
    rollout, attempt = pair
    if "status" in changes:
        ended = changes["status"] in ("failed", "succeeded")
        attempt = attempt._replace(end_time=now if ended else None, **changes)
    else:
        attempt = attempt._replace(**changes)
    if not is_latest(rollout, attempt):
        return Pair(rollout, attempt)
    if "status" in changes and rollout.status != "cancelled":
        rollout = _moved(rollout, outcome(rollout.config, attempt), attempt, now)
    elif rollout.status in RUNNING and attempt.status in RUNNING:
        rollout = rollout._replace(check_at=deadline(rollout.config, attempt))
    return Pair(rollout, attempt)


def outcome(config: ConfigRecord, attempt: AttemptRecord) -> str:
    """What the status of its latest attempt makes of a rollout."""
    if attempt.status in RUNNING or attempt.status == "succeeded":
        return attempt.status
    again = attempt.status in config.retry_condition and attempt.sequence_id < config.max_attempts
    return "requeuing" if again else "failed"


def overdue(rollout: RolloutRecord, attempt: AttemptRecord, now: float) -> Pair | None:
    """The latest attempt lost, if its time is over; None when there is nothing to change."""
    if rollout.status not in RUNNING:
        return None
    lost = _lost_as(rollout.config, attempt, now) if attempt.status in RUNNING else None
    if lost is not None:
        attempt = attempt._replace(status=lost)
        return Pair(_moved(rollout, outcome(rollout.config, attempt), attempt, now), attempt)
    check_at = deadline(rollout.config, attempt) if attempt.status in RUNNING else None
    if check_at == rollout.check_at:
        return None
    return Pair(rollout._replace(check_at=check_at), attempt)


def rollout_updated(
    rollout: RolloutRecord, latest: AttemptRecord | None, changes: dict[str, Any], now: float
) -> RolloutRecord:
    """Write the changed fields; every status may be set from every other."""
    status = changes.get("status", rollout.status)
    rollout = rollout._replace(**changes)
    if "status" in changes:
        rollout = rollout._replace(end_time=now if status in FINISHED else None)
    watched = latest is not None and status in RUNNING and latest.status in RUNNING
    check_at = deadline(rollout.config, latest) if watched and latest is not None else None
    return rollout._replace(check_at=check_at)


def _moved(rollout: RolloutRecord, to: str, attempt: AttemptRecord, now: float) -> RolloutRecord:
    check_at = deadline(rollout.config, attempt) if to in RUNNING else None
    if to == rollout.status:
        return rollout if check_at == rollout.check_at else rollout._replace(check_at=check_at)
    end_time = now if to in FINISHED else None
    return rollout._replace(status=to, end_time=end_time, check_at=check_at)


def _lost_as(config: ConfigRecord, attempt: AttemptRecord, now: float) -> str | None:
    limit = config.timeout_seconds
    if limit is not None and attempt.start_time + limit < now:
        return "timeout"
    limit = config.unresponsive_seconds
    if limit is not None and last_sign(attempt) + limit < now:
        return "unresponsive"
    return None
