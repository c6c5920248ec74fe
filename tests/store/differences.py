"""Where our stores differ from agentlightning 0.3.0's on purpose: test -> reason.

These tests have to fail on the real store, all others of the suite have to pass on it.
"""

from __future__ import annotations

_LIVE = "0.3.0 hands out the objects that it keeps; here they are snapshots"

DIFFERENCES: dict[str, str] = {
    "test_attempts.test_a_status_without_meaning_is_not_written": (
        "0.3.0 raises after it has written the status"
    ),
    "test_attempts.test_a_note_does_not_bring_back_a_cancelled_rollout": (
        "0.3.0 derives the rollout's status anew from every update, also from a note"
    ),
    "test_attempts.test_a_cancelled_rollout_stays_cancelled_whatever_is_reported": (
        "whoever cancels decides; 0.3.0 lets a late report of the attempt undo it"
    ),
    "test_queries.test_questions_without_meaning": (
        "0.3.0 answers some of them with an empty page, its server refuses them"
    ),
    "test_queue.test_who_left_the_queue_and_comes_back_is_last": (
        "0.3.0 gives it the place that it had before"
    ),
    "test_rollouts.test_a_rollout_that_starts_again_has_not_ended": (
        "0.3.0 keeps the old end_time, so that waiting for it ends at once"
    ),
    "test_snapshots.test_a_configuration_is_not_shared": _LIVE,
    "test_snapshots.test_a_task_is_not_shared": _LIVE,
    "test_snapshots.test_changing_what_was_handed_out_changes_nothing": _LIVE,
    "test_snapshots.test_resources_are_not_shared": _LIVE,
    "test_snapshots.test_spans_are_not_shared": _LIVE,
    "test_snapshots.test_what_was_handed_out_does_not_change": _LIVE,
    "test_spans.test_many_spans_are_all_stored_or_none": (
        "0.3.0 stores those before the first that it cannot store, and then raises"
    ),
    "test_spans.test_or_without_filters_is_everything": (
        "no condition holds for nothing in 0.3.0's query_spans, but for everything in its "
        "query_rollouts and query_workers"
    ),
    "test_spans.test_those_that_are_stored_already_are_left_out": (
        "0.3.0 also leaves out the new spans before the first that was stored already"
    ),
    "test_spans.test_unknown_rollouts_have_no_numbers": (
        "0.3.0 counts for every id it is given, and keeps the counter"
    ),
    "test_waiting.test_a_rollout_that_started_again_is_waited_for_again": (
        "0.3.0 takes its old end_time for an end, and answers without it"
    ),
    "test_workers.test_a_late_report_does_not_touch_what_it_does_now": (
        "0.3.0 makes a worker idle that has gone on to another attempt"
    ),
}
