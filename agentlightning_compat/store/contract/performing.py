"""What stands below the public methods: three ways to have a command answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.model import AttemptedRollout, Rollout
from agentlightning_compat.store.commands import Command, Dequeue, WaitForRollouts

R = TypeVar("R")


class Performing:
    """A store answers commands with `_perform`; the two that may wait have ways of their own."""

    async def _perform(self, command: Command[R]) -> R:
        name = type(command).__name__
        raise UnsupportedError(f"{type(self).__name__} does not answer {name}")

    async def _claim(self, command: Dequeue) -> Sequence[AttemptedRollout]:
        return await self._perform(command)

    async def _wait(self, command: WaitForRollouts) -> list[Rollout]:
        return await self._perform(command)
