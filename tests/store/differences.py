"""Which tests show a deliberate difference from agentlightning 0.3.0: test -> its name.

The names are those of `agentlightning_compat/differences.toml`, which says what and why.
"""

from __future__ import annotations

# Tests of the conformance suite. They have to fail on the real store, all others to pass on it.
DIFFERENCES: dict[str, str] = {
    "test_attempts.test_a_status_without_meaning_is_not_written": "refused-before-written",
    "test_attempts.test_a_note_does_not_bring_back_a_cancelled_rollout": (
        "only-a-status-moves-a-rollout"
    ),
    "test_attempts.test_a_cancelled_rollout_stays_cancelled_whatever_is_reported": (
        "cancelled-stays-cancelled"
    ),
    "test_queries.test_questions_without_meaning": "queries-are-checked",
    "test_queue.test_who_left_the_queue_and_comes_back_is_last": "back-in-the-queue-is-last",
    "test_rollouts.test_a_rollout_that_starts_again_has_not_ended": "end-time-is-cleared",
    "test_snapshots.test_a_configuration_is_not_shared": "snapshots",
    "test_snapshots.test_a_task_is_not_shared": "snapshots",
    "test_snapshots.test_changing_what_was_handed_out_changes_nothing": "snapshots",
    "test_snapshots.test_resources_are_not_shared": "snapshots",
    "test_snapshots.test_spans_are_not_shared": "snapshots",
    "test_snapshots.test_what_was_handed_out_does_not_change": "snapshots",
    "test_spans.test_many_spans_are_all_stored_or_none": "span-batches-are-whole",
    "test_spans.test_or_without_filters_is_everything": "or-without-filters",
    "test_spans.test_those_that_are_stored_already_are_left_out": "duplicates-only-are-left-out",
    "test_spans.test_unknown_rollouts_have_no_numbers": "numbers-need-a-rollout",
    "test_waiting.test_a_rollout_that_started_again_is_waited_for_again": "end-time-is-cleared",
    "test_workers.test_a_late_report_does_not_touch_what_it_does_now": (
        "late-report-leaves-the-worker"
    ),
}

# Tests that the real store cannot be given, or that it passes only as it is set up there.
SHOWN_HERE: dict[str, str] = {
    "test_own_differences.test_a_refused_span_takes_no_number": "numbers-need-a-rollout",
    "test_own_differences.test_what_goes_on_has_no_end": "end-time-is-cleared",
    "test_own_differences.test_the_wrapper_passes_everything_on": "threaded-passes-all",
    "test_own_errors.test_unknown_ids_are_told_apart": "errors-have-classes",
    "test_own_memory.test_the_default_estimate_is_near_the_truth": "sizes-of-spans",
    "test_own_memory.test_what_is_worked_on_is_dropped_last": "running-spans-go-last",
    "test_own_threaded.test_a_call_that_waits_holds_up_no_other": "threaded-passes-all",
    "test_own_values.test_a_value_that_is_refused_leaves_no_trace": "values-have-a-depth",
    "test_own_watchdog.test_a_waiter_hears_of_a_timeout": "watchdog-by-itself",
    "test_timeouts.test_an_attempt_whose_time_is_over_does_not_come_back": (
        "late-span-keeps-the-retry"
    ),
    "test_waiting.test_many_wait_for_the_same": "waiting-takes-no-thread",
}
