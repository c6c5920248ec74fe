"""Stores what legacy clients post: all of it or nothing, and once however often it is tried."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from agentlightning_compat.errors import CompatError, InvalidRequestError
from agentlightning_compat.legacy.drafts import SpanDraft
from agentlightning_compat.legacy.results import Report, report_drafts
from agentlightning_compat.legacy.trace_dicts import as_dict, span_id_of
from agentlightning_compat.model import AttemptStatus, RolloutLegacy, Span
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.span_codec import span_of


async def keep_report(store: LightningStore, report: RolloutLegacy, attempt_id: str) -> None:
    """Store a result and finish its attempt.

    A process that ends in between has stored spans of an attempt that is not finished. When the
    same result is posted again they are found to be there.

    Raises:
        InvalidRequestError: the result holds something that cannot be stored.
    """
    key = (report.rollout_id, attempt_id)
    try:
        drafts = _drafts(report, key)
    except CompatError:
        raise
    except ValueError as error:
        raise InvalidRequestError(f"{report.rollout_id}: {error}") from error
    if drafts:
        numbers = await store.get_many_span_sequence_ids([key] * len(drafts))
        await store.add_many_spans(list(map(_Spans(key), drafts, numbers)))
    changes: dict[str, Any] = {"metadata": report.metadata} if report.metadata else {}
    status: AttemptStatus = "failed" if is_bare(report) else "succeeded"
    await store.update_attempt(*key, status=status, **changes)


def is_bare(report: RolloutLegacy) -> bool:
    """Whether it says nothing but its id: so a legacy runner reported an agent that failed."""
    return report.final_reward is None and not (report.triplets or report.trace or report.logs)


def _drafts(report: RolloutLegacy, key: tuple[str, str]) -> list[SpanDraft]:
    """The spans of a report; those without an id of their own get one that follows from the key."""
    # The attempt has a place for the metadata.
    drafts = report_drafts(replace(Report.of(report), metadata=None))
    told = {_told_id(item) for item in report.trace or ()} - {None}
    derived = {
        number: _derived_id(key, number)
        for number, draft in enumerate(drafts)
        if draft.span_id not in told
    }
    renamed = {drafts[number].span_id: made for number, made in derived.items()}
    renamed.pop(None, None)
    for number, made in derived.items():
        drafts[number] = replace(drafts[number], span_id=made)
    return [
        replace(draft, parent_id=renamed[draft.parent_id]) if draft.parent_id in renamed else draft
        for draft in drafts
    ]


class _Spans:
    """Makes spans of an attempt; checked values need no second look by pydantic."""

    def __init__(self, key: tuple[str, str]) -> None:
        self._key = key
        # Of those that are in no trace of their own.
        self._trace_id = hashlib.sha256("/".join(key).encode("utf-8", "replace")).hexdigest()[:32]

    def __call__(self, draft: SpanDraft, number: int) -> Span:
        trace_id = f"{draft.trace_id:032x}" if draft.trace_id else self._trace_id
        span_id = f"{draft.span_id:016x}"
        parent_id = f"{draft.parent_id:016x}" if draft.parent_id else None
        fields: tuple[Any, ...] = (
            trace_id,
            span_id,
            parent_id,
            draft.name,
            (draft.status, draft.description, None),
            draft.attributes,
            [(event.name, event.attributes, event.time, None) for event in draft.events],
            [],
            draft.start,
            draft.end,
            (trace_id, span_id, False, {}, None),
            parent_id and (trace_id, parent_id, False, {}, None),
            ({}, ""),
            None,
        )
        return span_of(*self._key, number, fields)


def _told_id(item: Any) -> int | None:
    fields = as_dict(item)
    return span_id_of(fields) if isinstance(fields, dict) else None


def _derived_id(key: tuple[str, str], number: int) -> int:
    text = "/".join((*key, str(number)))
    return int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16], 16) or 1
