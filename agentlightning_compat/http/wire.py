"""The operations of a store server: one table, from which both sides work.

The rows above the mark are those of agentlightning 0.3. Those below it, and the fields named
`wait`, `keys` and `mode_in`, are understood only by a server that lists `FEATURES` in its health.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.http import calls
from agentlightning_compat.http import values as v
from agentlightning_compat.http.calls import Parts
from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    ResourcesUpdate,
    Rollout,
    Span,
    Worker,
)
from agentlightning_compat.store import commands as c

PREFIX = "/v1/agl"
HEALTH = f"{PREFIX}/health"
# Where the OpenAPI document is; the second is where 0.3 has it.
DOCUMENTS = frozenset({f"{PREFIX}/openapi.json", "/openapi.json"})
# What a server of ours can do beyond 0.3: many spans in a request, requests that are held until
# there is an answer, keys by which a repeated request is known, rollouts searched for by mode.
FEATURES = ("spans", "hold", "keys", "modes")
KEY = "idempotency-key"
LONGEST_KEY = 200  # characters: answers are remembered by them
# Says that a request with a key was sent before: a server that was restarted then looks whether
# the store has what it asks for.
AGAIN = "idempotency-again"
# Ends a claim, named by its key, that nobody waits for; answered with what it got before.
CLAIM = "/queues/rollouts/dequeue"
GIVE_UP = f"{CLAIM}/give-up"


Call = Callable[[Any, Parts], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row: `call` has a store do what a request asks for; `ask` and `load` are the client's,
    for the command that the row stands for. `writes`: doing it twice would not be the same."""

    verb: str
    path: str
    call: Call
    command: type[c.Command[Any]] | None = None
    ask: Callable[[Any], Parts] = lambda command: Parts()
    load: Callable[[Any, Any], Any] = lambda value, command: value
    status: int = 200
    writes: bool = False


def _ask_update_attempt(command: c.UpdateAttempt) -> Parts:
    path = {"rollout_id": command.rollout_id, "attempt_id": command.attempt_id}
    return Parts(path, body=v.changes(command.changes))


def _ask_worker(command: c.UpdateWorker) -> Parts:
    stats = command.heartbeat_stats
    body = {"heartbeat_stats": stats} if isinstance(stats, dict) else {}
    return Parts({"worker_id": command.worker_id}, body=body)


def _load_stored(answer: Any, command: c.AddSpans) -> Sequence[Span]:
    numbers = answer["stored"]
    return [
        span.model_copy(update={"sequence_id": number})
        for span, number in zip(command.spans, numbers, strict=True)
        if number is not None
    ]


OPERATIONS = (
    Operation(
        "POST",
        "/queues/rollouts/enqueue",
        calls.enqueue,
        c.EnqueueRollouts,
        lambda x: Parts(body={"rollouts": [v.new_rollout(new) for new in x.new]}),
        lambda answer, x: [v.loaded(Rollout, item) for item in answer],
        201,
        writes=True,
    ),
    Operation(
        "POST",
        CLAIM,
        calls.dequeue,
        c.Dequeue,
        lambda x: Parts(body={"limit": x.limit, "worker_id": x.worker_id, "wait": x.wait}),
        lambda answer, x: [v.loaded(AttemptedRollout, item) for item in answer],
        writes=True,
    ),
    Operation(
        "POST",
        "/rollouts",
        calls.start_rollout,
        c.StartRollout,
        lambda x: Parts(body={**v.new_rollout(x.new), "worker_id": x.worker_id}),
        lambda answer, x: v.loaded(AttemptedRollout, answer),
        201,
        writes=True,
    ),
    Operation("GET", "/rollouts", calls.query_rollouts),
    Operation(
        "POST",
        "/rollouts/search",
        calls.query_rollouts,
        c.QueryRollouts,
        lambda x: Parts(body=v.search(x.query)),
        lambda answer, x: v.page(answer, v.rollout, x.query),
    ),
    Operation(
        "GET",
        "/rollouts/{rollout_id}",
        lambda store, parts: store.get_rollout_by_id(parts.path["rollout_id"]),
        c.GetRollout,
        lambda x: Parts({"rollout_id": x.rollout_id}),
        lambda answer, x: None if answer is None else v.rollout(answer),
    ),
    Operation(
        "POST",
        "/rollouts/{rollout_id}",
        calls.update_rollout,
        c.UpdateRollout,
        lambda x: Parts({"rollout_id": x.rollout_id}, body=v.changes(x.changes)),
        lambda answer, x: v.loaded(Rollout, answer),
        writes=True,
    ),
    Operation(
        "POST",
        "/rollouts/{rollout_id}/attempts",
        calls.start_attempt,
        c.StartAttempt,
        lambda x: Parts({"rollout_id": x.rollout_id}, body={"worker_id": x.worker_id}),
        lambda answer, x: v.loaded(AttemptedRollout, answer),
        201,
        writes=True,
    ),
    Operation("GET", "/rollouts/{rollout_id}/attempts", calls.query_attempts),
    Operation(
        "POST",
        "/rollouts/{rollout_id}/attempts/search",
        calls.query_attempts,
        c.QueryAttempts,
        lambda x: Parts({"rollout_id": x.query.must[0].value}, body=v.search(x.query)),
        lambda answer, x: v.page(answer, lambda item: v.loaded(Attempt, item), x.query),
    ),
    Operation(
        "GET",
        "/rollouts/{rollout_id}/attempts/latest",
        lambda store, parts: store.get_latest_attempt(parts.path["rollout_id"]),
        c.GetLatestAttempt,
        lambda x: Parts({"rollout_id": x.rollout_id}),
        lambda answer, x: v.maybe(Attempt, answer),
    ),
    Operation(
        "POST",
        "/rollouts/{rollout_id}/attempts/{attempt_id}",
        calls.update_attempt,
        c.UpdateAttempt,
        _ask_update_attempt,
        lambda answer, x: v.loaded(Attempt, answer),
        writes=True,
    ),
    Operation("GET", "/workers", calls.query_workers),
    Operation(
        "POST",
        "/workers/search",
        calls.query_workers,
        c.QueryWorkers,
        lambda x: Parts(body=v.search(x.query)),
        lambda answer, x: v.page(answer, lambda item: v.loaded(Worker, item), x.query),
    ),
    Operation(
        "GET",
        "/workers/{worker_id}",
        lambda store, parts: store.get_worker_by_id(parts.path["worker_id"]),
        c.GetWorker,
        lambda x: Parts({"worker_id": x.worker_id}),
        lambda answer, x: v.maybe(Worker, answer),
    ),
    Operation(
        "POST",
        "/workers/{worker_id}",
        calls.update_worker,
        c.UpdateWorker,
        _ask_worker,
        lambda answer, x: v.loaded(Worker, answer),
    ),
    # No search by POST here: under 0.3 that would write resources called `search`.
    Operation(
        "GET",
        "/resources",
        calls.query_resources,
        c.QueryResources,
        lambda x: Parts(query=v.in_url(v.search(x.query))),
        lambda answer, x: v.page(answer, lambda item: v.loaded(ResourcesUpdate, item), x.query),
    ),
    Operation(
        "POST",
        "/resources",
        lambda store, parts: store.add_resources(parts.fields()),
        c.AddResources,
        lambda x: Parts(body=v.dumped_resources(x.resources)),
        lambda answer, x: v.loaded(ResourcesUpdate, answer),
        201,
        writes=True,
    ),
    Operation("GET", "/resources/latest", lambda store, parts: store.get_latest_resources()),
    Operation(
        "GET",
        "/resources/{resources_id}",
        lambda store, parts: store.get_resources_by_id(parts.path["resources_id"]),
        c.GetResources,
        lambda x: Parts({"resources_id": "latest" if x.resources_id is None else x.resources_id}),
        lambda answer, x: v.maybe(ResourcesUpdate, answer),
    ),
    Operation(
        "POST",
        "/resources/{resources_id}",
        lambda store, parts: store.update_resources(parts.path["resources_id"], parts.fields()),
        c.UpdateResources,
        lambda x: Parts({"resources_id": x.resources_id}, body=v.dumped_resources(x.resources)),
        lambda answer, x: v.loaded(ResourcesUpdate, answer),
        writes=True,
    ),
    Operation("POST", "/spans", calls.add_span, status=201, writes=True),
    Operation("GET", "/spans", calls.query_spans),
    Operation(
        "POST",
        "/spans/search",
        calls.query_spans,
        c.QuerySpans,
        lambda x: Parts(body=v.search(x.query, rollout_id=x.rollout_id, attempt_id=x.attempt_id)),
        lambda answer, x: v.page(answer, lambda item: v.loaded(Span, item), x.query),
    ),
    Operation(
        "POST",
        "/spans/next",
        calls.next_ids,
        c.NextSpanIds,
        lambda x: Parts(body={"keys": [list(key) for key in x.keys]}),
        lambda answer, x: answer["sequence_ids"],
        writes=True,
    ),
    Operation(
        "POST",
        "/waits/rollouts",
        calls.wait,
        c.WaitForRollouts,
        lambda x: Parts(body={"rollout_ids": list(x.rollout_ids), "timeout": x.timeout}),
        lambda answer, x: [v.rollout(item) for item in answer],
    ),
    Operation("GET", "/statistics", lambda store, parts: store.statistics(), c.GetCounts),
    # Beyond 0.3.
    Operation(
        "POST",
        "/spans/batch",
        calls.add_spans,
        c.AddSpans,
        lambda x: Parts(body={"spans": v.dumped(list(x.spans)), "numbered": x.numbered}),
        _load_stored,
        201,
        writes=True,
    ),
)

BY_COMMAND = {row.command: row for row in OPERATIONS if row.command is not None}
