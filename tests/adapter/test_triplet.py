"""Triplets: which calls, whose, and with which reward."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from agentlightning_compat import (
    Adapter,
    LlmProxyTraceToTriplet,
    OtelTraceAdapter,
    Span,
    TraceAdapter,
    TracerTraceToTriplet,
    TraceToTripletBase,
    find_reward_spans,
    get_reward_value,
)
from agentlightning_compat.adapter import RewardMatchPolicy
from agentlightning_compat.adapter.repair import repair_hierarchy
from agentlightning_compat.adapter.tree import TraceTree
from tests.adapter.traces import call, random_trace, reward, span


def _rewards(spans, **options):
    """The last token of each call, and its reward."""
    triplets = TracerTraceToTriplet(**options).adapt(spans)
    return [(chr(one.response["token_ids"][0]), one.reward) for one in triplets]


def _agent(id: str, name: str, **given) -> Span:
    return span(id, "run", attributes={"agent.name": name}, **given)


def test_an_adapter_is_called_like_a_function():
    class Double(Adapter[int, int]):
        def adapt(self, source: int, /) -> int:
            return 2 * source

    assert Double()(4) == 8
    for kind in (Adapter, TraceAdapter, OtelTraceAdapter, TraceToTripletBase):
        with pytest.raises(NotImplementedError):
            kind()([])
    assert issubclass(TracerTraceToTriplet, TraceToTripletBase)
    assert issubclass(LlmProxyTraceToTriplet, TraceAdapter)


def test_spans_of_opentelemetry_are_taken_as_they_are():
    tracer = TracerProvider().get_tracer("library")
    call_ = tracer.start_span(
        "openai.chat.completion", attributes={"response_token_ids": [97, 98]}, start_time=10**18
    )
    call_.end(2 * 10**18)
    later = tracer.start_span(
        "agentlightning.annotation", attributes={"reward": 0.5}, start_time=3 * 10**18
    )
    later.end()
    spans = [call_, later]
    (made,) = TracerTraceToTriplet()(spans)
    assert (made.response["token_ids"], made.reward) == ([97, 98], 0.5)


def test_no_spans_are_refused():
    with pytest.raises(ValueError, match="no spans"):
        TracerTraceToTriplet()([])
    assert LlmProxyTraceToTriplet()([]) == []


def test_what_a_call_says():
    spoken = span(
        "a",
        "openai.chat.completion",
        attributes={
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": '[{"type": "image_url", "image_url": {"url": "http://x"}}]',
            "gen_ai.completion.0.content": "hello",
            "gen_ai.request.model": "m",
            "gen_ai.response.id": "r1",
            "prompt_token_ids": [1, 2],
            "response_token_ids": (3,),
            "logprobs.content": '[{"logprob": -1.0}]',
        },
    )
    (made,) = TracerTraceToTriplet()([spoken])
    asked = [{"role": "user", "content": spoken.attributes["gen_ai.prompt.0.content"]}]
    assert made.prompt == {"token_ids": [1, 2], "raw_content": asked, "image_urls": ["http://x"]}
    assert made.response == {
        "token_ids": [3],
        "raw_content": [{"content": "hello"}],
        "logprobs": [{"logprob": -1.0}],
    }
    assert made.metadata == {
        "request": {"model": "m"},
        "response": {"id": "r1"},
        "response_id": "r1",
        "agent_name": "*",
    }
    assert made.reward is None


def test_a_prompt_that_is_one_attribute_is_read(caplog):
    whole = span(
        "a",
        "openai.chat.completion",
        attributes={
            "gen_ai.prompt": '[{"role": "user", "content": "hi"}]',
            "gen_ai.completion": "hello",
            "logprobs.content": "{broken",
        },
    )
    (made,) = TracerTraceToTriplet()([whole])
    assert made.prompt["raw_content"] == [{"role": "user", "content": "hi"}]
    assert made.response == {"token_ids": [], "raw_content": "hello"}
    assert "logprobs" in caplog.text


def test_a_reward_goes_to_the_last_call_that_was_over_and_has_none():
    spans = [
        call("a", at=(1, 2)),
        call("b", at=(3, 9)),  # still running
        reward("x", 0.5, at=(4, 4)),
        reward("y", 1.0, at=(10, 10)),
        reward("z", 2.0, at=(11, 11)),  # nothing is left for it
    ]
    assert _rewards(spans) == [("a", 0.5), ("b", 1.0)]


def test_a_reward_goes_to_a_sibling_only():
    spans = [
        span("root", at=(0, 100)),
        _agent("left", "l", above="root", at=(1, 10)),
        call("a", above="left", at=(2, 3)),
        _agent("right", "r", above="root", at=(11, 20)),
        call("b", above="right", at=(12, 13)),
        reward("x", 0.5, above="left", at=(15, 15)),
    ]
    assert _rewards(spans) == [("a", None), ("b", 0.5)]
    sibling = RewardMatchPolicy.FIRST_SIBLING
    assert _rewards(spans, reward_match=sibling) == [("a", 0.5), ("b", None)]
    assert _rewards(spans, reward_match="first_sibling") == [("a", 0.5), ("b", None)]
    with pytest.raises(ValueError, match="nonsense"):
        _rewards(spans, reward_match="nonsense")


def test_calls_of_the_agents_that_are_asked_for():
    spans = [
        call("a", at=(0, 1)),
        _agent("w", "writer", at=(2, 50)),
        call("b", above="w", at=(3, 4)),
        _agent("r", "reader", above="w", at=(5, 40)),
        call("c", above="r", at=(6, 7)),
    ]
    assert [one for one, _ in _rewards(spans)] == ["a", "b", "c"]
    assert [one for one, _ in _rewards(spans, agent_match="^writer$")] == ["b"]
    assert [one for one, _ in _rewards(spans, agent_match="er$")] == ["b", "c"]
    assert _rewards(spans, agent_match="nobody") == []
    made = TracerTraceToTriplet(agent_match="er$")(spans)
    assert [one.metadata["agent_name"] for one in made] == ["writer", "reader"]


def test_calls_that_find_a_reward_are_left_out():
    judge = {"agentlightning.operation.name": "agentlightning.reward"}
    spans = [
        span("root", at=(0, 50)),
        call("a", above="root", at=(1, 2)),
        span("judge", "agentlightning.operation", above="root", attributes=judge, at=(3, 9)),
        call("b", above="judge", at=(4, 5)),
    ]
    assert [one for one, _ in _rewards(spans)] == ["a"]
    assert [one for one, _ in _rewards(spans, exclude_llm_call_in_reward=False)] == ["a", "b"]


def test_a_call_that_two_libraries_traced_counts_once():
    spans = [
        call("a", response_id="r", at=(1, 9)),
        call("b", response_id="r", above="a", at=(2, 8)),
        call("c", above="a", at=(3, 7)),  # does not know its id, and is within one that does
        call("d", response_id="s", above="a", at=(4, 6)),
    ]
    assert [one for one, _ in _rewards(spans)] == ["a", "d"]


def test_a_span_that_lost_its_parent_is_put_where_it_happened():
    spans = [
        span("root", at=(0, 100)),
        _agent("outer", "writer", above="root", at=(1, 50)),
        _agent("inner", "reader", above="outer", at=(2, 40)),
        call("a", above="root", at=(3, 4)),
        call("b", above="root", at=(60, 61)),
    ]
    assert [one for one, _ in _rewards(spans, agent_match="reader")] == ["a"]
    assert _rewards(spans, agent_match="reader", repair_hierarchy=False) == []


def test_the_name_of_the_calls():
    spans = [span("a", "my.llm", attributes={"response_token_ids": [97]})]
    assert _rewards(spans) == []
    assert _rewards(spans, llm_call_match=r"my\.") == [("a", None)]


def test_calls_without_tokens_can_be_left_out(caplog):
    silent = span("s", "openai.chat.completion")
    made = TracerTraceToTriplet(_skip_empty_token_spans=True)([silent, call("a")])
    assert [one.response["token_ids"] for one in made] == [[97]]
    assert "no token ids" in caplog.text


def test_repair_never_loses_a_span():
    # 0.3.0 puts `left` below its own child, which went on for longer, and with that loses both.
    spans = [
        span("root", at=(0, 100)),
        span("left", above="root", at=(1, 10)),
        call("a", above="left", at=(0.5, 20)),
        span("right", above="root", at=(30, 40)),
    ]
    tree = TraceTree.from_spans(spans)
    repair_hierarchy(tree)
    assert {node.id for node in tree.walk()} == {one.span_id for one in spans}
    assert _rewards(spans) == [("a", None)]


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 10**6), st.booleans())
def test_repair_keeps_every_span_and_moves_children_of_the_root_only(seed, nested):
    tree = TraceTree.from_spans(random_trace(seed, nested=nested))
    before = {node.id: node.span for node in tree.walk()}
    parents = {child.id: node.id for node in tree.walk() for child in node.children}
    repair_hierarchy(tree)
    nodes = tree.traverse()
    assert sorted(node.id for node in nodes) == sorted(before)
    for node in nodes:
        for child in node.children:
            if parents[child.id] != node.id:
                assert node.began <= child.began
                assert child.ended <= node.ended


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 10**6), st.sampled_from(list(RewardMatchPolicy)), st.booleans())
def test_every_reward_is_given_once_at_most(seed, policy, repair):
    spans = random_trace(seed, nested=False)
    triplets = TracerTraceToTriplet(repair_hierarchy=repair, reward_match=policy)(spans)
    given_out = Counter(one.reward for one in triplets if one.reward is not None)
    there = Counter(get_reward_value(one) for one in find_reward_spans(spans))
    assert given_out <= there


def test_spans_that_are_each_others_parents_are_kept(caplog):
    spans = [
        call("a", response_id="1", above="b", at=(1, 2)),
        call("b", response_id="2", above="a", at=(3, 4)),
        call("c", response_id="3", above="c", at=(5, 6)),
        call("d", at=(7, 8)),
    ]
    assert sorted(one for one, _ in _rewards(spans)) == ["a", "b", "c", "d"]
    assert "above itself" in caplog.text


def test_spans_without_times_are_kept():
    spans = [
        span("root", at=(0, 100)),
        call("a", above="root", at=(1, None)),
        call("b", above="root", at=(None, None)),
        reward("x", 1.0, above="root", at=(5, None)),
    ]
    assert dict(_rewards(spans)) == {"a": 1.0, "b": None}


def test_a_tree_may_be_deep():
    depth = 5000
    spans = [
        span(f"s{index}", above=f"s{index - 1}" if index else None, at=(index, 20000 - index))
        for index in range(depth)
    ]
    spans.append(call("z", above=f"s{depth - 1}", at=(depth, depth + 1)))
    assert _rewards(spans) == [("z", None)]
    tree = TraceTree.from_spans(spans)
    assert tree.find_id("z") is not None
    assert tree.find_id("nobody") is None
    node = tree.to_json()
    names = tree.names_tuple()
    for _ in range(depth):
        (node,), (names,) = node["children"], names[1]
    assert (node["id"], names) == ("z", ("openai.chat.completion", []))


def test_a_tree_may_be_wide():
    # In a time that grows with the square this would take minutes.
    spans: list[Span] = [span("root", at=(0, 1e6))]
    for index in range(2000):
        spans.append(call(f"c{index}", above="root", at=(3 * index + 1, 3 * index + 2)))
        spans.append(
            reward(f"r{index}", float(index), above="root", at=(3 * index + 3, 3 * index + 3))
        )
    assert [value for _, value in _rewards(spans)] == [float(index) for index in range(2000)]


def test_a_tree_shows_itself():
    tree = TraceTree.from_spans([_agent("a", "writer", at=(0, 9)), call("b", above="a"), call("c")])
    assert tree.names_tuple() == (
        "virtual-root",
        [("run [writer]", [("openai.chat.completion", [])]), ("openai.chat.completion", [])],
    )
    assert (tree.start_time, tree.end_time) == (0, 9)
    assert "virtual-root" in repr(tree)
    tree.add_child(TraceTree("d", span("d")))
    assert [node.id for node in tree.traverse()][1:] == ["a", "b", "c", "d"]


def test_of_the_proxys_spans_the_order_is_that_of_their_numbers():
    def proxy(id, number, **attributes):
        tokens = {"prompt_token_ids": [1], "response_token_ids": [number]}
        return span(id, "litellm_request", number=number, attributes={**tokens, **attributes})

    spans = [
        reward("x", 0.5, number=3, at=(0, 0)),
        proxy("b", 4, **{"gen_ai.response.id": "same"}),
        proxy("a", 2),
        proxy("c", 5, **{"gen_ai.response.id": "same"}),
        reward("y", 1.0, number=4),  # not after the call of that number
        span("d", "raw_gen_ai_request", number=6),
    ]
    made = LlmProxyTraceToTriplet()(spans)
    assert [(one.response["token_ids"], one.reward) for one in made] == [([2], 0.5), ([4], None)]
    assert [one.metadata for one in made] == [{"response_id": None}, {"response_id": "same"}]
