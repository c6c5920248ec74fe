"""The public methods about spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from agentlightning_compat.model import PaginatedResult, Span
from agentlightning_compat.store import commands as c
from agentlightning_compat.store.contract import arguments as check
from agentlightning_compat.store.contract.performing import Performing
from agentlightning_compat.store.query import make_query

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan


class SpanMethods(Performing):
    """Store, number and read spans."""

    async def add_span(self, span: Span) -> Span | None:
        """Store a span; None when this span of this attempt is stored already.

        A new span is a heartbeat of its attempt, and a first one sets it running.

        Raises:
            RolloutNotFoundError: there is no such rollout.
            AttemptNotFoundError: the rollout has no such attempt.
        """
        stored = await self._perform(c.AddSpans((check.span(span),)))
        return stored[0] if stored else None

    async def add_many_spans(self, spans: Sequence[Span]) -> Sequence[Span]:
        """Store spans, all or none; the result leaves out those that were stored already.

        Raises:
            RolloutNotFoundError: a rollout is unknown.
            AttemptNotFoundError: an attempt is unknown.
        """
        listed = [check.span(span) for span in spans]
        return await self._perform(c.AddSpans(listed)) if listed else []

    async def add_otel_span(
        self,
        rollout_id: str,
        attempt_id: str,
        readable_span: ReadableSpan,
        sequence_id: int | None = None,
    ) -> Span | None:
        """Store a span of the OpenTelemetry SDK; without `sequence_id` it gets the next one.

        Raises:
            RolloutNotFoundError: there is no such rollout.
            AttemptNotFoundError: the rollout has no such attempt.
        """
        span = Span.from_opentelemetry(readable_span, rollout_id, attempt_id, sequence_id or 0)
        stored = await self._perform(c.AddSpans((span,), numbered=sequence_id is not None))
        return stored[0] if stored else None

    async def get_next_span_sequence_id(self, rollout_id: str, attempt_id: str) -> int:
        """A number for the next span: 1, 2, 3, ... within a rollout, over all its attempts.

        Raises:
            RolloutNotFoundError: there is no such rollout.
        """
        (taken,) = await self._perform(c.NextSpanIds(check.pairs([(rollout_id, attempt_id)])))
        return taken

    async def get_many_span_sequence_ids(
        self, rollout_attempt_ids: Sequence[tuple[str, str]]
    ) -> Sequence[int]:
        """A number for each, in this order.

        Raises:
            RolloutNotFoundError: a rollout is unknown; then no number was taken.
        """
        keys = check.pairs(rollout_attempt_ids)
        return await self._perform(c.NextSpanIds(keys)) if keys else []

    async def query_spans(  # noqa: PLR0913, the public signature
        self,
        rollout_id: str,
        attempt_id: str | Literal["latest"] | None = None,
        *,
        trace_id: str | None = None,
        trace_id_contains: str | None = None,
        span_id: str | None = None,
        span_id_contains: str | None = None,
        parent_id: str | None = None,
        parent_id_contains: str | None = None,
        name: str | None = None,
        name_contains: str | None = None,
        filter_logic: Literal["and", "or"] = "and",
        limit: int = -1,
        offset: int = 0,
        sort_by: str | None = "sequence_id",
        sort_order: Literal["asc", "desc"] = "asc",
    ) -> PaginatedResult[Span]:
        """The spans of a rollout, of one attempt or (None) of all, that match.

        Raises:
            InvalidRequestError: an argument has no meaning.
            SpansEvictedError: they were dropped to stay within the memory bounds.
        """
        query = make_query(
            "spans",
            trace_id=trace_id,
            trace_id_contains=trace_id_contains,
            span_id=span_id,
            span_id_contains=span_id_contains,
            parent_id=parent_id,
            parent_id_contains=parent_id_contains,
            name=name,
            name_contains=name_contains,
            filter_logic=filter_logic,
            limit=limit,
            offset=offset,
            sort_by=sort_by,
            sort_order=sort_order,
        )
        rollout_id = check.text("rollout_id", rollout_id)
        attempt_id = check.maybe_text("attempt_id", attempt_id)
        return await self._perform(c.QuerySpans(rollout_id, attempt_id, query))


def can_number(store: object) -> bool:
    """Whether a store can be told by one command to number spans and store them: nobody has put
    methods of their own in the place of those that would do it."""
    kind = type(store)
    return (
        issubclass(kind, SpanMethods)
        and kind._perform is not Performing._perform
        and kind.add_many_spans is SpanMethods.add_many_spans
        and kind.get_many_span_sequence_ids is SpanMethods.get_many_span_sequence_ids
    )
