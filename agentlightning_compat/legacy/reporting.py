"""Hands in the result of a rollout, as `post_rollout` did."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypedDict

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.completed import stored_rollout
from agentlightning_compat.legacy.drafts import realise, reward_draft
from agentlightning_compat.legacy.results import Report, report_result, to_result
from agentlightning_compat.legacy.shapes import (
    as_reward,
    is_core_span,
    is_readable_span,
    is_report,
)
from agentlightning_compat.legacy.sync import wait

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ReportFields(TypedDict, total=False):
    """The fields of a legacy report, and the status that the attempt gets."""

    final_reward: Any
    triplets: list[Any] | None
    trace: list[Any] | None
    logs: list[str] | None
    metadata: dict[str, Any] | None
    status: str


_FIELDS = ReportFields.__optional_keys__


async def report_rollout_async(
    store: Any, rollout: Any, result: Any = None, **fields: Unpack[ReportFields]
) -> Any:
    """Store the result of `rollout` and finish its attempt.

    Args:
        store: any 0.3 store, or a client of one.
        rollout: what `poll_rollout` returned; or a rollout's id, or a report that holds it: then
            the latest attempt is the one that is finished.
        result: anything that `to_result` takes.
        **fields: `final_reward`, `triplets`, `trace`, `logs`, `metadata` as in a legacy report,
            over what `result` says; `status` is "succeeded" unless given ("failed").

    Returns:
        The finished `Attempt`.

    Raises:
        LookupError: the store has no attempt for the rollout id.
        ValueError: a reward is NaN or infinite.
        TypeError: a field that a report does not have.
    """
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        raise TypeError(f"report_rollout() got unexpected fields: {', '.join(unknown)}")
    if result is None and is_report(rollout):
        result = rollout
    metadata = _metadata(result, fields)
    spans = result_spans(store, result, fields)
    rollout_id, attempt_id = await _attempt_of(store, rollout)
    await write_spans(store, rollout_id, attempt_id, spans)
    changes = {"metadata": metadata} if metadata else {}
    return await store.update_attempt(
        rollout_id, attempt_id, status=fields.get("status", "succeeded"), **changes
    )


def report_rollout(
    store: Any, rollout: Any, result: Any = None, **fields: Unpack[ReportFields]
) -> Any:
    """Do what `report_rollout_async` does, from code that is not async."""
    return wait(report_rollout_async(store, rollout, result, **fields))


def _metadata(result: Any, fields: ReportFields) -> dict[str, Any]:
    reported = Report.of(result).metadata if is_report(result) else None
    return {**(reported or {}), **(fields.get("metadata") or {})}


def result_spans(store: Any, result: Any, fields: ReportFields) -> list[Any]:
    """Return the spans of a result; without its metadata, which the attempt has a place for."""
    if is_report(result) or any(fields.get(name) is not None for name in ("triplets", "trace")):
        base = Report.of(result) if is_report(result) else _bare_report(result)
        outcome = report_result(_merged(base, fields), store)
    elif fields.get("final_reward") is not None or fields.get("logs"):
        outcome = report_result(_merged(_bare_report(result), fields), store)
    else:
        outcome = to_result(result)
    if isinstance(outcome, float):
        return realise([reward_draft(outcome, time.time())], store)
    return list(outcome or ())


def _bare_report(result: Any) -> Report:
    """Read a result beside which report fields are given: a reward, or lists as in a report."""
    outcome = as_reward(result) if result is not None else None
    if outcome is not None or result is None:
        return Report(final_reward=outcome)
    if not isinstance(result, list):
        raise TypeError("a result beside report fields must be a number, a list or a report")
    kind = "triplets" if all(hasattr(item, "prompt") for item in result) else "trace"
    return Report(triplets=result) if kind == "triplets" else Report(trace=result)


def _merged(report: Report, fields: ReportFields) -> Report:
    reward = fields.get("final_reward")
    return Report(
        final_reward=report.final_reward if reward is None else as_reward(reward),
        triplets=fields.get("triplets") or report.triplets,
        trace=fields.get("trace") or report.trace,
        logs=fields.get("logs") or report.logs,
    )


async def _attempt_of(store: Any, rollout: Any) -> tuple[str, str]:
    attempt = getattr(rollout, "attempt", None)
    if attempt is not None:
        return rollout.rollout_id, attempt.attempt_id
    rollout_id = rollout if isinstance(rollout, str) else rollout.rollout_id
    latest = None
    if await stored_rollout(store, rollout_id) is not None:
        latest = await store.get_latest_attempt(rollout_id)
    if latest is None:
        raise LookupError(f"rollout {rollout_id!r} has no attempt in the store: was it claimed?")
    return rollout_id, latest.attempt_id


async def write_spans(store: Any, rollout_id: str, attempt_id: str, spans: list[Any]) -> None:
    """Store the spans of a result with an attempt."""
    if spans and all(is_readable_span(span) for span in spans):
        for span in spans:
            await store.add_otel_span(rollout_id, attempt_id, span)
    elif spans:
        numbers = await store.get_many_span_sequence_ids([(rollout_id, attempt_id)] * len(spans))
        await store.add_many_spans(
            [
                _owned(span, store, rollout_id, attempt_id, number)
                for span, number in zip(spans, numbers, strict=True)
            ]
        )


def _owned(span: Any, store: Any, rollout_id: str, attempt_id: str, number: int) -> Any:
    owner = {"rollout_id": rollout_id, "attempt_id": attempt_id, "sequence_id": number}
    if is_core_span(span):
        return target.api("Span", span, store).from_core_fields(span, **owner)
    return span.model_copy(update=owner)
