"""What an agent returned, as spans and a reward."""

from __future__ import annotations

import logging
import math
import reprlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from agentlightning_compat.emitter.reward import emit_reward, find_final_reward
from agentlightning_compat.model import AttemptedRollout, Span, SpanCoreFields
from agentlightning_compat.runner.patience import Patience
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.tracer.writer import put

_log = logging.getLogger(__name__)

ACCEPTED = (
    "None, a number as the final reward, or a list of OpenTelemetry spans, of Span or of"
    " SpanCoreFields"
)


class Result(NamedTuple):
    """The spans that were stored because they were returned, and the final reward if any."""

    spans: Sequence[Span]
    reward: float | None


class Results:
    """Stores what agents return for one attempt."""

    def __init__(
        self, store: LightningStore, tracer: Any, rollout: AttemptedRollout, patience: Patience
    ) -> None:
        self._store = store
        self._tracer = tracer
        self._patience = patience
        self._key = (rollout.rollout_id, rollout.attempt.attempt_id)

    async def keep(self, returned: Any) -> Result:
        """Store it.

        Raises:
            TypeError: it is nothing that an agent may return.
            ValueError: a list of several kinds, a reward that is no finite number, or a span of
                another rollout.
        """
        if returned is None:
            return Result((), final_reward(self._traced()))
        if isinstance(returned, (bool, int, float)):
            return await self._reward(returned)
        if not isinstance(returned, list):
            raise TypeError(f"the agent returned {_shown(returned)}; accepted are {ACCEPTED}")
        return await self._list(returned)

    def _traced(self) -> list[Span]:
        return list(self._tracer.get_last_trace())

    def _result(self, spans: Sequence[Span]) -> Result:
        return Result(spans, final_reward(spans))

    async def _reward(self, returned: float) -> Result:
        reward = float(returned)
        if not math.isfinite(reward):
            raise ValueError(f"the agent returned {reward} as its reward; a reward is finite")
        core = emit_reward(reward, propagate=False)
        return Result(await self._numbered([core]), reward)

    async def _list(self, returned: list[Any]) -> Result:
        if not returned:
            _log.warning("the agent returned an empty list for %s", self._key[0])
            return Result((), None)
        if all(isinstance(item, Span) for item in returned):
            return self._result(await self._own(returned))
        if all(isinstance(item, SpanCoreFields) for item in returned):
            return self._result(await self._numbered(returned))
        readable = _readable_span()
        if readable is not None and all(isinstance(item, readable) for item in returned):
            return await self._otel(returned)
        kinds = ", ".join(dict.fromkeys(type(item).__qualname__ for item in returned))
        raise ValueError(f"the agent returned a list of {kinds}; accepted are {ACCEPTED}")

    async def _numbered(self, cores: Sequence[SpanCoreFields]) -> Sequence[Span]:
        rollout_id, attempt_id = self._key
        spans = [
            Span.from_core_fields(core, rollout_id=rollout_id, attempt_id=attempt_id)
            for core in cores
        ]
        await self._put(spans)
        return spans

    async def _otel(self, items: Sequence[Any]) -> Result:
        known = {span.span_id for span in self._traced()}
        spans = [Span.from_opentelemetry(item, *self._key, sequence_id=0) for item in items]
        new = [span for span in spans if span.span_id not in known]
        if len(new) < len(spans):
            # The tracer stores them by itself: an agent need not return them.
            _log.info("%s returned spans that were traced already", self._key[0])
        await self._put(new)
        return Result(new, final_reward(spans))

    async def _own(self, spans: Sequence[Span]) -> Sequence[Span]:
        rollout_id, attempt_id = self._key
        for span in spans:
            if (span.rollout_id or rollout_id, span.attempt_id or attempt_id) != self._key:
                raise ValueError(
                    f"the agent returned a span of {span.rollout_id} {span.attempt_id} for"
                    f" {rollout_id} {attempt_id}: a span is stored with its own attempt only"
                )
        loose = [span for span in spans if not (span.rollout_id and span.attempt_id)]
        ids = dict(zip(map(id, loose), await self._numbers(len(loose)), strict=True))
        placed = [
            span
            if id(span) not in ids
            else span.model_copy(
                update={
                    "rollout_id": rollout_id,
                    "attempt_id": attempt_id,
                    "sequence_id": span.sequence_id or ids[id(span)],
                }
            )
            for span in spans
        ]
        await self._stored(placed)
        return placed

    async def _numbers(self, count: int) -> Sequence[int]:
        if not count:
            return []
        keys = [self._key] * count
        return await self._patience.ask(lambda: self._store.get_many_span_sequence_ids(keys))

    async def _put(self, spans: Sequence[Span]) -> None:
        # May be asked twice, as below. Who stores them numbers them.
        if spans:
            await self._patience.ask(lambda: put(self._store, self._key, spans))

    async def _stored(self, spans: Sequence[Span]) -> None:
        # May be asked twice: a span that is there already is left out.
        if spans:
            await self._patience.ask(lambda: self._store.add_many_spans(spans))


def final_reward(spans: Sequence[Span]) -> float | None:
    """The last reward in these spans; None if there is none, or one that cannot be read."""
    try:
        return find_final_reward(spans)
    except ValueError as error:
        # It is stored as it is; only counts and means go without it.
        _log.warning("a span that looks like a reward is none: %s", error)
        return None


def _readable_span() -> Any:
    # Nobody can have made one before this was imported.
    return getattr(sys.modules.get("opentelemetry.sdk.trace"), "ReadableSpan", None)


def _shown(value: Any) -> str:
    return f"{reprlib.repr(value)} ({type(value).__module__}.{type(value).__qualname__})"
