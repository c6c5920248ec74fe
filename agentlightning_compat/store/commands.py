"""What a store can be asked to do, as values.

The public methods check their arguments and make one of these; a backend answers it, a client
sends it. `Command[R]` is answered with an `R`. Those that make something are told whether they may
have done so before: `once`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from agentlightning_compat.lifecycle.records import ConfigRecord
from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    PaginatedResult,
    ResourcesUpdate,
    Rollout,
    Span,
    Worker,
)
from agentlightning_compat.model.unset import UNSET, Unset
from agentlightning_compat.store.once import Once, once
from agentlightning_compat.store.query import Query

R = TypeVar("R")


class Command(Generic[R]):
    """The base of all commands."""

    __slots__ = ()


class NewRollout(NamedTuple):
    """What is known about a rollout before it is one."""

    input: Any
    mode: str | None
    resources_id: str | None
    config: ConfigRecord
    metadata: dict[str, Any]


@dataclass(slots=True)
class StartRollout(Command[AttemptedRollout]):
    """A rollout that never sees the queue, and its first attempt."""

    new: NewRollout
    worker_id: str | None = None
    once: Once | None = field(default_factory=once, compare=False)


@dataclass(slots=True)
class EnqueueRollouts(Command[Sequence[Rollout]]):
    """Rollouts for the tail of the queue, in this order, all or none."""

    new: Sequence[NewRollout]
    once: Once | None = field(default_factory=once, compare=False)


@dataclass(slots=True)
class Dequeue(Command[Sequence[AttemptedRollout]]):
    """Claim up to `limit` rollouts, oldest first; `wait` seconds for the first of them."""

    limit: int
    worker_id: str | None = None
    wait: float | None = None
    once: Once | None = field(default_factory=once, compare=False)


@dataclass(slots=True)
class StartAttempt(Command[AttemptedRollout]):
    """One more attempt at a rollout, whatever its status is."""

    rollout_id: str
    worker_id: str | None = None
    once: Once | None = field(default_factory=once, compare=False)


@dataclass(slots=True)
class GetRollout(Command[Rollout | None]):
    """A rollout with its latest attempt, if it has one."""

    rollout_id: str


@dataclass(slots=True)
class QueryRollouts(Command[PaginatedResult[Rollout]]):
    """Rollouts with their latest attempts."""

    query: Query


@dataclass(slots=True)
class UpdateRollout(Command[Rollout]):
    """Change these fields of a rollout; `config` is a `ConfigRecord`."""

    rollout_id: str
    changes: dict[str, Any]


@dataclass(slots=True)
class WaitForRollouts(Command[list[Rollout]]):
    """The rollouts among these that are finished within `timeout` seconds (None: no limit)."""

    rollout_ids: Sequence[str]
    timeout: float | None = None


@dataclass(slots=True)
class GetFinished(Command[Sequence["Rollout | None"]]):
    """For each id in turn: the rollout if it is finished or unknown (None), else left out."""

    rollout_ids: Sequence[str]


@dataclass(slots=True)
class QueryAttempts(Command[PaginatedResult[Attempt]]):
    """Attempts of one rollout."""

    query: Query


@dataclass(slots=True)
class GetLatestAttempt(Command[Attempt | None]):
    """The attempt of a rollout with the highest sequence id."""

    rollout_id: str


@dataclass(slots=True)
class UpdateAttempt(Command[Attempt]):
    """Change these fields of an attempt; the id may be `latest`."""

    rollout_id: str
    attempt_id: str
    changes: dict[str, Any]


@dataclass(slots=True)
class AddSpans(Command[Sequence[Span]]):
    """Store spans, all or none, but for those that are stored already.

    `numbered`: they bring their sequence ids; otherwise they are given the next ones.
    """

    spans: Sequence[Span]
    numbered: bool = True


@dataclass(slots=True)
class NextSpanIds(Command[Sequence[int]]):
    """One fresh sequence id for each (rollout id, attempt id), in this order."""

    keys: Sequence[tuple[str, str]]


@dataclass(slots=True)
class QuerySpans(Command[PaginatedResult[Span]]):
    """Spans of one rollout; the attempt may be an id, `latest` or None for all."""

    rollout_id: str
    attempt_id: str | None
    query: Query


@dataclass(slots=True)
class AddResources(Command[ResourcesUpdate]):
    """A new set of resources, the latest from now on."""

    resources: dict[str, Any]
    once: Once | None = field(default_factory=once, compare=False)


@dataclass(slots=True)
class UpdateResources(Command[ResourcesUpdate]):
    """Replace a set of resources, or add it under this id; the latest from now on."""

    resources_id: str
    resources: dict[str, Any]


@dataclass(slots=True)
class GetResources(Command[ResourcesUpdate | None]):
    """A set of resources; without an id the latest."""

    resources_id: str | None = None


@dataclass(slots=True)
class QueryResources(Command[PaginatedResult[ResourcesUpdate]]):
    """Sets of resources."""

    query: Query


@dataclass(slots=True)
class UpdateWorker(Command[Worker]):
    """A sign of life of a worker."""

    worker_id: str
    heartbeat_stats: dict[str, Any] | Unset = UNSET


@dataclass(slots=True)
class GetWorker(Command[Worker | None]):
    """A worker."""

    worker_id: str


@dataclass(slots=True)
class QueryWorkers(Command[PaginatedResult[Worker]]):
    """Workers."""

    query: Query


@dataclass(slots=True)
class GetCounts(Command[dict[str, int]]):
    """How many of each kind there are: `total_rollouts` and so on."""


@dataclass(slots=True)
class Sweep(Command["float | None"]):
    """Find what is overdue; answered with the time to look again, None when there is none."""
