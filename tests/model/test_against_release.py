"""What one side dumps, the other loads: our models against those of agentlightning 0.3.0."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel

from agentlightning_compat import model
from tests.model.examples import models
from tests.oracles import run_in_oracle

pytestmark = pytest.mark.oracle

MODELS = sorted(
    name
    for name in model.__all__
    if isinstance(getattr(model, name), type)
    and issubclass(getattr(model, name), BaseModel)
    and name not in ("PaginatedResult", "Resource")
)

_RELOAD = """
import json, sys
import agentlightning.types as types
back = []
for name, text in json.load(sys.stdin):
    value = getattr(types, name).model_validate_json(text)
    back.append([value.model_dump_json(), value.model_dump(mode="json")])
answer(back)
"""

_SHAPES = """
import json, sys
import agentlightning.types as types
shapes = {}
for name in json.load(sys.stdin):
    kind = getattr(types, name)
    shapes[name] = {
        key: [
            field.is_required(),
            None if field.is_required() else repr(field.get_default(call_default_factory=True)),
        ]
        for key, field in kind.model_fields.items()
    }
answer(shapes)
"""

_SPANS = """
import json, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState
sys.path.insert(0, json.load(sys.stdin))
from agentlightning.types import Span as Theirs
from agentlightning_compat.model import Span as Ours
tracer = TracerProvider().get_tracer("here", "1.2")
far = SpanContext(5, 6, True, TraceFlags(1), TraceState([("a", "b")]))
with tracer.start_as_current_span("parent") as first:
    first.set_attribute("n", 3)
    with tracer.start_as_current_span("child", links=[Link(far, {"z": 1}), Link(far)]) as second:
        second.add_event("seen", {"q": [1, 2]})
        second.set_status(Status(StatusCode.ERROR, "bad"))
own = set(Ours.model_fields)
answer([
    [kind.from_opentelemetry(span, "r", "a", 4).model_dump(mode="json", include=own)
     for kind in (Theirs, Ours)]
    for span in (first, second)
])
"""


def examples(count: int) -> list[BaseModel]:
    found: list[BaseModel] = []

    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(models)
    def collect(value: BaseModel) -> None:
        found.append(value)

    collect()
    return found


def test_dumps_of_either_side_load_in_the_other():
    ours = examples(400)
    assert {type(value).__name__ for value in ours} >= {"Span", "AttemptedRollout", "Task"}
    sent = [[type(value).__name__, value.model_dump_json()] for value in ours]
    for value, (text, plain) in zip(ours, run_in_oracle("0.3.0", _RELOAD, sent), strict=True):
        assert plain == value.model_dump(mode="json")
        assert json.loads(text) == json.loads(value.model_dump_json())
        assert type(value).model_validate_json(text) == value


def test_fields_and_defaults_are_the_same():
    theirs: dict[str, Any] = run_in_oracle("0.3.0", _SHAPES, MODELS)
    ours = {
        name: {
            key: [
                field.is_required(),
                None if field.is_required() else repr(field.get_default(call_default_factory=True)),
            ]
            for key, field in getattr(model, name).model_fields.items()
        }
        for name in MODELS
    }
    assert ours == theirs


def test_spans_of_opentelemetry_are_read_the_same(request):
    for theirs, ours in run_in_oracle("0.3.0", _SPANS, str(request.config.rootpath)):
        assert ours == theirs
