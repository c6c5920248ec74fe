"""The tasks that a worker has from a legacy server, as rollouts of a store in its memory."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.clock import Clock
from agentlightning_compat.lifecycle.records import Pair, RolloutRecord, WorkerRecord
from agentlightning_compat.lifecycle.rollouts import claim
from agentlightning_compat.lifecycle.workers import given
from agentlightning_compat.model import AttemptedRollout, Task, ids
from agentlightning_compat.store.memory import InMemoryLightningStore, drive
from agentlightning_compat.store.signals import Signals
from agentlightning_compat.store.transaction import Changes, Transaction
from agentlightning_compat.store.values import attempted_model

# So many bytes of spans are kept; those of tasks that were reported make room first.
_SPAN_BYTES = 256 * 1024 * 1024
# So many rollouts are kept before the older half is forgotten.
_ROLLOUTS = 10_000


@dataclass(slots=True)
class _Take:
    task: Task
    worker_id: str | None


async def _take(tx: Transaction, command: _Take, now: float) -> Pair:
    """An attempt at the task, whose rollout has the id that it came with."""
    task, worker_id = command.task, command.worker_id
    found, _ = await tx.find(task.rollout_id, None, for_update=True)
    before = found or RolloutRecord(
        task.rollout_id,
        task.input,
        now if task.create_time is None else task.create_time,
        mode=task.mode,
        resources_id=task.resources_id,
        metadata=task.metadata,
    )
    pair = claim(before, ids.attempt_id(), worker_id, now)
    busy: tuple[WorkerRecord, ...] = ()
    if worker_id:
        worker = await tx.get_worker(worker_id, for_update=True) or WorkerRecord(worker_id)
        busy = (given(worker, pair.attempt, now),)
    await tx.apply(
        Changes(
            new_rollouts=() if found else (pair.rollout,),
            rollouts=((found, pair.rollout),) if found else (),
            new_attempts=(pair.attempt,),
            workers=busy,
        )
    )
    return pair


class TaskStore(InMemoryLightningStore):
    """A store whose rollouts come from outside, with their ids."""

    def __init__(self, clock: Clock | None) -> None:
        super().__init__(thread_safe=True, eviction_memory_threshold=_SPAN_BYTES, clock=clock)
        self.taken = 0

    def knows(self, rollout_id: str) -> bool:
        """Whether it has this rollout."""
        return drive(self._tables.find(rollout_id, None))[0] is not None

    async def take(self, task: Task, worker_id: str | None) -> AttemptedRollout:
        """Begin an attempt at a task."""
        run: Any = _take
        command: Any = _Take(task, worker_id)
        pair, effects = await self._transact(run, command, self._clock.now())
        self.taken += 1
        self._publish(effects)
        return attempted_model(*pair)


class HeldTasks:
    """The tasks in hand, and what is known of some before them.

    Of the two stores that they are in the older one is forgotten when all its tasks are reported
    and the newer one is full. A task that comes again while it is in hand is not taken twice,
    unless `again` is true: then whoever has it may be gone.
    """

    def __init__(
        self, clock: Clock | None = None, *, rollouts: int = _ROLLOUTS, again: bool = False
    ) -> None:
        self._clock = clock
        self._rollouts = rollouts
        self._again = again
        self._lock = threading.Lock()
        self._waiting: deque[Task] = deque()
        self._in_hand: dict[str, tuple[Task, TaskStore]] = {}
        self._current = TaskStore(clock)
        self._previous: TaskStore | None = None
        # Tells claimants of tasks that came.
        self.signals = Signals()

    def offer(self, task: Task) -> bool:
        """Have a task wait for a claimant; False when it is in hand already."""
        with self._lock:
            held = task.rollout_id in self._in_hand
            if held and (not self._again or self._waits(task.rollout_id)):
                return False
            self._make_room()
            self._in_hand[task.rollout_id] = (task, self._home(task.rollout_id))
            self._waiting.append(task)
        self.signals.queued(1)
        return True

    @property
    def waiting(self) -> int:
        """How many wait for a claimant."""
        return len(self._waiting)

    async def claim(self, limit: int, worker_id: str | None) -> list[AttemptedRollout]:
        """Begin attempts at up to `limit` of the tasks that wait."""
        claims: list[AttemptedRollout] = []
        while len(claims) < limit:
            with self._lock:
                if not self._waiting:
                    break
                task = self._waiting.popleft()
                if task.rollout_id not in self._in_hand:  # reported while it waited once more
                    continue
                store = self._in_hand[task.rollout_id][1]
            claims.append(await store.take(task, worker_id))
        return claims

    def task(self, rollout_id: str) -> Task | None:
        """A task that is in hand, as it came."""
        held = self._in_hand.get(rollout_id)
        return held[0] if held else None

    def release(self, rollout_id: str) -> Task | None:
        """The task is not in hand any more; None when it was not."""
        with self._lock:
            held = self._in_hand.pop(rollout_id, None)
        return held[0] if held else None

    def home(self, rollout_id: str | None) -> TaskStore:
        """The store that knows a rollout; the newest when none does."""
        with self._lock:
            return self._current if rollout_id is None else self._home(rollout_id)

    def _waits(self, rollout_id: str) -> bool:
        return any(task.rollout_id == rollout_id for task in self._waiting)

    def _home(self, rollout_id: str) -> TaskStore:
        held = self._in_hand.get(rollout_id)
        if held:
            return held[1]
        previous = self._previous
        return previous if previous and previous.knows(rollout_id) else self._current

    def _make_room(self) -> None:
        if self._current.taken < self._rollouts:
            return
        if any(store is self._previous for _, store in self._in_hand.values()):
            return
        self._previous = self._current
        self._current = TaskStore(self._clock)
