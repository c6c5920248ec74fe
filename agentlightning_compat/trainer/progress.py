"""What a run is doing, as a log line and as a bar on a terminal."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from agentlightning_compat.model import RolloutStatus
from agentlightning_compat.runner.results import final_reward
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.trainer.terminal_bar import Bar, shown

_log = logging.getLogger(__name__)

# Seconds between two looks at the store, with a bar and without one.
_BAR, _LINE = 1.0, 10.0
# Seconds that the last look may take.
_LAST = 2.0
# A look takes at most this share of the time.
_SHARE = 0.02
# Rollouts whose reward is read at one look; of more, the latest ones count.
_REWARDS = 50
_DONE: tuple[RolloutStatus, ...] = ("succeeded", "failed", "cancelled")
_RUNNING: tuple[RolloutStatus, ...] = ("preparing", "running")


@dataclass
class State:
    """Where a run is: counts of rollouts since it began, and a rate per second."""

    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    rewards: list[float] = field(default_factory=list)
    rate: float = 0.0

    @property
    def done(self) -> int:
        """Those that are through, one way or the other."""
        return self.succeeded + self.failed

    def __str__(self) -> str:
        mean = sum(self.rewards) / len(self.rewards) if self.rewards else None
        reward = "" if mean is None else f", mean reward {mean:.4g} (of {len(self.rewards)})"
        return (
            f"{self.done} done ({self.failed} failed), {self.running} running,"
            f" {self.queued} queued{reward}, {self.rate:.3g} rollouts/s"
        )

    def short(self) -> str:
        """The same for a bar, in about 60 columns."""
        total = self.done + self.running + self.queued
        failed = f", {self.failed} failed" if self.failed else ""
        mean = sum(self.rewards) / len(self.rewards) if self.rewards else None
        reward = "" if mean is None else f", mean reward {mean:.3g}"
        return (
            f"{self.done}/{total} done{failed}, {self.running} running{reward}, {self.rate:.3g}/s"
        )


class Progress:
    """Reads from the store how a run goes. What was there before does not count."""

    def __init__(self, store: LightningStore) -> None:
        self._store = store
        self._state = State()
        self._before = {"succeeded": 0, "failed": 0}
        self._last_end = 0.0
        self._begun = time.monotonic()

    async def begin(self) -> None:
        """Count what is there before the run."""
        self._last_end = time.time()
        self._begun = time.monotonic()
        for outcome, statuses in _OUTCOMES.items():
            self._before[outcome] = await self._count(statuses)

    async def look(self) -> State:
        """Where it is now."""
        state = self._state
        state.queued = await self._count(("queuing", "requeuing"))
        state.running = await self._count(_RUNNING)
        done = state.done
        state.succeeded = await self._since("succeeded")
        state.failed = await self._since("failed")
        if state.done > done:
            await self._read_rewards()
        state.rate = state.done / max(time.monotonic() - self._begun, 0.001)
        return state

    async def tell(self) -> None:
        """Tell until cancelled: a bar where there is a terminal and rich, else a log line.

        A store that cannot be asked ends the telling and nothing else.
        """
        try:
            await self.begin()
            with shown() as bar:
                await self._tell(bar)
        except asyncio.CancelledError:
            state = await asyncio.wait_for(self.look(), _LAST)
            if state.done:
                _log.info("at the end: %s", state)
            raise
        except Exception:
            _log.exception("nothing more is told of the progress")

    async def _tell(self, bar: Bar | None) -> None:
        pause = _LINE if bar is None else _BAR
        while True:
            await asyncio.sleep(pause)
            begun = time.perf_counter()
            state = await self.look()
            took = time.perf_counter() - begun
            pause = max(pause, took / _SHARE)
            if bar is None:
                _log.info("%s", state)
            else:
                bar.update(state.done, state.done + state.running + state.queued, state.short())

    async def _since(self, outcome: str) -> int:
        return max(await self._count(_OUTCOMES[outcome]) - self._before[outcome], 0)

    async def _count(self, statuses: tuple[RolloutStatus, ...]) -> int:
        found = await self._store.query_rollouts(status_in=statuses, limit=1)
        return int(found.total)

    async def _read_rewards(self) -> None:
        found = await self._store.query_rollouts(
            status_in=_DONE, sort_by="end_time", sort_order="desc", limit=_REWARDS
        )
        fresh = [rollout for rollout in found if (rollout.end_time or 0.0) > self._last_end]
        for rollout in fresh:
            spans = await self._store.query_spans(rollout.rollout_id, "latest")
            reward = final_reward(list(spans))
            if reward is not None:
                self._state.rewards.append(reward)
        if fresh:
            self._last_end = max(rollout.end_time or 0.0 for rollout in fresh)


_OUTCOMES: dict[str, tuple[RolloutStatus, ...]] = {
    "succeeded": ("succeeded",),
    "failed": ("failed", "cancelled"),
}
