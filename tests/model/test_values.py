"""What the values do by themselves."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from pydantic import ValidationError

import agentlightning_compat
from agentlightning_compat import model as m
from agentlightning_compat.model.otel import seconds
from tests.model.examples import models


@given(models)
def test_json_brings_back_the_same_value(value):
    assert type(value).model_validate_json(value.model_dump_json()) == value


def test_an_attempt_belongs_to_its_rollout():
    attempt = m.Attempt(rollout_id="b", attempt_id="x", sequence_id=1, start_time=0)
    with pytest.raises(ValidationError, match="rollout"):
        m.AttemptedRollout(rollout_id="a", input=1, start_time=0, attempt=attempt)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://h/v1", "http://h/rollout/r/attempt/a/v1"),
        ("http://h/v1/", "http://h/rollout/r/attempt/a/v1"),
        ("http://h", "http://h/rollout/r/attempt/a"),
        ("http://h/x/v1/", "http://h/x/rollout/r/attempt/a/v1"),
        ("http://h/v10", "http://h/v10/rollout/r/attempt/a"),
    ],
)
def test_a_proxy_is_told_who_calls(endpoint, url):
    llm = m.ProxyLLM(endpoint=endpoint, model="m")
    assert llm.get_base_url("r", "a") == url
    assert llm.get_base_url(None, None) == endpoint
    attempt = m.Attempt(rollout_id="r", attempt_id="a", sequence_id=1, start_time=0)
    rollout = m.AttemptedRollout(rollout_id="r", input=1, start_time=0, attempt=attempt)
    plain = llm.with_attempted_rollout(rollout)
    assert type(plain) is m.LLM
    assert plain.endpoint == url


def test_a_proxy_wants_both_ids():
    with pytest.raises(ValueError, match="together"):
        m.ProxyLLM(endpoint="http://h", model="m").get_base_url("r", None)


def test_templates_of_other_engines_are_not_filled():
    assert m.PromptTemplate(template="{a} {{x}}", engine="f-string").format(a=1) == "1 {x}"
    with pytest.raises(NotImplementedError):
        m.PromptTemplate(template="{{ a }}", engine="jinja").format(a=1)


def test_a_page_is_a_sequence():
    page = m.PaginatedResult(items=["a", "b", "c"], limit=3, offset=6, total=20)
    assert (len(page), page[0], page[1:], list(page)) == (3, "a", ["b", "c"], ["a", "b", "c"])
    assert repr(page) == "<PaginatedResult (6:9 of 20) ['a', ...]>"


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [(None, None), (0, None), (12.5, 12.5), (1_700_000_000_500_000_000, 1_700_000_000.5)],
)
def test_times_come_in_seconds_or_nanoseconds(given_time, expected):
    assert seconds(given_time) == expected


def test_a_span_from_attributes_has_ids_of_its_own():
    one = m.Span.from_attributes(attributes={"a": 1}, parent_id="p")
    two = m.Span.from_attributes(attributes={"a": 1})
    assert (len(one.trace_id), len(one.span_id)) == (32, 16)
    assert one.span_id != two.span_id
    assert one.parent is not None
    assert (one.parent.trace_id, one.parent.span_id) == (one.trace_id, "p")
    assert (one.name, one.status.status_code) == ("agentlightning.virtual", "OK")


def test_unset_stays_the_only_one():
    assert pickle.loads(pickle.dumps(m.UNSET)) is m.UNSET
    assert copy.deepcopy(m.UNSET) is m.UNSET
    assert repr(m.UNSET) == "UNSET"


def test_importing_the_package_is_light():
    code = (
        "import sys, agentlightning_compat as a; a.__version__; dir(a); "
        "heavy = [n for n in ('pydantic', 'opentelemetry', 'asyncio', 'typing_extensions') "
        "if n in sys.modules]; sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there():
    assert sorted(agentlightning_compat.__all__) == agentlightning_compat.__all__
    for name in agentlightning_compat.__all__:
        assert getattr(agentlightning_compat, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = agentlightning_compat.nonsense
