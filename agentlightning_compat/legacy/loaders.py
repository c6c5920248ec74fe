"""Takes apart what a `DevTaskLoader` was made of, for `Trainer.dev`.

`Trainer(initial_resources=dev_resources(x)).dev(agent, train_dataset=dev_tasks(x))`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentlightning_compat.legacy.complaints import shown


def dev_tasks(source: Any) -> list[Any]:
    """Return the task inputs of a `DevTaskLoader`, or of the list that one is made from.

    A `Task` gives its input; its mode, metadata and rollout id have no place in a dataset.
    `Trainer.dev` runs each input once, where the loader went round for ever.

    Raises:
        ValueError: there are no tasks, or some are `Task` and some are not.
        TypeError: `source` is neither a loader nor a collection.
    """
    tasks = getattr(source, "_tasks", source)
    if isinstance(tasks, (str, bytes, Mapping)) or not isinstance(tasks, Iterable):
        raise TypeError(f"expected a DevTaskLoader or a list of tasks, got {shown(source)}")
    items = list(tasks)
    wrapped = [_is_task(item) for item in items]
    if not items:
        raise ValueError("there is no task to run: the list is empty")
    if any(wrapped) and not all(wrapped):
        raise ValueError("tasks must be all Task objects or all plain inputs")
    return [item.input for item in items] if all(wrapped) else items


def dev_resources(source: Any) -> dict[str, Any]:
    """Return the named resources of a `DevTaskLoader`, of a `ResourcesUpdate`, or of a dict.

    Raises:
        TypeError: `source` is none of these.
    """
    update = getattr(source, "_resources_update", source)
    resources = getattr(update, "resources", update)
    if not isinstance(resources, Mapping):
        raise TypeError(f"expected a DevTaskLoader or named resources, got {shown(source)}")
    return dict(resources)


def _is_task(item: Any) -> bool:
    return any(base.__name__ == "Task" for base in type(item).__mro__) and hasattr(item, "input")
