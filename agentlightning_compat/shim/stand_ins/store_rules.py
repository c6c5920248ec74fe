"""The rules of rollouts and attempts, for those who write stores and look at them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    AttemptStatus,
    Rollout,
    RolloutConfig,
    RolloutStatus,
)

API_V1_PREFIX = "/v1"
API_AGL_PREFIX = "/agl"
API_V1_AGL_PREFIX = f"{API_V1_PREFIX}{API_AGL_PREFIX}"


def is_queuing(rollout: Rollout) -> bool:
    """Whether it waits for a runner."""
    return rollout.status in ("queuing", "requeuing")


def is_running(rollout: Rollout) -> bool:
    """Whether a runner has it."""
    return rollout.status in ("preparing", "running")


async def rollout_status_from_attempt(attempt: Attempt, config: RolloutConfig) -> RolloutStatus:
    """What becomes of a rollout by the status of its latest attempt."""
    status = attempt.status
    if status in ("preparing", "running", "succeeded"):
        return status
    again = status in config.retry_condition and attempt.sequence_id < config.max_attempts
    return "requeuing" if again else "failed"


async def scan_unhealthy_rollouts(
    rollouts: Sequence[AttemptedRollout],
) -> dict[tuple[str, str], AttemptStatus]:
    """The attempts that took too long or were silent for too long, with the status they get."""
    now = time.time()
    found = {
        (rollout.rollout_id, rollout.attempt.attempt_id): _health(rollout, now)
        for rollout in rollouts
    }
    return {key: status for key, status in found.items() if status is not None}


def _health(rollout: AttemptedRollout, now: float) -> AttemptStatus | None:
    config, attempt = rollout.config, rollout.attempt
    if config.timeout_seconds is not None and now - attempt.start_time > config.timeout_seconds:
        return "timeout"
    heard = attempt.last_heartbeat_time or attempt.start_time
    if config.unresponsive_seconds is not None and now - heard > config.unresponsive_seconds:
        return "unresponsive"
    return None
