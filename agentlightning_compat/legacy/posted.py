"""Stores what legacy clients post: all of it or nothing, and once however often it is tried."""

from __future__ import annotations

import hashlib
from typing import Any

from agentlightning_compat.errors import CompatError, InvalidRequestError
from agentlightning_compat.legacy.reporting import result_spans
from agentlightning_compat.legacy.trace_dicts import as_dict, span_id_of
from agentlightning_compat.model import AttemptStatus, RolloutLegacy, Span, SpanCoreFields
from agentlightning_compat.store.base import LightningStore


async def keep_report(store: LightningStore, report: RolloutLegacy, attempt_id: str) -> None:
    """Store a result and finish its attempt.

    A process that ends in between has stored spans of an attempt that is not finished. When the
    same result is posted again they are found to be there.

    Raises:
        InvalidRequestError: the result holds something that cannot be stored.
    """
    key = (report.rollout_id, attempt_id)
    try:
        spans = _spans(store, report, key)
    except CompatError:
        raise
    except ValueError as error:
        raise InvalidRequestError(f"{report.rollout_id}: {error}") from error
    if spans:
        numbers = await store.get_many_span_sequence_ids([key] * len(spans))
        for span, number in zip(spans, numbers, strict=True):
            span.sequence_id = number
        await store.add_many_spans(spans)
    changes: dict[str, Any] = {"metadata": report.metadata} if report.metadata else {}
    status: AttemptStatus = "failed" if is_bare(report) else "succeeded"
    await store.update_attempt(*key, status=status, **changes)


def is_bare(report: RolloutLegacy) -> bool:
    """Whether it says nothing but its id: so a legacy runner reported an agent that failed."""
    return report.final_reward is None and not (report.triplets or report.trace or report.logs)


def _spans(store: LightningStore, report: RolloutLegacy, key: tuple[str, str]) -> list[Span]:
    """The spans of a report; those without an id of their own get one that follows from the key."""
    told = {_told_id(item) for item in report.trace or ()}
    spans = [_span(item, key) for item in result_spans(store, report, {})]
    renamed: dict[str | None, str] = {
        span.span_id: _derived_id(key, number)
        for number, span in enumerate(spans)
        if int(span.span_id, 16) not in told
    }
    for span in spans:
        span.span_id = renamed.get(span.span_id, span.span_id)
        span.parent_id = renamed.get(span.parent_id, span.parent_id)
        if span.context is not None:
            span.context = span.context.model_copy(update={"span_id": span.span_id})
    return spans


def _span(item: Any, key: tuple[str, str]) -> Span:
    rollout_id, attempt_id = key
    if isinstance(item, SpanCoreFields) and not isinstance(item, Span):
        return Span.from_core_fields(
            item, rollout_id=rollout_id, attempt_id=attempt_id, sequence_id=0
        )
    span: Span = item.model_copy(update={"rollout_id": rollout_id, "attempt_id": attempt_id})
    return span


def _told_id(item: Any) -> int | None:
    fields = as_dict(item)
    return span_id_of(fields) if isinstance(fields, dict) else None


def _derived_id(key: tuple[str, str], number: int) -> str:
    text = "/".join((*key, str(number)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
