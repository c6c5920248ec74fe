"""What an agent returned under the legacy API, as something that 0.3's runner accepts."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.legacy import target
from agentlightning_compat.legacy.complaints import complain, shown
from agentlightning_compat.legacy.drafts import (
    SpanDraft,
    message_draft,
    metadata_draft,
    realise,
    reward_draft,
)
from agentlightning_compat.legacy.shapes import (
    are_spans,
    as_reward,
    is_report,
    is_triplet,
)
from agentlightning_compat.legacy.trace_dicts import as_dict, span_id_of, trace_drafts
from agentlightning_compat.legacy.triplets import LLM_CALL, triplet_drafts

_LLM_CALL = re.compile(re.escape(LLM_CALL))


@dataclass(frozen=True)
class Report:
    """What a legacy report says; `final_reward` is finite."""

    final_reward: float | None = None
    triplets: list[Any] | None = None
    trace: list[Any] | None = None
    logs: list[str] | None = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, value: Any) -> Report:
        """Read a value with the fields of a 0.1 `Rollout` or a `RolloutLegacy`."""
        return cls(
            final_reward=as_reward(value.final_reward),
            triplets=list(value.triplets or ()),
            trace=list(value.trace or ()),
            logs=list(getattr(value, "logs", None) or ()),
            metadata=dict(getattr(value, "metadata", None) or {}),
        )


def to_result(value: Any) -> float | list[Any] | None:
    """Return what an agent's rollout method returned in a form that `LitAgentRunner` accepts.

    ===========================================  ==================================================
    legacy return value                          becomes
    ===========================================  ==================================================
    `None`, empty list                           `None`: what was traced counts
    number, also numpy and one-element tensors   that number as a float, the final reward
    list of spans of one class                   the same list
    list of `Triplet`                            spans from which the triplet adapter of 0.3 reads
                                                 the same token ids and rewards
    list of dicts                                spans with the same ids, parents and times; a dict
                                                 that is not a span is kept as an object span
    0.1 `Rollout`, `RolloutLegacy`               its final reward if it holds no more, else the
                                                 spans for all it holds
    anything else                                `None`, and a logged warning with the user's line
    ===========================================  ==================================================

    0.1 took `int` and `bool` for no reward at all. They are rewards here, as they are in 0.3.
    As under the legacy API, LLM calls that the open tracer recorded stand for the rollout:
    triplets and dict traces that are returned beside them are left out, and that is logged.

    Raises:
        ValueError: a reward is NaN or infinite.
    """
    if value is None:
        return None
    reward = as_reward(value)
    if reward is not None:
        return reward
    if is_report(value):
        return report_result(Report.of(value), value)
    if isinstance(value, list):
        return _list_result(value)
    complain(f"the rollout returned {shown(value)}, which says nothing about a reward; ignored")
    return None


def report_result(report: Report, *hints: object) -> float | list[Any] | None:
    """Return a report as a float if it holds nothing but a final reward, else as spans."""
    report = _without_retold(report)
    if not (report.triplets or report.trace or report.logs or report.metadata):
        return report.final_reward
    drafts = report_drafts(report)
    return realise(drafts, *hints, *(report.triplets or ())) if drafts else None


def report_drafts(report: Report) -> list[SpanDraft]:
    """Return the spans for all that a report holds."""
    triplets = report.triplets or []
    final_reward = report.final_reward
    trace = trace_drafts(report.trace or ())
    if triplets and any(_LLM_CALL.search(draft.name) for draft in trace):
        # The trace has the calls that the triplets were made from.
        final_reward = _last_reward(triplets) if final_reward is None else final_reward
        triplets = []
    drafts = trace + _side_drafts(report)
    if triplets:
        drafts += triplet_drafts(triplets, final_reward)
    elif final_reward is not None:
        drafts.append(reward_draft(final_reward, time.time()))
    return drafts


def _list_result(values: list[Any]) -> list[Any] | float | None:
    if not values:
        return None
    if are_spans(values):
        return values
    if all(is_triplet(value) for value in values):
        return report_result(Report(triplets=values))
    if all(isinstance(value, dict) for value in values):
        return report_result(Report(trace=values))
    kinds = ", ".join(sorted({type(value).__name__ for value in values}))
    complain(f"the rollout returned a list of {kinds}, which the legacy API ignored; ignored")
    return None


def _last_reward(triplets: list[Any]) -> float | None:
    return as_reward(triplets[-1].reward)


def _side_drafts(report: Report) -> list[SpanDraft]:
    now = time.time()
    drafts = [message_draft(line, now) for line in report.logs or ()]
    return drafts + ([metadata_draft(report.metadata, now)] if report.metadata else [])


def _without_retold(report: Report) -> Report:
    """Drop what the open tracer has recorded by itself and would be stored twice."""
    traced = _traced_spans()
    if not traced or not (report.triplets or report.trace):
        return report
    if any(_LLM_CALL.search(span.name) for span in traced):
        complain(
            "the tracer recorded LLM calls, so the triplets or the trace returned beside them are"
            " left out, as under the legacy API"
        )
        return Report(report.final_reward, None, None, report.logs, report.metadata)
    known = {span_id_of(as_dict(span)) for span in traced} - {None}
    trace = [item for item in report.trace or () if _span_id(item) not in known]
    return Report(report.final_reward, report.triplets, trace, report.logs, report.metadata)


def _span_id(item: Any) -> int | None:
    fields = as_dict(item)
    return span_id_of(fields) if isinstance(fields, dict) else None


def _traced_spans() -> list[Any]:
    tracer = target.active_tracer()
    if tracer is None:
        return []
    try:
        return list(tracer.get_last_trace())
    except (NotImplementedError, RuntimeError):  # a tracer that keeps none, or was never set up
        return []
