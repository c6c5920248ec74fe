"""`DevTaskLoader`: a client that has its tasks with it and needs no server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from agentlightning_compat import usage
from agentlightning_compat.legacy.client import ADVICE, AgentLightningClient
from agentlightning_compat.model import (
    NamedResources,
    ResourcesUpdate,
    RolloutLegacy,
    Task,
    TaskInput,
)

_PATH = "agentlightning.client.DevTaskLoader"


class DevTaskLoader(AgentLightningClient):
    """Hands out the same tasks over and over, and keeps the results in `rollouts`.

    Raises:
        ValueError: there are no tasks, or only some of them are `Task` objects.
    """

    def __init__(
        self,
        tasks: Sequence[TaskInput] | Sequence[Task],
        resources: NamedResources | ResourcesUpdate,
        **kwargs: Any,
    ) -> None:
        usage.note_call(_PATH, ADVICE)
        super().__init__(endpoint="local://", **kwargs)
        self._tasks = list(tasks)
        if not self._tasks:
            raise ValueError("DevTaskLoader has nothing to hand out: tasks is empty")
        are_tasks = {isinstance(task, Task) for task in self._tasks}
        if len(are_tasks) > 1:
            raise ValueError("tasks must be all Task objects, or all plain inputs")
        now = time.time()
        self._resources_update = (
            resources
            if isinstance(resources, ResourcesUpdate)
            else ResourcesUpdate(
                resources_id="local",
                create_time=now,
                update_time=now,
                version=1,
                resources=resources,
            )
        )
        self._task_index = 0
        self._rollouts: list[RolloutLegacy] = []

    @property
    def rollouts(self) -> list[RolloutLegacy]:
        """The results that were posted."""
        return self._rollouts

    def poll_next_task(self) -> Task:
        """The next of the tasks, the first again after the last."""
        usage.note_call(f"{_PATH}.poll_next_task", ADVICE)
        index = self._task_index % len(self._tasks)
        self._task_index = index + 1
        item = self._tasks[index]
        task = item if isinstance(item, Task) else self._task(index, item)
        self._received(task)
        return task

    def _task(self, index: int, item: TaskInput) -> Task:
        return Task(
            rollout_id=f"local_task_{index + 1:03d}",
            input=item,
            resources_id=self._resources_update.resources_id,
            create_time=time.time(),
        )

    def get_resources_by_id(self, resource_id: str) -> ResourcesUpdate | None:
        """The resources.

        Raises:
            ValueError: others are asked for.
        """
        usage.note_call(f"{_PATH}.get_resources_by_id", ADVICE)
        known = self._resources_update.resources_id
        if resource_id != known:
            raise ValueError(f"DevTaskLoader has resources {known!r} only, not {resource_id!r}")
        return self._resources_update

    def get_latest_resources(self) -> ResourcesUpdate | None:
        """The resources."""
        usage.note_call(f"{_PATH}.get_latest_resources", ADVICE)
        return self._resources_update

    def post_rollout(self, rollout: RolloutLegacy) -> dict[str, Any] | None:
        """Keep a result."""
        usage.note_call(f"{_PATH}.post_rollout", ADVICE)
        self._rollouts.append(rollout)
        return {"status": "received", "rollout_id": rollout.rollout_id}

    async def poll_next_task_async(self) -> Task:
        """The next of the tasks, the first again after the last."""
        usage.note_call(f"{_PATH}.poll_next_task_async", ADVICE)
        return self.poll_next_task()

    async def get_resources_by_id_async(self, resource_id: str) -> ResourcesUpdate | None:
        """The resources; errors as those of `get_resources_by_id`."""
        usage.note_call(f"{_PATH}.get_resources_by_id_async", ADVICE)
        return self.get_resources_by_id(resource_id)

    async def get_latest_resources_async(self) -> ResourcesUpdate | None:
        """The resources."""
        usage.note_call(f"{_PATH}.get_latest_resources_async", ADVICE)
        return self.get_latest_resources()

    async def post_rollout_async(self, rollout: RolloutLegacy) -> dict[str, Any] | None:
        """Keep a result."""
        usage.note_call(f"{_PATH}.post_rollout_async", ADVICE)
        return self.post_rollout(rollout)

    def __repr__(self) -> str:
        count, resources = len(self._tasks), self._resources_update.resources
        return f"DevTaskLoader(num_tasks={count}, resources={resources})"
