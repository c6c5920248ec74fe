"""Method hooks, tracing and direct calls with the real 0.3.0 classes."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.oracle


def test_the_start_method_gets_a_task(real):
    started = [entry for entry in real("agents")["hooks in a runner"] if "started" in entry]
    assert [entry["started"] for entry in started] == ["float", "triplets", "none", "raise"]
    for entry in started:
        assert (entry["mode"], entry["claims"], entry["metadata"]) == ("train", 1, {})
        assert entry["kinds"] == ["Task", "LitAgentRunner", "OtelTracer"]


@pytest.mark.parametrize(
    ("task", "reward", "triplets", "spans"),
    [
        ("float", 0.5, [], 2),
        ("triplets", 0.25, [0.25], 3),
        ("none", None, [], 1),
        # Its reward was emitted before it failed; a legacy report of a failure says nothing.
        ("raise", None, [], 0),
    ],
)
def test_the_end_method_gets_the_report(real, task, reward, triplets, spans):
    entries = real("agents")["hooks in a runner"]
    (ended,) = [entry for entry in entries if entry.get("ended") == task]
    assert ended["kind"] == "RolloutLegacy"
    assert ended["same task"]
    assert (ended["final_reward"], ended["triplets"], ended["spans"]) == (reward, triplets, spans)


def test_a_trainer_takes_the_hook_and_the_parts_of_a_loader(real):
    found = real("agents")["hooks in dev"]
    assert found == {"is a hook": True, "rewards": [0.5, None], "resources": ["p"]}


def test_sync_code_traces(real):
    found = real("agents")["tracing"]
    assert found["reward"] == 0.5
    assert found["returned"] == 0.125
    assert found["inside a loop"] == 0.25
    assert found["closed"] is True


def test_an_error_leaves_the_trace_closed_and_readable(real):
    found = real("agents")["tracing"]
    assert found["raised"] == "'mine'"
    assert found["closed after an error"] is True
    assert found["reward before the error"] == 0.75


@pytest.mark.parametrize(("task", "reward"), [("emit", 0.5), ("return", 0.75)])
def test_the_spans_of_an_adapted_tracer_are_stored(real, task, reward):
    found = real("agents")["adapted"][task]
    assert found["status"] == "succeeded"
    assert found["names"] == [
        "agentlightning.annotation",
        "agentlightning.operation",
        "openai.chat.completion",
    ]
    assert found["numbers"] == 3
    assert found["triplets"] == [[[1, 2], reward]]


def test_an_adapted_tracer_is_the_old_one_and_a_tracer(real):
    found = real("agents")["adapted"]
    assert found["is a tracer"] is True
    assert found["trainer takes it"] is True
    assert found["own attributes"] == "old"
    assert found["calls"] == ["init", "init_worker 0", "teardown_worker 0", "teardown"]
    assert set(found["last trace"]) == {"Span"}


def test_an_agent_is_called_directly(real):
    found = real("agents")["values"]
    assert found["direct"] == ["q", "rollout-1", "attempt-0", "train"]
    assert found["rollout"] is True


def test_resources_get_their_envelope(real):
    assert real("agents")["values"]["update"] == ["ResourcesUpdate", "rs-1", 1]


def test_a_loader_is_taken_apart(real):
    found = real("agents")["values"]
    assert found["tasks"] == found["loader of tasks"] == [{"q": 1}]
    assert found["resources"] == ["llm"]
