"""What the rows of `wire` take and give, for the OpenAPI document: one line for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from agentlightning_compat.http.checking import LARGEST
from agentlightning_compat.model import AttemptStatus, RolloutMode, RolloutStatus, WorkerStatus
from agentlightning_compat.store.query import SORTABLE

Schema = dict[str, Any]


class Described(NamedTuple):
    """A row in words and JSON Schema.

    `takes`: the body. `needed`: it has to be there. `asks`: what may stand in the query string.
    `errors`: statuses of errors besides those that every operation knows.
    """

    summary: str
    gives: Schema
    takes: Schema | None = None
    needed: bool = True
    asks: Mapping[str, Schema] | None = None
    errors: Sequence[int] = ()


def ref(name: str) -> Schema:
    """A schema of the document, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def items(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def fields(needed: Sequence[str] = (), **known: Schema) -> Schema:
    """An object with these fields; others are not looked at."""
    found: Schema = {"type": "object", "properties": known}
    return {**found, "required": list(needed)} if needed else found


def one_of(literal: Any) -> Schema:
    """One of the texts of a Literal."""
    return {"type": "string", "enum": list(get_args(literal))}


TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
ANY: Schema = {}

_TEXTS = items(TEXT)
_ROLLOUT = {"anyOf": [ref("AttemptedRollout"), ref("Rollout")]}
_ENQUEUED = fields(
    ["input"],
    input=ANY,
    mode=maybe(one_of(RolloutMode)),
    resources_id=maybe(TEXT),
    config=maybe(ref("RolloutConfig")),
    metadata=maybe(OBJECT),
)
_STARTED = fields(["input"], **_ENQUEUED["properties"], worker_id=maybe(TEXT))
_WORKER = fields(worker_id=maybe(TEXT))
_RESOURCES = {"type": "object", "additionalProperties": ref("Resource")}
_WAIT = {**NUMBER, "description": "Seconds to wait for something; the server may wait less."}
_AMOUNT = {**WHOLE, "minimum": -LARGEST, "maximum": LARGEST}
_DEQUEUED = fields(limit={**_AMOUNT, "default": 1}, worker_id=maybe(TEXT), wait=maybe(_WAIT))


def _filters(kind: str, **filters: Schema) -> Mapping[str, Schema]:
    filtered = kind not in ("attempts", "resources")
    logic = {"filter_logic": {"type": "string", "enum": ["and", "or"], "default": "and"}}
    default = {"default": "sequence_id"} if kind in ("attempts", "spans") else {}
    return {
        **filters,
        **(logic if filtered else {}),
        "sort_by": {"type": "string", "enum": list(SORTABLE[kind]), **default},
        "sort_order": {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
        "limit": {**WHOLE, "minimum": -1, "maximum": LARGEST, "default": -1},
        "offset": {**WHOLE, "minimum": 0, "maximum": LARGEST, "default": 0},
    }


def _search(asks: Mapping[str, Schema], *needed: str) -> Schema:
    known = {name: schema if name in needed else maybe(schema) for name, schema in asks.items()}
    return fields(needed, **known)


_OF_ROLLOUTS = _filters(
    "rollouts",
    status_in=items(one_of(RolloutStatus)),
    rollout_id_in=_TEXTS,
    rollout_id_contains=TEXT,
    mode_in=_TEXTS,
)
_OF_ATTEMPTS = _filters("attempts")
_OF_WORKERS = _filters("workers", status_in=items(one_of(WorkerStatus)), worker_id_contains=TEXT)
_OF_RESOURCES = _filters("resources", resources_id=TEXT, resources_id_contains=TEXT)
_OF_SPANS = _filters(
    "spans",
    rollout_id=TEXT,
    attempt_id=TEXT,
    **{
        f"{name}{suffix}": TEXT
        for name in ("trace_id", "span_id", "parent_id", "name")
        for suffix in ("", "_contains")
    },
)


def page(kind: Schema) -> Schema:
    """A page of these."""
    known = {"items": items(kind), "limit": WHOLE, "offset": WHOLE, "total": WHOLE}
    return fields(list(known), **known)


_ATTEMPTS = page(ref("Attempt"))
_SPANS = page(ref("Span"))
_KEYS = items({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2})

ROWS: Mapping[str, Described] = {
    "POST /queues/rollouts/enqueue": Described(
        "Put rollouts at the end of the queue",
        items(ref("Rollout")),
        fields(["rollouts"], rollouts=items(ref("EnqueueRolloutRequest"))),
    ),
    "POST /queues/rollouts/dequeue": Described(
        "Claim the first rollouts of the queue, waiting for one if asked to",
        items(ref("AttemptedRollout")),
        _DEQUEUED,
        needed=False,
    ),
    "POST /queues/rollouts/dequeue/give-up": Described(
        "End a claim that nobody waits for, by the key that it was sent with",
        items(ref("AttemptedRollout")),
        fields(["key"], key=TEXT),
    ),
    "POST /rollouts": Described(
        "Make a rollout that is worked on at once", ref("AttemptedRollout"), _STARTED
    ),
    "GET /rollouts": Described("Search for rollouts", page(_ROLLOUT), asks=_OF_ROLLOUTS),
    "POST /rollouts/search": Described(
        "Search for rollouts", page(_ROLLOUT), _search(_OF_ROLLOUTS), needed=False
    ),
    "GET /rollouts/{rollout_id}": Described(
        "A rollout with its latest attempt, or null", maybe(_ROLLOUT)
    ),
    "POST /rollouts/{rollout_id}": Described(
        "Change fields of a rollout",
        ref("Rollout"),
        fields(
            input=ANY,
            mode=maybe(one_of(RolloutMode)),
            resources_id=maybe(TEXT),
            status=one_of(RolloutStatus),
            config=ref("RolloutConfig"),
            metadata=maybe(OBJECT),
        ),
        needed=False,
        errors=(404,),
    ),
    "POST /rollouts/{rollout_id}/attempts": Described(
        "Begin another attempt", ref("AttemptedRollout"), _WORKER, needed=False, errors=(404,)
    ),
    "GET /rollouts/{rollout_id}/attempts": Described(
        "The attempts at a rollout", _ATTEMPTS, asks=_OF_ATTEMPTS
    ),
    "POST /rollouts/{rollout_id}/attempts/search": Described(
        "The attempts at a rollout", _ATTEMPTS, _search(_OF_ATTEMPTS), needed=False
    ),
    "GET /rollouts/{rollout_id}/attempts/latest": Described(
        "The latest attempt, or null", maybe(ref("Attempt"))
    ),
    "POST /rollouts/{rollout_id}/attempts/{attempt_id}": Described(
        "Change fields of an attempt; `latest` names the latest",
        ref("Attempt"),
        fields(
            status=one_of(AttemptStatus),
            worker_id=TEXT,
            last_heartbeat_time=NUMBER,
            metadata=maybe(OBJECT),
        ),
        needed=False,
        errors=(404,),
    ),
    "GET /workers": Described("Search for workers", page(ref("Worker")), asks=_OF_WORKERS),
    "POST /workers/search": Described(
        "Search for workers", page(ref("Worker")), _search(_OF_WORKERS), needed=False
    ),
    "GET /workers/{worker_id}": Described("A worker, or null", maybe(ref("Worker"))),
    "POST /workers/{worker_id}": Described(
        "Note that a worker is alive", ref("Worker"), fields(heartbeat_stats=OBJECT), needed=False
    ),
    "GET /resources": Described(
        "Search for resources", page(ref("ResourcesUpdate")), asks=_OF_RESOURCES
    ),
    "POST /resources": Described("Add resources", ref("ResourcesUpdate"), _RESOURCES, needed=False),
    "GET /resources/latest": Described(
        "The latest resources, or null", maybe(ref("ResourcesUpdate"))
    ),
    "GET /resources/{resources_id}": Described("Resources, or null", maybe(ref("ResourcesUpdate"))),
    "POST /resources/{resources_id}": Described(
        "Add resources under an id, or replace them",
        ref("ResourcesUpdate"),
        _RESOURCES,
        needed=False,
    ),
    "POST /spans": Described(
        "Add a span; null if it was there already",
        maybe(ref("Span")),
        ref("Span"),
        errors=(404,),
    ),
    "POST /spans/batch": Described(
        "Add spans: the number that each is stored with, or null if it was there already",
        fields(["stored"], stored=items(maybe(WHOLE))),
        fields(
            ["spans"],
            spans=items(ref("Span")),
            numbered={
                "type": "boolean",
                "default": True,
                "description": "Whether the spans bring their sequence ids.",
            },
        ),
        errors=(404,),
    ),
    "GET /spans": Described("Search for spans", _SPANS, asks=_OF_SPANS, errors=(404, 410)),
    "POST /spans/search": Described(
        "Search for spans", _SPANS, _search(_OF_SPANS, "rollout_id"), errors=(404, 410)
    ),
    "POST /spans/next": Described(
        "Take the next sequence id of an attempt, or of many",
        {
            "anyOf": [
                fields(["sequence_id"], sequence_id=WHOLE),
                fields(["sequence_ids"], sequence_ids=items(WHOLE)),
            ]
        },
        {
            "anyOf": [
                fields(["rollout_id", "attempt_id"], rollout_id=TEXT, attempt_id=TEXT),
                fields(["keys"], keys=_KEYS),
            ]
        },
        errors=(404,),
    ),
    "POST /waits/rollouts": Described(
        "Wait until rollouts are finished: those that are",
        items(_ROLLOUT),
        fields(["rollout_ids"], rollout_ids=_TEXTS, timeout=maybe(_WAIT)),
    ),
    "GET /statistics": Described("How much is in the store", ref("Statistics")),
}
