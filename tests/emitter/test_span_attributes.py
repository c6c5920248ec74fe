"""Attributes of spans: flat and nested, checked, tagged, linked; and as the release has them."""

from __future__ import annotations

import inspect
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from agentlightning_compat import Span, semconv, span_attributes
from agentlightning_compat.semconv import LinkPydanticModel
from tests.oracles import run_in_oracle

_KEYS = st.text("ab_-é", min_size=1, max_size=4)
_LEAVES = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.floats(allow_nan=False))
_LEAF_LISTS = st.one_of(
    st.lists(st.text(max_size=3), min_size=1, max_size=4),
    st.lists(st.integers(), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=4),
)
_NESTED = st.recursive(
    st.one_of(_LEAVES, _LEAF_LISTS),
    lambda below: st.one_of(
        st.dictionaries(_KEYS, below, min_size=1, max_size=4),
        st.lists(st.dictionaries(_KEYS, below, min_size=1, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=15,
)


@given(st.dictionaries(_KEYS, _NESTED, max_size=5), st.booleans())
def test_what_was_made_flat_can_be_nested_again(nested, expand):
    flat = span_attributes.flatten_attributes(nested, expand_leaf_lists=expand)
    assert not any(isinstance(value, dict) for value in flat.values())
    if expand:
        assert not any(isinstance(value, list) for value in flat.values())
    assert span_attributes.unflatten_attributes(flat) == nested


@given(st.lists(_NESTED, min_size=1, max_size=4))
def test_lists_at_the_top_as_well(nested):
    flat = span_attributes.flatten_attributes(nested, expand_leaf_lists=True)
    assert span_attributes.unflatten_attributes(flat) == nested


@given(st.dictionaries(_KEYS, st.one_of(_NESTED, st.none(), st.binary(max_size=3)), max_size=4))
def test_what_is_sanitized_is_sane_and_stays_as_it_is(nested):
    flat = span_attributes.flatten_attributes(nested)
    sane = span_attributes.sanitize_attributes(flat)
    span_attributes.check_attributes_sanity(sane)
    assert span_attributes.sanitize_attributes(sane) == sane


@given(st.lists(st.text(max_size=5), min_size=1, max_size=12))
def test_tags_are_read_as_they_were_made(tags):
    assert (
        span_attributes.extract_tags_from_attributes(span_attributes.make_tag_attributes(tags))
        == tags
    )


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1, max_size=12))
def test_links_are_read_as_they_were_made(links):
    made = span_attributes.extract_links_from_attributes(
        span_attributes.make_link_attributes(links)
    )
    assert {link.key_match: link.value_match for link in made} == links


def test_links_lead_to_spans_of_both_kinds():
    ours = [Span.from_attributes(attributes={"run": str(n), "kind": "x"}) for n in range(3)]
    tracer = TracerProvider().get_tracer("t")
    theirs = [tracer.start_span("a", attributes={"run": str(n), "kind": "x"}) for n in range(3)]

    def found(spans, **links):
        made = [LinkPydanticModel(key_match=k, value_match=v) for k, v in links.items()]
        return [spans.index(one) for one in span_attributes.query_linked_spans(spans, made)]

    for spans in (ours, theirs):
        assert found(spans, run="1") == [1]
        assert found(spans, run="1", kind="x") == [1]
        assert found(spans, run="1", kind="y") == []
        assert found(spans, kind="x") == [0, 1, 2]
        assert found(spans) == [0, 1, 2]
    assert found(ours, span_id=ours[2].span_id) == [2]
    assert found(ours, trace_id=ours[0].trace_id, run="0") == [0]
    context = theirs[2].get_span_context()
    assert found(theirs, span_id=f"{context.span_id:016x}") == [2]
    assert found(theirs, trace_id=f"{context.trace_id:032x}") == [2]


def run(otel: Any) -> list[Any]:
    """What each call gives, or which error; its text is also run in the release."""

    class Thing:
        def __str__(self) -> str:
            return "thing"

    nested = {
        "a": {"b": [1, 2], "c": [{"d": "x"}, {"d": "y"}], "e": {}},
        "f": [],
        "g": [[1], ["a"]],
        "h": [1, 0.5],
        "i": [1, "a"],
        "j": [None],
        "k": None,
        "l": [True, 1],
    }
    flat = {"a.0": 1, "a.1": 2, "b.0": 1, "b.2": 2, "c.x.y": 1, "c.x.z": 2, "d": 3, "e.1": 1}
    values = [1, 0.5, "a", True, None, b"x", [1, 2], [1, 0.5], [True, 1], [1, "a"], ["a", "b"], []]
    values += [
        [None],
        {"a": 1},
        (1, 2),
        [[1]],
        Thing(),
        [Thing()],
        {"t": Thing()},
        {1, 2}.__class__,
    ]
    tags = {"agentlightning.tag.0": "a", "agentlightning.tag.1": "b", "other": 1}
    calls = [
        *(
            (otel.flatten_attributes, one)
            for one in (nested, [1, {"a": 2}], {1: 2}, {}, [], {"a": {2: 3}})
        ),
        *(
            (otel.unflatten_attributes, one)
            for one in (flat, {}, {"0": 1, "1": 2}, {"": 1}, {"a": 1, "a.b": 2})
        ),
        *((otel.filter_attributes, flat, one) for one in ("a", "c", "c.x", "d", "x", "")),
        *(
            (otel.filter_and_unflatten_attributes, flat, one)
            for one in ("a", "b", "c", "c.x", "d", "x")
        ),
        *((otel.sanitize_attribute_value, one) for one in values),
        *((otel.sanitize_attribute_value, one, False) for one in values),
        *((otel.sanitize_attributes, {"k": one}) for one in values),
        *((otel.sanitize_list_attribute_sanity, one) for one in values if isinstance(one, list)),
        *((otel.check_attributes_sanity, {"k": one}) for one in values),
        (otel.check_attributes_sanity, {1: 1}),
        *((otel.make_tag_attributes, one) for one in (["a", "b"], [], ["a", "a"])),
        *(
            (otel.extract_tags_from_attributes, one)
            for one in (tags, {}, {"agentlightning.tag.1": "a"})
        ),
        *((otel.make_link_attributes, one) for one in ({"a": "b", "c": "d"}, {}, {"a": 1})),
        (otel.extract_links_from_attributes, {}),
        (otel.full_qualified_name, dict),
        (otel.full_qualified_name, json.JSONDecoder),
    ]
    return [[function.__name__, repr(rest), _result(function, rest)] for function, *rest in calls]


def _result(function: Any, arguments: list[Any]) -> Any:
    try:
        result = function(*arguments)
    except ValueError:  # pydantic's is one
        return "ValueError"
    except Exception as error:
        return type(error).__name__
    return result if _plain(result) else repr(result)


def _plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


@pytest.mark.oracle
def test_the_functions_are_those_of_the_release(caplog):
    source = "import json\nfrom typing import Any\n" + "".join(
        map(inspect.getsource, (run, _result, _plain))
    )
    end = """
import logging
logging.disable(logging.CRITICAL)
from agentlightning import semconv
from agentlightning.utils import otel
names = {n: [(m.name, m.value) for m in v] for n, v in vars(semconv).items()
         if isinstance(v, type) and hasattr(v, "__members__") and v.__members__}
constants = {n: v for n, v in vars(semconv).items() if n.startswith("AGL_")}
answer({"calls": run(otel), "names": names, "constants": constants})
"""
    real = run_in_oracle("0.3.0", source + end)
    with caplog.at_level(logging.CRITICAL):
        ours = json.loads(json.dumps(run(span_attributes)))
    for mine, expected in zip(ours, real["calls"], strict=True):
        # A thing's address differs.
        assert mine[::2] == expected[::2], mine[1]
    for name, members in real["names"].items():
        assert [[m.name, m.value] for m in getattr(semconv, name)] == members
    for name, value in real["constants"].items():
        assert getattr(semconv, name) == value
