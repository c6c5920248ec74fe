"""Reads finished rollouts, as a legacy server's result calls did."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.drafts import MESSAGE, MESSAGE_BODY, REPORT_METADATA

FINISHED = ("succeeded", "failed", "cancelled")
# A store that can be woken is asked to wait this long; one that cannot is asked again after this.
_SLICE_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.1


@dataclass
class CompletedRollout:
    """A finished rollout with the fields that a legacy report has, and those of its task.

    Attributes:
        rollout_id: the rollout's identifier.
        final_reward: the last reward that was recorded, `None` without any.
        triplets: what the triplet adapter makes of the spans, `None` if there are no spans.
        trace: the spans as dicts, `None` if there are none.
        logs: the messages that were recorded, `None` if there are none.
        metadata: of the rollout, overlaid by what the agent reported.
        status: "succeeded", "failed" or "cancelled".
        input: the task's input.
        mode: "train", "val", "test" or `None`.
        resources_id: the resources that the rollout ran with.
        spans: the spans of the last attempt, as the store has them.
        rollout: the store's own record.
    """

    rollout_id: str
    final_reward: float | None = None
    triplets: list[Any] | None = None
    trace: list[dict[str, Any]] | None = None
    logs: list[str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    status: str = "succeeded"
    input: Any = None
    mode: str | None = None
    resources_id: str | None = None
    spans: list[Any] = field(default_factory=list, repr=False)
    rollout: Any = field(default=None, repr=False)


class _Taken:
    """The rollouts that were handed out already, per store object."""

    def __init__(self) -> None:
        self._ids: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def take(self, store: Any, rollout_id: str) -> bool:
        with self._lock:
            ids = self._ids.setdefault(store, set())
            if rollout_id in ids:
                return False
            ids.add(rollout_id)
            return True

    def has(self, store: Any, rollout_id: str) -> bool:
        with self._lock:
            return rollout_id in self._ids.get(store, ())

    def give_back(self, store: Any, rollout_id: str) -> None:
        with self._lock:
            self._ids.setdefault(store, set()).discard(rollout_id)


_taken = _Taken()


async def wait_completed(
    store: Any, rollout_id: str, timeout: float | None = None, *, adapter: Any = None
) -> CompletedRollout | None:
    """Wait until a rollout is finished and return it, as `poll_completed_rollout` did.

    `drain_completed` and `take_completed` do not return it again.

    Args:
        store: any 0.3 store, or a client or server of one.
        rollout_id: the rollout to wait for.
        timeout: seconds; `None` and 0 wait for ever.
        adapter: makes the triplets; `TracerTraceToTriplet()` unless given.

    Returns:
        The rollout, or `None` when the time is over.

    Raises:
        LookupError: the store does not know the rollout and there is no timeout: the wait would
            never end.
    """
    deadline = time.monotonic() + timeout if timeout else None
    pause = _FIRST_PAUSE_SECONDS
    while True:
        rollout = await stored_rollout(store, rollout_id)
        if rollout is not None and rollout.status in FINISHED:
            _taken.take(store, rollout_id)
            return await _completed(store, rollout, adapter)
        if rollout is None and deadline is None:
            raise LookupError(f"the store has no rollout {rollout_id!r}")
        rest = _SLICE_SECONDS if deadline is None else deadline - time.monotonic()
        if rest <= 0:
            return None
        await _pause(store, rollout_id, min(rest, _SLICE_SECONDS), min(rest, pause))
        pause = min(2 * pause, _SLICE_SECONDS)


async def take_completed(
    store: Any, rollout_id: str, *, adapter: Any = None
) -> CompletedRollout | None:
    """Return a finished rollout once, as `get_completed_rollout` did.

    Returns:
        `None` if it is not finished, not known, or was returned before for this store object.
    """
    rollout = await stored_rollout(store, rollout_id)
    if rollout is None or rollout.status not in FINISHED:
        return None
    return await _take(store, rollout, adapter)


async def drain_completed(store: Any, *, adapter: Any = None) -> list[CompletedRollout]:
    """Return the finished rollouts that were not returned before for this store object.

    Stands for `retrieve_completed_rollouts`. The store keeps its rollouts; what was returned is
    remembered with the store object in this process.
    """
    finished = await store.query_rollouts(status_in=list(FINISHED))
    taken = [await _take(store, rollout, adapter) for rollout in finished]
    return [rollout for rollout in taken if rollout is not None]


def was_taken(store: Any, rollout_id: str) -> bool:
    """Whether a finished rollout was returned before for this store object."""
    return _taken.has(store, rollout_id)


async def stored_rollout(store: Any, rollout_id: str) -> Any | None:
    """Return the rollout as it is now, `None` if the store does not know it.

    By a query, because a store client's `get_rollout_by_id` returns `None` for errors, too.
    """
    found = list(await store.query_rollouts(rollout_id_in=[rollout_id]))
    return found[0] if found else None


async def _take(store: Any, rollout: Any, adapter: Any) -> CompletedRollout | None:
    if not _taken.take(store, rollout.rollout_id):
        return None
    try:
        return await _completed(store, rollout, adapter)
    except BaseException:
        _taken.give_back(store, rollout.rollout_id)
        raise


async def _pause(store: Any, rollout_id: str, patience: float, pause: float) -> None:
    """Wait for the rollout as long as the store lets us, or sleep for `pause` seconds.

    A store client refuses to wait longer than a tenth of a second and says so by `ValueError`. A
    store that returns at once without the rollout must not make this a busy loop.
    """
    began = time.monotonic()
    try:
        if await store.wait_for_rollouts(rollout_ids=[rollout_id], timeout=patience):
            return
    except ValueError:
        pass
    rest = pause - (time.monotonic() - began)
    if rest > 0:
        await asyncio.sleep(rest)


async def _completed(store: Any, rollout: Any, adapter: Any) -> CompletedRollout:
    attempt = await store.get_latest_attempt(rollout.rollout_id)
    spans = []
    if attempt is not None:
        spans = list(await store.query_spans(rollout.rollout_id, attempt_id=attempt.attempt_id))
    return CompletedRollout(
        rollout_id=rollout.rollout_id,
        final_reward=target.api("find_final_reward", rollout)(spans),
        triplets=adapted(spans, adapter),
        trace=[span.model_dump() for span in spans] or None,
        logs=_messages(spans) or None,
        metadata=_metadata(rollout, attempt, spans),
        status=rollout.status,
        input=rollout.input,
        mode=rollout.mode,
        resources_id=rollout.resources_id,
        spans=spans,
        rollout=rollout,
    )


def adapted(spans: list[Any], adapter: Any = None) -> list[Any] | None:
    """Return the triplets in `spans`, `None` if there are no spans: adapters refuse that."""
    if not spans:
        return None
    if adapter is None:
        adapter = target.api("TracerTraceToTriplet", *spans)()
    return list(adapter.adapt(spans))


def _messages(spans: list[Any]) -> list[str]:
    bodies = [span.attributes.get(MESSAGE_BODY) for span in spans if span.name == MESSAGE]
    return [str(body) for body in bodies if body is not None]


def _metadata(rollout: Any, attempt: Any, spans: list[Any]) -> dict[str, Any]:
    merged = {**(rollout.metadata or {}), **(getattr(attempt, "metadata", None) or {})}
    for span in spans:
        if REPORT_METADATA in span.attributes:
            merged.update(json.loads(span.attributes[REPORT_METADATA]))
    return merged
