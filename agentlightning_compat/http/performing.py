"""Has any store answer a command, also one that only has the public methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from agentlightning_compat.http.values import dumped
from agentlightning_compat.http.wire import BY_COMMAND
from agentlightning_compat.model import AttemptedRollout, Rollout
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.contract.performing import Performing

R = TypeVar("R")


async def perform(store: Any, command: c.Command[R]) -> R:
    """The answer of a store."""
    if _answers(store):
        answer: R = await store._perform(command)
        return answer
    row = BY_COMMAND[type(command)]
    result: R = row.load(dumped(await row.call(store, row.ask(command))), command)
    return result


async def claim(store: Any, command: c.Dequeue) -> Sequence[AttemptedRollout]:
    """What a store has for a claimant; one that cannot wait answers at once."""
    if _answers(store):
        claimed: Sequence[AttemptedRollout] = await store._claim(command)
        return claimed
    return await perform(store, command)


async def wait(store: Any, command: c.WaitForRollouts) -> list[Rollout]:
    """The rollouts that are finished in time."""
    if _answers(store):
        found: list[Rollout] = await store._wait(command)
        return found
    result: list[Rollout] = await store.wait_for_rollouts(
        rollout_ids=list(command.rollout_ids), timeout=command.timeout
    )
    return result


def _answers(store: Any) -> bool:
    own = getattr(type(store), "_perform", None)
    return own is not None and own is not Performing._perform
