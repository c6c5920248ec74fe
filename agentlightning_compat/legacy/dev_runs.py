"""`Trainer.fit(agent, url, loader)` of the legacy API, where a flag chose between the two."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.legacy.fleet import fit_fleet
from agentlightning_compat.legacy.loaders import dev_resources, dev_tasks


def fit_or_dev(
    trainer: Any, agent: Any, url: Any = None, loader: Any = None, dev: bool | None = None
) -> None:
    """Make a trial run with `loader` if `dev` is set; otherwise run a fleet for the store at `url`.

    Args:
        trainer: a `Trainer` of either package, not one with a strategy of role `runner`.
        agent: the agent.
        url: address of a store server; a loader given here is always tried out.
        loader: a `DevTaskLoader`.
        dev: whether to make a trial run; `None` asks what the trainer was built with.

    Raises:
        ValueError: a trial run without a loader.
        TypeError, ValueError, ConnectionError: as `fit_fleet` does.
    """
    if hasattr(url, "_tasks"):
        loader, dev = url, True
    if dev is None:
        dev = bool(getattr(trainer, "_dev", False))
    if not dev:
        fit_fleet(trainer, agent, url)
        return
    if loader is None:
        raise ValueError("a trial run (dev=True) needs a DevTaskLoader")
    previous = trainer.initial_resources
    trainer.initial_resources = dev_resources(loader)
    try:
        # More than the runner takes would be waited for without end.
        tasks = dev_tasks(loader)[: getattr(trainer, "max_rollouts", None)]
        trainer.dev(agent, train_dataset=tasks)
    finally:
        trainer.initial_resources = previous
