"""OtelTracer: what libraries record with OpenTelemetry."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest
from opentelemetry import trace

from agentlightning_compat import (
    DummyTracer,
    InMemoryLightningStore,
    OtelTracer,
    emit_message,
    operation,
)
from agentlightning_compat.tracer import recording


@pytest.fixture
def tracer():
    made = OtelTracer()
    with made.lifespan():
        yield made


def _library():
    return trace.get_tracer("library", "1.0")


async def test_spans_of_libraries_are_stored_as_they_are(tracer):
    store = InMemoryLightningStore()
    tracer.init_worker(0, store)
    rollout = await store.start_rollout(input="x")
    ids = {"rollout_id": rollout.rollout_id, "attempt_id": rollout.attempt.attempt_id}
    async with tracer.trace_context(**ids) as entered:
        with entered.start_as_current_span("outer", attributes={"a": [1, 2]}) as outer:
            with _library().start_as_current_span("inner", kind=trace.SpanKind.CLIENT) as inner:
                inner.add_event("said", {"b": "c"})
                inner.set_status(trace.StatusCode.ERROR, "why")
            emit_message("below outer")
        link = trace.Link(outer.get_span_context(), {"d": 1})
        _library().start_span("linked", links=[link]).end()
    stored = {span.name: span for span in await store.query_spans(rollout.rollout_id)}
    assert set(stored) == {"outer", "inner", "agentlightning.message", "linked"}
    assert stored["inner"].parent_id == stored["outer"].span_id
    assert stored["agentlightning.message"].parent_id == stored["outer"].span_id
    assert stored["outer"].parent_id is None
    assert list(stored["outer"].attributes["a"]) == [1, 2]
    assert [(e.name, e.attributes) for e in stored["inner"].events] == [("said", {"b": "c"})]
    assert stored["inner"].status.model_dump() == {"status_code": "ERROR", "description": "why"}
    assert stored["inner"].kind == "SpanKind.CLIENT"
    assert stored["linked"].links[0].context.span_id == stored["outer"].span_id
    assert stored["linked"].resource.attributes["telemetry.sdk.name"] == "opentelemetry"


async def test_what_goes_on_around_a_context_is_no_parent(tracer):
    with _library().start_as_current_span("around") as around:
        async with tracer.trace_context():
            emit_message("inside")
        assert trace.get_current_span() is around
    (span,) = tracer.get_last_trace()
    assert (span.name, span.parent_id) == ("agentlightning.message", None)


async def test_a_dummy_tracer_takes_nothing_of_libraries(tracer):
    dummy = DummyTracer()
    async with dummy.trace_context():
        _library().start_span("library").end()
        emit_message("a")
    assert [span.name for span in dummy.get_last_trace()] == ["agentlightning.message"]
    assert tracer.get_last_trace() == []


async def test_what_cannot_be_kept_as_it_is_becomes_text(tracer):
    async with tracer.trace_context():
        span = _library().start_span("odd", attributes={"plain": 1, "list": ["a"]})
        # Newer releases let these through, older ones are told to.
        span._attributes._dict.update({"bytes": b"\xff", "dict": {"a": [1]}, "none": None})
        span.end()
    (stored,) = tracer.get_last_trace()
    assert stored.attributes["plain"] == 1
    assert list(stored.attributes["list"]) == ["a"]
    assert stored.attributes["dict"] == '{"a": [1]}'
    assert isinstance(stored.attributes["bytes"], str)


async def test_a_tracer_that_is_not_set_up_says_so():
    made = OtelTracer()
    for call in (
        made.get_last_trace,
        lambda: made.create_span("a"),
        lambda: made.operation_context("a").__enter__(),
        lambda: made.trace_run(print),
    ):
        with pytest.raises(RuntimeError, match="init_worker"):
            call()
    with pytest.raises(RuntimeError, match="init_worker"):
        async with made.trace_context():
            pass
    assert recording.only_one() is None


async def _in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    await asyncio.to_thread(thread.join)


async def test_threads_without_a_context_are_told_by_the_parent(tracer, caplog, monkeypatch):
    monkeypatch.setattr(recording, "_said", set())
    opened = {"a": asyncio.Event(), "b": asyncio.Event()}
    done = {"a": asyncio.Event(), "b": asyncio.Event()}

    async def one(name):
        async with tracer.trace_context():
            opened[name].set()
            await opened["b" if name == "a" else "a"].wait()
            with operation(name=name):
                parent = trace.set_span_in_context(trace.get_current_span())
                await _in_thread(lambda: _library().start_span(name, context=parent).end())
                # Whose these are nobody can say.
                await _in_thread(lambda: _library().start_span(f"lost {name}").end())
            done[name].set()
            await done["b" if name == "a" else "a"].wait()
            return [span.name for span in tracer.get_last_trace()]

    found = await asyncio.gather(one("a"), one("b"))
    assert found == [["a", "agentlightning.operation"], ["b", "agentlightning.operation"]]
    assert caplog.text.count("is left out") == 1
    assert "copy_context" in caplog.text


def _python(code: str) -> list[str]:
    """What a program of its own prints: a provider is set once in a process."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_provider_of_the_users_own_is_used_and_kept():
    code = """
import asyncio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, mine = InMemorySpanExporter(), TracerProvider()
mine.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(mine)
from agentlightning_compat import OtelTracer, emit_message
async def main():
    for tracer in (OtelTracer(), OtelTracer()):
        with tracer.lifespan():
            async with tracer.trace_context():
                emit_message("a")
            print(len(tracer.get_last_trace()))
asyncio.run(main())
assert trace.get_tracer_provider() is mine
print(len(exporter.get_finished_spans()))
"""
    assert _python(code) == ["1", "1", "2"]


def test_spans_that_are_not_sampled_are_left_out():
    code = """
import asyncio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))
from agentlightning_compat import OtelTracer, emit_reward, operation
tracer = OtelTracer()
async def main():
    with tracer.lifespan():
        async with tracer.trace_context():
            emit_reward(1.0)
            with operation() as op:
                op.set_output(1)
            print(op.span().status.status_code)
        print(len(tracer.get_last_trace()))
asyncio.run(main())
"""
    assert _python(code) == ["UNSET", "0"]


def test_a_provider_that_is_none_of_the_sdk_is_said():
    code = """
import asyncio, logging
from opentelemetry import trace
class Mine(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs):
        return trace.NoOpTracer()
trace.set_tracer_provider(Mine())
from agentlightning_compat import OtelTracer, emit_message
said = []
logging.getLogger("agentlightning_compat").addFilter(lambda record: False)
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger().addHandler(handler)
tracer = OtelTracer()
async def main():
    with tracer.lifespan():
        async with tracer.trace_context():
            emit_message("a")
        print(len(tracer.get_last_trace()))
asyncio.run(main())
print(sum("Mine" in text for text in said))
"""
    assert _python(code) == ["1", "1"]


def test_opentelemetrys_own_tracer():
    code = """
from agentlightning_compat import OtelTracer
from agentlightning_compat.tracer.provider import get_tracer, get_tracer_provider
for call in (get_tracer, get_tracer_provider):
    try:
        call()
    except RuntimeError as error:
        assert "no tracer provider" in str(error)
tracer = OtelTracer()
def work():
    get_tracer().start_span("seen").end()
    get_tracer(use_active_span_processor=False).start_span("unseen").end()
with tracer.lifespan():
    tracer.trace_run(work)
    assert get_tracer_provider() is get_tracer_provider(inspect=False)
print(*[(span.name, span.instrumentation_scope) for span in tracer.get_last_trace()])
"""
    assert _python(code)[0] == "('seen',"


def test_nothing_of_opentelemetry_is_imported_before_a_tracer_is_set_up():
    code = """
import sys
from agentlightning_compat import DummyTracer, OtelTracer, emit_reward, TracerTraceToTriplet
tracer = OtelTracer()
DummyTracer().trace_run(lambda: emit_reward(1.0))
print(*[name for name in sys.modules if name.startswith("opentelemetry")], "end")
"""
    assert _python(code) == ["end"]
