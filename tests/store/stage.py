"""What a conformance test is given. Nothing here needs pytest: the tests of this folder whose
files do not begin with `test_own_` also run in the environment of a real release.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Protocol


class Moving(Protocol):
    def now(self) -> float: ...

    def advance(self, seconds: float) -> float: ...


@dataclass
class Stage:
    """A fresh store, the classes that go with it, and the clock that it reads."""

    store: Any
    names: Any
    clock: Moving

    def span(self, rollout_id: str, attempt_id: str, sequence_id: int = 1, **fields: Any) -> Any:
        """A span with an id made of its number, unless told otherwise."""
        names = self.names
        filled = {
            "trace_id": f"{1:032x}",
            "span_id": f"{sequence_id:016x}",
            "parent_id": None,
            "name": "step",
            "status": names.TraceStatus(status_code="OK"),
            "attributes": {"n": sequence_id},
            "events": [],
            "links": [],
            "start_time": 1.0,
            "end_time": 2.0,
            "context": None,
            "parent": None,
            "resource": names.OtelResource(attributes={"service.name": "s"}, schema_url=""),
        }
        return names.Span(
            rollout_id=rollout_id,
            attempt_id=attempt_id,
            sequence_id=sequence_id,
            **{**filled, **fields},
        )

    async def add(self, claimed: Any, sequence_id: int = 1, **fields: Any) -> Any:
        """Store a span of a claimed rollout's attempt."""
        return await self.store.add_span(
            self.span(claimed.rollout_id, claimed.attempt.attempt_id, sequence_id, **fields)
        )

    async def claimed(self, worker_id: str | None = None, **config: Any) -> Any:
        """A rollout, queued and claimed."""
        limits = self.names.RolloutConfig(**config) if config else None
        queued = await self.store.enqueue_rollout({"q": 1}, config=limits)
        claimed = await self.store.dequeue_rollout(worker_id)
        assert claimed.rollout_id == queued.rollout_id
        return claimed

    async def report(self, claimed: Any, status: str, **more: Any) -> Any:
        """Report the status of a claimed rollout's attempt."""
        return await self.store.update_attempt(
            claimed.rollout_id, claimed.attempt.attempt_id, status=status, **more
        )

    async def status(self, rollout: Any) -> str:
        """The status that a rollout has now."""
        return (await self.store.get_rollout_by_id(rollout.rollout_id)).status

    async def attempt_status(self, rollout: Any) -> str:
        """The status of a rollout's latest attempt."""
        return (await self.store.get_latest_attempt(rollout.rollout_id)).status


async def refused(call: Awaitable[Any], kind: type[BaseException] = ValueError) -> BaseException:
    """The error of a call that has to fail."""
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {result!r}")


def ids(items: Any) -> list[str]:
    """The ids of rollouts, in their order."""
    return [item.rollout_id for item in items]
