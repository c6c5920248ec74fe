"""Trace contexts: which spans belong to one, and that they are in the store when it is left."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import pickle
import threading

import pytest

import agentlightning_compat
from agentlightning_compat import (
    DummyTracer,
    InMemoryLightningStore,
    OtelTracer,
    Span,
    Tracer,
    clear_active_tracer,
    emit_message,
    emit_reward,
    get_active_tracer,
    get_message_value,
    operation,
    set_active_tracer,
)
from agentlightning_compat.errors import StorageError, StoreUnavailableError
from agentlightning_compat.tracer import recording, writer
from agentlightning_compat.tracer.base import with_active_tracer_context


@pytest.fixture(params=[DummyTracer, OtelTracer])
def tracer(request):
    made = request.param()
    with made.lifespan():
        yield made


async def _attempt(store):
    rollout = await store.start_rollout(input="x")
    return {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}


def _messages(spans):
    return [text for span in spans if (text := get_message_value(span)) is not None]


async def test_the_spans_are_in_the_store_when_the_context_is_left(tracer):
    store = InMemoryLightningStore()
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    async with tracer.trace_context("name", **ids):
        assert get_active_tracer() is tracer
        for index in range(5):
            emit_message(str(index))
        assert _messages(tracer.get_last_trace()) == ["0", "1", "2", "3", "4"]
    assert get_active_tracer() is None
    stored = list(await store.query_spans(ids["rollout_id"]))
    assert _messages(stored) == ["0", "1", "2", "3", "4"]
    assert [span.sequence_id for span in stored] == [1, 2, 3, 4, 5]
    assert {(span.rollout_id, span.attempt_id) for span in stored} == {tuple(ids.values())}
    assert [s.model_dump() for s in tracer.get_last_trace()] == [s.model_dump() for s in stored]


async def test_without_an_attempt_spans_are_only_kept(tracer):
    store = InMemoryLightningStore()
    tracer.init_worker(0, store)
    async with tracer.trace_context():
        emit_message("a")
    (span,) = tracer.get_last_trace()
    assert (span.rollout_id, span.attempt_id, span.sequence_id) == ("", "", 1)
    async with tracer.trace_context():
        assert tracer.get_last_trace() == []
    assert tracer.get_last_trace() == []


async def test_what_a_context_refuses(tracer):
    with pytest.raises(ValueError, match="both or not at all"):
        async with tracer.trace_context(rollout_id="ro-1"):
            pass
    with pytest.raises(ValueError, match="store"):
        async with tracer.trace_context(rollout_id="ro-1", attempt_id="at-1"):
            pass
    async with tracer.trace_context():
        with pytest.raises(ValueError, match="active"):
            async with DummyTracer().trace_context():
                pass
        emit_message("still open")
    assert _messages(tracer.get_last_trace()) == ["still open"]
    assert get_active_tracer() is None


async def test_a_store_of_the_call_warns_at_the_users_line(tracer):
    store = InMemoryLightningStore()
    ids = await _attempt(store)
    with pytest.warns(DeprecationWarning, match="init_worker") as caught:
        context = tracer.trace_context(store=store, **ids)
    assert caught[0].filename == __file__
    async with context:
        emit_message("a")
    assert len(await store.query_spans(ids["rollout_id"])) == 1


def test_a_trace_is_there_after_the_loop_that_it_was_made_in(tracer):
    async def main():
        async with tracer.trace_context():
            emit_message("a")

    asyncio.run(main())
    assert _messages(tracer.get_last_trace()) == ["a"]


async def test_functions_in_contexts_of_their_own(tracer):
    def sync(a, *, b):
        emit_message(f"{a}{b}")
        return a + b

    async def coroutine(a, *, b):
        await asyncio.sleep(0)
        return sync(a, b=b)

    assert tracer.trace_run(sync, 1, b=2) == 3
    assert _messages(tracer.get_last_trace()) == ["12"]
    assert await tracer.trace_run_async(coroutine, 3, b=4) == 7
    assert _messages(tracer.get_last_trace()) == ["34"]
    assert get_active_tracer() is None
    with pytest.raises(ZeroDivisionError):
        tracer.trace_run(lambda: 1 / 0)
    assert get_active_tracer() is None


async def test_spans_outside_of_a_context_are_forgotten(tracer):
    core = tracer.create_span("alone", {"a": 1}, timestamp=1_700_000_000.5)
    assert (core.name, core.attributes) == ("alone", {"a": 1})
    assert (core.start_time, core.end_time) == (1_700_000_000.5, 1_700_000_000.5)
    with tracer.operation_context("alone") as op:
        pass
    assert op.get_recorded_span().name == "alone"
    assert tracer.get_last_trace() == []


async def _failing(tracer, ids):
    async with tracer.trace_context(**ids):
        emit_message("before")
        raise KeyError("bad")


async def test_an_error_inside_goes_on_and_the_spans_are_stored(tracer):
    store = InMemoryLightningStore()
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    with pytest.raises(KeyError):
        await _failing(tracer, ids)
    assert _messages(await store.query_spans(ids["rollout_id"])) == ["before"]
    assert get_active_tracer() is None


class Flaky(InMemoryLightningStore):
    """A store that fails a number of times, and says when it was written to."""

    def __init__(self, error: Exception | None = None, times: int = 0) -> None:
        super().__init__()
        self.error, self.times, self.written = error, times, asyncio.Event()

    async def add_many_spans(self, spans):
        if self.times:
            self.times -= 1
            raise self.error
        made = await super().add_many_spans(spans)
        self.written.set()
        return made


async def test_spans_of_a_long_rollout_are_stored_while_it_runs(tracer):
    store = Flaky()
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    async with tracer.trace_context(**ids):
        emit_message("first")
        await asyncio.wait_for(store.written.wait(), 60)
        attempt = await store.get_latest_attempt(ids["rollout_id"])
        assert (attempt.status, attempt.last_heartbeat_time is not None) == ("running", True)
        assert _messages(await store.query_spans(ids["rollout_id"])) == ["first"]
        emit_message("second")
    assert _messages(await store.query_spans(ids["rollout_id"])) == ["first", "second"]


async def test_many_spans_are_stored_at_once(tracer):
    calls = []

    class Counting(InMemoryLightningStore):
        async def add_many_spans(self, spans):
            calls.append(len(spans))
            return await super().add_many_spans(spans)

    store = Counting()
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    async with tracer.trace_context(**ids):
        for index in range(2500):
            emit_message(str(index))
    assert calls == [1000, 1000, 500]
    stored = list(await store.query_spans(ids["rollout_id"], limit=-1))
    assert _messages(stored) == [str(index) for index in range(2500)]
    assert [span.sequence_id for span in stored] == list(range(1, 2501))


async def test_a_store_that_is_away_for_a_while_gets_them_later(tracer):
    store = Flaky(StoreUnavailableError("away"), 3)
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    async with tracer.trace_context(**ids):
        emit_message("a")
        emit_message("b")
    stored = list(await store.query_spans(ids["rollout_id"]))
    assert [(m, s.sequence_id) for m, s in zip(_messages(stored), stored, strict=True)] == [
        ("a", 1),
        ("b", 2),
    ]


async def test_a_store_that_stays_away_is_an_error_of_the_context(tracer, monkeypatch):
    monkeypatch.setattr(writer, "PATIENCE", 0.0)
    store = Flaky(StoreUnavailableError("away"), 1000)
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    with pytest.raises(StoreUnavailableError):
        async with tracer.trace_context(**ids):
            emit_message("a")
    assert get_active_tracer() is None


async def test_what_the_store_refuses_is_raised_at_once(tracer):
    store = Flaky(StorageError("disk"), 1)
    tracer.init_worker(0, store)
    ids = await _attempt(store)
    with pytest.raises(StorageError):
        async with tracer.trace_context(**ids):
            emit_message("a")
    assert store.times == 0


async def test_what_went_wrong_inside_says_more_than_what_the_store_refused(tracer, caplog):
    tracer.init_worker(0, Flaky(StorageError("disk"), 1))
    ids = await _attempt(tracer._store)
    with pytest.raises(KeyError):
        await _failing(tracer, ids)
    assert "could not be stored" in caplog.text


async def test_spans_are_stored_though_the_rollout_is_stopped_while_they_are(tracer):
    class Slow(InMemoryLightningStore):
        async def add_many_spans(self, spans):
            if not writing.is_set():
                writing.set()
                await asyncio.Event().wait()
            return await super().add_many_spans(spans)

    writing, store = asyncio.Event(), Slow()
    tracer.init_worker(0, store)
    ids = await _attempt(store)

    async def rollout():
        async with tracer.trace_context(**ids):
            emit_message("a")

    task = asyncio.create_task(rollout())
    await writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _messages(await store.query_spans(ids["rollout_id"])) == ["a"]


class Context:
    """One of many contexts at once, which says things from everywhere."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.expected: set[str] = set()

    def say(self, what: str) -> None:
        self.expected.add(f"{self.number} {what}")
        emit_message(f"{self.number} {what}")

    def in_thread(self) -> None:
        self.say("in a thread with the context")
        with operation(name="thread"):
            self.say("in an operation in a thread")

    async def in_task(self, n: int) -> None:
        await asyncio.sleep(0)
        self.say(f"in task {n}")
        await asyncio.to_thread(self.in_thread if n == 0 else lambda: self.say(f"from task {n}"))

    async def run(self, tracer: Tracer, ids: dict[str, str]) -> None:
        async with tracer.trace_context(**ids):
            self.say("first")
            with operation(name="outer"):
                await asyncio.gather(*(self.in_task(n) for n in range(3)))
            thread = threading.Thread(
                target=contextvars.copy_context().run, args=(self.say, "in a thread of its own")
            )
            thread.start()
            await asyncio.to_thread(thread.join)
            self.say("last")
        trace = tracer.get_last_trace()
        assert set(_messages(trace)) == self.expected


@pytest.mark.parametrize(
    "kinds", [(DummyTracer,), (OtelTracer,), (OtelTracer, DummyTracer, OtelTracer)]
)
async def test_64_contexts_at_once_with_tasks_and_threads(kinds):
    store = InMemoryLightningStore()
    tracers = [kind() for kind in kinds]
    for tracer in tracers:
        tracer.init()
        tracer.init_worker(0, store)
    contexts = [Context(number) for number in range(64)]
    attempts = [await _attempt(store) for _ in contexts]
    await asyncio.gather(
        *(
            context.run(tracers[context.number % len(tracers)], ids)
            for context, ids in zip(contexts, attempts, strict=True)
        )
    )
    for context, ids in zip(contexts, attempts, strict=True):
        stored = list(await store.query_spans(ids["rollout_id"], limit=-1))
        assert len(context.expected) == 10
        assert sorted(_messages(stored)) == sorted(context.expected)
        assert sum(span.name == "agentlightning.operation" for span in stored) == 2
        assert [span.sequence_id for span in stored] == list(range(1, len(stored) + 1))


async def test_a_thread_that_knows_of_no_context_belongs_to_the_only_one(tracer):
    async with tracer.trace_context():
        thread = threading.Thread(target=emit_message, args=("from a thread",))
        thread.start()
        await asyncio.to_thread(thread.join)
    assert _messages(tracer.get_last_trace()) == ["from a thread"]


async def test_what_a_thread_says_that_nobody_can_place_is_left_out_and_said(
    tracer, caplog, monkeypatch
):
    monkeypatch.setattr(recording, "_said", set())
    opened, done = asyncio.Event(), asyncio.Event()

    async def other():
        async with tracer.trace_context():
            opened.set()
            await done.wait()
        return tracer.get_last_trace()

    task = asyncio.create_task(other())
    await opened.wait()
    async with tracer.trace_context():
        for text in ("one", "two"):
            thread = threading.Thread(target=emit_message, args=(text,))
            thread.start()
            await asyncio.to_thread(thread.join)
        done.set()
        assert await task == []
    assert tracer.get_last_trace() == []
    assert caplog.text.count("is left out") == 1


async def test_what_is_made_for_no_tracer_is_not_missed(tracer, caplog, monkeypatch):
    monkeypatch.setattr(recording, "_said", set())
    opened, go = [asyncio.Event(), asyncio.Event()], asyncio.Event()

    async def other(begun):
        async with tracer.trace_context():
            begun.set()
            await go.wait()

    tasks = [asyncio.create_task(other(begun)) for begun in opened]
    for begun in opened:
        await begun.wait()
    made = emit_reward(1.0, propagate=False)  # as the runner makes those that agents return
    go.set()
    await asyncio.gather(*tasks)
    assert made.attributes
    assert "is left out" not in caplog.text
    assert tracer.get_last_trace() == []


async def test_a_task_that_goes_on_behind_its_context_writes_nowhere(tracer, caplog):
    go = asyncio.Event()

    async def late():
        await go.wait()
        emit_message("late")

    async with tracer.trace_context():
        task = asyncio.create_task(late())
        emit_message("in time")
    async with tracer.trace_context():
        go.set()
        await task
        emit_message("next")
        assert _messages(tracer.get_last_trace()) == ["next"]
    assert "ended after its rollout" in caplog.text


def test_one_tracer_is_active_in_a_context():
    one, other, elsewhere = DummyTracer(), DummyTracer(), contextvars.Context()
    set_active_tracer(one)
    with pytest.raises(ValueError, match="active"):
        set_active_tracer(other)
    assert get_active_tracer() is one
    # Another context has none of its own, and takes the only one there is.
    assert contextvars.Context().run(get_active_tracer) is one
    elsewhere.run(set_active_tracer, other)
    assert get_active_tracer() is one
    assert elsewhere.run(get_active_tracer) is other
    assert contextvars.Context().run(get_active_tracer) is None
    elsewhere.run(clear_active_tracer)
    clear_active_tracer()
    assert get_active_tracer() is None
    clear_active_tracer()


async def test_a_tracer_of_ones_own():
    class Own(Tracer):
        @with_active_tracer_context
        def trace_context(self, name=None, *, store=None, rollout_id=None, attempt_id=None):
            return _nothing()

        def create_span(self, name, attributes=None, timestamp=None, status=None):
            seen.append(name)

    class _nothing:
        async def __aenter__(self):
            return "entered"

        async def __aexit__(self, *error):
            return None

    seen: list[str] = []
    async with Own().trace_context() as entered:
        emit_message("a")
    assert (entered, seen) == ("entered", ["agentlightning.message"])
    assert get_active_tracer() is None


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.trace_context(),
        lambda t: t.get_last_trace(),
        lambda t: t.create_span("a"),
        lambda t: t.operation_context("a"),
        lambda t: t.trace_run(print),
    ],
)
def test_what_a_tracer_has_to_say_itself(call):
    with pytest.raises(NotImplementedError, match="Tracer has no"):
        call(Tracer())


def test_no_callback_for_langchain_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        assert DummyTracer().get_langchain_handler() is None
    assert "LangChain" in caplog.text


@pytest.mark.parametrize("name", ["DummyTracer", "OtelTracer", "AgentOpsTracer"])
def test_a_tracer_goes_to_another_process(name):
    made = pickle.loads(pickle.dumps(getattr(agentlightning_compat, name)()))
    assert type(made).__name__ == name


def test_recordings_give_copies():
    made = recording.Recording(DummyTracer(), None, None)
    made.add(Span.from_attributes(attributes={"a": 1}))
    made.spans[0].attributes["a"] = 2
    assert made.spans[0].attributes == {"a": 1}
