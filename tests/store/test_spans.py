"""Spans: stored once, numbered, read."""

from __future__ import annotations

from tests.store.stage import refused


def numbers(spans):
    return [span.sequence_id for span in spans]


async def test_a_span_is_kept_as_it_is(stage):
    names = stage.names
    claimed = await stage.claimed()
    context = names.SpanContext(trace_id="t", span_id="s", is_remote=True, trace_state={"a": "b"})
    span = stage.span(
        claimed.rollout_id,
        claimed.attempt.attempt_id,
        7,
        parent_id="p",
        name="a 'name' \u00e9 \U0001f680",
        status=names.TraceStatus(status_code="ERROR", description="why"),
        attributes={
            "text": "x",
            "flag": True,
            "whole": 3,
            "part": 0.5,
            "texts": ["a", "b"],
            "numbers": [1, 2],
        },
        events=[names.Event(name="e", attributes={"k": 1}, timestamp=3.5)],
        links=[names.Link(context=context, attributes=None)],
        context=context,
        parent=context,
        start_time=None,
        kind="unheard of",
    )
    before = span.model_dump()
    stored = await stage.store.add_span(span)
    assert stored.model_dump() == before
    (found,) = await stage.store.query_spans(claimed.rollout_id)
    assert found.model_dump() == before
    assert found == span
    assert type(found.status) is names.TraceStatus
    assert found.kind == "unheard of"


async def test_spans_need_an_attempt(stage):
    queued = await stage.store.enqueue_rollout(1)
    await refused(stage.store.add_span(stage.span("nobody", "at-x")))
    await refused(stage.store.add_span(stage.span(queued.rollout_id, "at-x")))
    assert list(await stage.store.query_spans(queued.rollout_id)) == []


async def test_a_first_span_sets_the_attempt_running(stage):
    claimed = await stage.claimed()
    stage.clock.advance(3)
    await stage.add(claimed)
    attempt = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert (attempt.status, attempt.last_heartbeat_time) == ("running", stage.clock.now())
    assert await stage.status(claimed) == "running"


async def test_a_span_is_stored_once_per_attempt(stage):
    claimed = await stage.claimed()
    assert await stage.add(claimed, 1) is not None
    heard = stage.clock.now()
    stage.clock.advance(3)
    assert await stage.add(claimed, 1) is None
    attempt = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert attempt.last_heartbeat_time == heard
    second = await stage.store.start_attempt(claimed.rollout_id)
    assert await stage.add(second, 1) is not None
    assert len(await stage.store.query_spans(claimed.rollout_id)) == 2


async def test_a_span_of_an_older_attempt_does_not_move_the_rollout(stage):
    first = await stage.claimed()
    await stage.store.start_attempt(first.rollout_id)
    await stage.add(first)
    assert await stage.status(first) == "preparing"
    listed = await stage.store.query_attempts(first.rollout_id)
    assert [item.status for item in listed] == ["running", "preparing"]


async def test_a_span_of_a_finished_attempt_is_kept(stage):
    claimed = await stage.claimed()
    await stage.report(claimed, "succeeded")
    stage.clock.advance(1)
    await stage.add(claimed)
    attempt = await stage.store.get_latest_attempt(claimed.rollout_id)
    assert (attempt.status, attempt.last_heartbeat_time) == ("succeeded", stage.clock.now())
    assert await stage.status(claimed) == "succeeded"
    assert len(await stage.store.query_spans(claimed.rollout_id)) == 1


async def test_many_spans_at_once(stage):
    first, second = await stage.claimed(), await stage.claimed()
    spans = [
        stage.span(item.rollout_id, item.attempt.attempt_id, number)
        for number in (1, 2, 3)
        for item in (first, second)
    ]
    stored = await stage.store.add_many_spans(spans)
    assert sorted(numbers(stored)) == [1, 1, 2, 2, 3, 3]
    assert list(await stage.store.add_many_spans(spans)) == []
    assert list(await stage.store.add_many_spans([])) == []
    assert numbers(await stage.store.query_spans(second.rollout_id)) == [1, 2, 3]
    assert await stage.status(second) == "running"


async def test_those_that_are_stored_already_are_left_out(stage):
    claimed = await stage.claimed()
    await stage.add(claimed, 2)
    spans = [
        stage.span(claimed.rollout_id, claimed.attempt.attempt_id, number) for number in (1, 2, 3)
    ]
    assert numbers(await stage.store.add_many_spans(spans)) == [1, 3]
    assert numbers(await stage.store.query_spans(claimed.rollout_id)) == [1, 2, 3]


async def test_the_same_span_twice_in_one_batch_is_stored_once(stage):
    claimed = await stage.claimed()
    span = stage.span(claimed.rollout_id, claimed.attempt.attempt_id)
    assert len(await stage.store.add_many_spans([span, span])) == 1


async def test_many_spans_are_all_stored_or_none(stage):
    claimed = await stage.claimed()
    good = stage.span(claimed.rollout_id, claimed.attempt.attempt_id)
    await refused(stage.store.add_many_spans([good, stage.span("nobody", "at-x")]))
    assert list(await stage.store.query_spans(claimed.rollout_id)) == []
    assert await stage.status(claimed) == "preparing"


async def test_two_attempts_of_a_rollout_in_one_batch(stage):
    first = await stage.claimed()
    second = await stage.store.start_attempt(first.rollout_id)
    await stage.store.add_many_spans(
        [
            stage.span(first.rollout_id, item.attempt.attempt_id, number)
            for number, item in enumerate((second, first), 1)
        ]
    )
    listed = await stage.store.query_attempts(first.rollout_id)
    assert [item.status for item in listed] == ["running", "running"]
    assert await stage.status(first) == "running"


async def test_numbers_count_within_a_rollout(stage):
    first = await stage.claimed()
    other = await stage.claimed()
    key = (first.rollout_id, first.attempt.attempt_id)
    assert [await stage.store.get_next_span_sequence_id(*key) for _ in range(3)] == [1, 2, 3]
    assert (
        await stage.store.get_next_span_sequence_id(other.rollout_id, other.attempt.attempt_id) == 1
    )
    again = await stage.store.start_attempt(first.rollout_id)
    second_key = (again.rollout_id, again.attempt.attempt_id)
    assert await stage.store.get_next_span_sequence_id(*second_key) == 4


async def test_numbers_go_past_those_that_were_brought(stage):
    claimed = await stage.claimed()
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    await stage.add(claimed, 10)
    assert await stage.store.get_next_span_sequence_id(*key) == 11
    await stage.add(claimed, 5)
    assert await stage.store.get_next_span_sequence_id(*key) == 12


async def test_numbers_go_past_those_that_several_attempts_brought_together(stage):
    first = await stage.claimed()
    second = await stage.store.start_attempt(first.rollout_id)
    brought = ((second, 10), (first, 12), (second, 4), (first, 3))
    await stage.store.add_many_spans(
        [stage.span(first.rollout_id, item.attempt.attempt_id, number) for item, number in brought]
    )
    key = (first.rollout_id, first.attempt.attempt_id)
    assert await stage.store.get_next_span_sequence_id(*key) == 13


async def test_many_numbers_come_in_the_order_of_the_question(stage):
    first, second = await stage.claimed(), await stage.claimed()
    keys = [(item.rollout_id, item.attempt.attempt_id) for item in (first, second)]
    asked = [keys[0], keys[1], keys[0], keys[0], keys[1]]
    assert list(await stage.store.get_many_span_sequence_ids(asked)) == [1, 1, 2, 3, 2]
    assert list(await stage.store.get_many_span_sequence_ids([])) == []


async def test_unknown_rollouts_have_no_numbers(stage):
    claimed = await stage.claimed()
    known = (claimed.rollout_id, claimed.attempt.attempt_id)
    await refused(stage.store.get_next_span_sequence_id("nobody", "at-x"))
    await refused(stage.store.get_many_span_sequence_ids([known, ("nobody", "at-x")]))
    assert await stage.store.get_next_span_sequence_id(*known) == 1


async def test_spans_come_by_their_numbers(stage):
    claimed = await stage.claimed()
    for number in (3, 1, 2):
        await stage.add(claimed, number)
    query = stage.store.query_spans
    assert numbers(await query(claimed.rollout_id)) == [1, 2, 3]
    assert numbers(await query(claimed.rollout_id, sort_order="desc")) == [3, 2, 1]
    assert numbers(await query(claimed.rollout_id, sort_by=None)) == [3, 1, 2]
    page = await query(claimed.rollout_id, limit=1, offset=1)
    assert (numbers(page), page.total, page.limit, page.offset) == ([2], 3, 1, 1)


async def test_spans_of_one_attempt_or_of_the_latest(stage):
    first = await stage.claimed()
    await stage.add(first, 1)
    second = await stage.store.start_attempt(first.rollout_id)
    await stage.add(second, 2)
    query = stage.store.query_spans
    assert numbers(await query(first.rollout_id)) == [1, 2]
    assert numbers(await query(first.rollout_id, first.attempt.attempt_id)) == [1]
    assert numbers(await query(first.rollout_id, "latest")) == [2]
    assert numbers(await query(first.rollout_id, "at-none")) == []
    assert numbers(await query("nobody")) == []
    assert numbers(await query("nobody", "latest")) == []


async def some_spans(stage):
    claimed = await stage.claimed()
    for number, name, parent in [
        (1, "llm.call", None),
        (2, "tool.call", "p1"),
        (3, "llm.end", "p1"),
        (4, "100%_done", "q"),
    ]:
        await stage.add(claimed, number, name=name, parent_id=parent, trace_id=f"t{number}")
    return claimed.rollout_id


async def test_filters_of_spans(stage):
    rollout_id = await some_spans(stage)

    async def found(**filters):
        return numbers(await stage.store.query_spans(rollout_id, **filters))

    assert await found(name="llm.call") == [1]
    assert await found(name_contains="call") == [1, 2]
    assert await found(name_contains="%_") == [4]
    assert await found(name_contains="LLM") == []
    assert await found(parent_id="p1") == [2, 3]
    assert await found(parent_id_contains="p") == [2, 3]
    assert await found(trace_id="t3") == [3]
    assert await found(trace_id_contains="t") == [1, 2, 3, 4]
    assert await found(span_id=f"{2:016x}") == [2]
    assert await found(span_id_contains="0004") == [4]
    assert await found(name_contains="llm", parent_id="p1") == [3]
    assert await found(name="llm.call", parent_id="p1", filter_logic="or") == [1, 2, 3]


async def test_or_without_filters_is_everything(stage):
    rollout_id = await some_spans(stage)
    found = await stage.store.query_spans(rollout_id, filter_logic="or")
    assert numbers(found) == [1, 2, 3, 4]


async def test_spans_by_other_fields(stage):
    rollout_id = await some_spans(stage)

    async def found(**order):
        return numbers(await stage.store.query_spans(rollout_id, **order))

    assert await found(sort_by="name") == [4, 1, 3, 2]
    assert await found(sort_by="parent_id") == [1, 2, 3, 4]
    assert await found(sort_by="parent_id", sort_order="desc") == [4, 2, 3, 1]
    assert await found(sort_by="start_time") == [1, 2, 3, 4]
