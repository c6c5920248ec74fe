"""Spans are numbered by the store that keeps them, in the call that brings them."""

from __future__ import annotations

from agentlightning_compat import InMemoryLightningStore, Span
from agentlightning_compat.errors import StoreUnavailableError
from agentlightning_compat.store.commands import AddSpans
from agentlightning_compat.tracer.writer import SpanWriter


class Noting(InMemoryLightningStore):
    """Notes what it is asked; the first answers to spans are lost, as over a network."""

    def __init__(self, lost=0):
        super().__init__()
        self.lost = lost
        self.asked = []

    async def _perform(self, command):
        answer = await super()._perform(command)
        self.asked.append(type(command).__name__)
        if isinstance(command, AddSpans) and self.lost:
            self.lost -= 1
            raise StoreUnavailableError("the answer is lost")
        return answer


class Counting(InMemoryLightningStore):
    """Somebody's own, with a public method of its own."""

    def __init__(self):
        super().__init__()
        self.batches = []

    async def add_many_spans(self, spans):
        self.batches.append(len(spans))
        return await super().add_many_spans(spans)


async def written(store, count):
    claimed = await store.start_rollout(None)
    key = (claimed.rollout_id, claimed.attempt.attempt_id)
    spans = [
        Span.from_attributes(attributes={"n": n}, rollout_id=key[0], attempt_id=key[1])
        for n in range(count)
    ]
    writer = SpanWriter(store, *key)
    for span in spans:
        writer.add(span)
    await writer.close()
    return spans, await store.query_spans(*key)


async def test_one_call_numbers_and_stores():
    store = Noting()
    spans, stored = await written(store, 3)
    assert [span.sequence_id for span in spans] == [1, 2, 3]
    assert [(s.span_id, s.sequence_id) for s in stored] == [
        (s.span_id, s.sequence_id) for s in spans
    ]
    assert store.asked == ["StartRollout", "AddSpans", "QuerySpans"]


async def test_numbers_whose_answer_was_lost_are_found_again():
    store = Noting(lost=1)
    spans, stored = await written(store, 3)
    assert store.asked.count("AddSpans") == 2
    assert [(s.span_id, s.sequence_id) for s in stored] == [
        (s.span_id, s.sequence_id) for s in spans
    ]
    assert [s.attributes["n"] for s in stored] == [0, 1, 2]


async def test_a_store_with_methods_of_its_own_is_asked_by_these():
    store = Counting()
    spans, stored = await written(store, 3)
    assert store.batches == [3]
    assert [span.sequence_id for span in spans] == [1, 2, 3]
    assert len(stored) == 3
