"""The server calls that returned an id, as coroutines that still do.

For places where the coroutine itself is handed on: `asyncio.gather(*[...])`, `create_task(...)`.
"""

from __future__ import annotations

from typing import Any


async def queue_rollout(
    store: Any,
    sample: Any,
    mode: str | None = None,
    resources_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    *,
    config: Any = None,
) -> str:
    """Put a task into the queue of `store` and return the rollout's id, as `queue_task` did.

    Args:
        store: any 0.3 store, or a client or server of one.
        sample: the task's input.
        mode: "train", "val", "test" or `None`.
        resources_id: the resources to run with; `None` is the latest ones at this moment.
        metadata: kept with the rollout.
        config: a `RolloutConfig`: timeouts and attempts.
    """
    rollout = await store.enqueue_rollout(
        input=sample, mode=mode, resources_id=resources_id, config=config, metadata=metadata
    )
    return str(rollout.rollout_id)


async def publish_resources(store: Any, resources: Any) -> str:
    """Make `resources` the latest ones and return their id, as the server's `update_resources` did.

    The method of a store that has this name is another one: it changes resources that it has.
    """
    update = await store.add_resources(resources)
    return str(update.resources_id)
