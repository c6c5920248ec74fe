"""What goes over the wire of the legacy protocol, of whichever release the other side is."""

from __future__ import annotations

import time
from typing import Any

from pydantic import ValidationError

from agentlightning_compat.errors import InternalError
from agentlightning_compat.model import ResourcesUpdate, RolloutLegacy, Task, TaskIfAny


def task_of(answer: Any) -> Task | None:
    """The task in the answer to a poll.

    Raises:
        InternalError: it is no such answer.
    """
    try:
        polled = TaskIfAny.model_validate(answer)
    except ValidationError as error:
        raise InternalError(f"the server's answer is no task: {error}") from error
    return polled.task if polled.is_available else None


def resources_of(answer: Any) -> ResourcesUpdate:
    """A set of resources; servers before 0.3 tell neither its times nor its version.

    Raises:
        InternalError: it is no set of resources.
    """
    now = time.time()
    untold = {"create_time": now, "update_time": now, "version": 1}
    try:
        return ResourcesUpdate.model_validate({**untold, **answer})
    except (ValidationError, TypeError) as error:
        raise InternalError(f"the server's answer is no set of resources: {error}") from error


def report_json(report: RolloutLegacy) -> dict[str, Any]:
    """A result as it is posted."""
    payload: dict[str, Any] = report.model_dump(mode="json")
    return payload
