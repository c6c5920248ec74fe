"""Rollouts for code that calls an agent directly."""

from __future__ import annotations

import time
from typing import Any

from agentlightning_compat.legacy import target


def make_rollout(
    input: Any = None,
    *,
    rollout_id: str = "rollout-0",
    mode: str | None = None,
    resources_id: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> Any:
    """Return an `AttemptedRollout` as a runner would pass it, in its first attempt.

    For direct calls, mostly in tests: `agent.rollout(task, resources, make_rollout(task))`. No
    store knows it. `mode` is "train", "val", "test" or `None`.

    Raises:
        pydantic.ValidationError: another mode.
    """
    now = time.time()
    attempt = target.api("Attempt")(
        rollout_id=rollout_id,
        attempt_id="attempt-0",
        sequence_id=1,
        start_time=now,
        status="running",
    )
    return target.api("AttemptedRollout", attempt)(
        rollout_id=rollout_id,
        input=input,
        start_time=now,
        mode=mode,
        resources_id=resources_id,
        status="running",
        metadata=metadata,
        attempt=attempt,
    )
