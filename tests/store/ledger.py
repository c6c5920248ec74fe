"""Work on a store that says what was acknowledged, and the proof that all of it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import agentlightning_compat as compat
from agentlightning_compat.errors import StoreClosedError, StoreUnavailableError

CONFIG = {
    "unresponsive_seconds": 10_000,
    "max_attempts": 10_000,
    "retry_condition": ["unresponsive"],
}

# Each counts what must not be: in both databases, with their tables in reach.
HALVES = {
    "rollouts without input": """
        SELECT count(*) FROM rollouts r LEFT JOIN payloads p ON p.rollout = r.id
        WHERE p.rollout IS NULL""",
    "inputs without rollout": """
        SELECT count(*) FROM payloads p LEFT JOIN rollouts r ON p.rollout = r.id
        WHERE r.id IS NULL""",
    "rollouts with too few or too many attempts": """
        SELECT count(*) FROM rollouts r
        WHERE r.attempts <> (SELECT count(*) FROM attempts a WHERE a.rollout = r.id)""",
    "rollouts in the queue that should not be, or out of it": """
        SELECT count(*) FROM rollouts
        WHERE (queue_position IS NULL) = (status IN ('queuing', 'requeuing'))""",
    "spans without their pair": """
        SELECT count(*) FROM (
            SELECT rollout, attempt FROM spans GROUP BY rollout, attempt HAVING count(*) <> 2
        ) AS odd""",
    "wrong totals": """
        SELECT count(*) FROM (
            SELECT status AS name, count(*) AS n FROM rollouts GROUP BY status
            UNION ALL SELECT 'attempts', count(*) FROM attempts
            UNION ALL SELECT 'spans', count(*) FROM spans
        ) AS counted
        WHERE n <> coalesce((SELECT sum(t.n) FROM totals t WHERE t.name = counted.name), 0)""",
}


async def work(store: Any, lane: int, say: Callable[..., None]) -> None:
    """Queue, claim, trace and finish rollouts; `say` is called for each thing once it is done."""
    number = 0
    while True:
        number += 1
        try:
            await _one(store, lane, number, say)
        except StoreClosedError:
            return
        except StoreUnavailableError:
            say("unsure")


async def _one(store: Any, lane: int, number: int, say: Callable[..., None]) -> None:
    made = await store.enqueue_rollout([lane, number], config=CONFIG)
    say("queued", made.rollout_id, lane, number)
    claimed = await store.dequeue_rollout(f"worker-{lane}")
    if claimed is None:
        return
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    say("claimed", *key, claimed.attempt.sequence_id)
    spans = [
        compat.Span.from_attributes(
            attributes={"n": number}, rollout_id=key[0], attempt_id=key[1], sequence_id=place
        )
        for place in (1, 2)
    ]
    await store.add_many_spans(spans)
    say("traced", *key, *(span.span_id for span in spans))
    if number % 5:
        await store.update_attempt(*key, status="succeeded")
        say("succeeded", *key)


async def check(store: Any, said: Iterable[list[Any]]) -> None:
    """All that was said is so."""
    claims = set()
    for what, *values in said:
        if what == "queued":
            rollout_id, lane, number = values
            assert (await store.get_rollout_by_id(rollout_id)).input == [lane, number]
        elif what == "claimed":
            rollout_id, attempt_id, sequence_id = values
            attempts = await store.query_attempts(rollout_id)
            assert attempts[sequence_id - 1].attempt_id == attempt_id
            assert (rollout_id, sequence_id) not in claims
            claims.add((rollout_id, sequence_id))
        elif what == "traced":
            rollout_id, attempt_id, *span_ids = values
            spans = await store.query_spans(rollout_id, attempt_id)
            assert [span.span_id for span in spans] == span_ids
        elif what == "succeeded":
            rollout_id, attempt_id = values
            attempts = await store.query_attempts(rollout_id)
            (attempt,) = [item for item in attempts if item.attempt_id == attempt_id]
            assert attempt.status == "succeeded"


async def drain(store: Any) -> None:
    """Nothing is stuck: in a store whose clock is far ahead, all that is left can be finished."""
    while (claimed := await store.dequeue_rollout()) is not None:
        await store.update_attempt(
            claimed.rollout_id, claimed.attempt.attempt_id, status="succeeded"
        )
    done = await store.query_rollouts(status_in=["succeeded"], limit=0)
    assert done.total == (await store.statistics())["total_rollouts"]
