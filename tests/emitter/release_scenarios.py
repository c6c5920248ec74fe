"""What is emitted under the real release and under this package, and compared.

Its text is also run in the environment of the release: it imports nothing of the tests.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import Any


class Thing:
    """Something that JSON does not know."""

    def __repr__(self) -> str:
        return "<thing>"


def run(agl: Any) -> dict[str, Any]:
    """What each scenario made, by its text; nothing in it depends on ids or the time."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    return asyncio.run(_run(agl))


async def _run(agl: Any) -> dict[str, Any]:
    tracer, found = agl.OtelTracer(), {}
    with tracer.lifespan():
        for text in SCENARIOS:
            found[text] = await _scenario(agl, tracer, text)
    return found


async def _scenario(agl: Any, tracer: Any, text: str) -> Any:
    names: dict[str, Any] = {**_names(agl), "agl": agl}
    async with tracer.trace_context():
        try:
            exec(f"async def scenario():\n{_indented(text)}", names)
            made = _shown(await names["scenario"]())
        except Exception as error:
            made = [type(error).__name__]
        spans = tracer.get_last_trace()
    ids = {span.span_id: index for index, span in enumerate(spans)}
    read = {
        name: [_read(getattr(agl, name), span) for span in spans]
        for name in (
            "get_reward_value",
            "get_rewards_from_span",
            "is_reward_span",
            "get_message_value",
            "get_object_value",
        )
    }
    return {
        "made": made,
        "spans": [[_shown(span), ids.get(span.parent_id)] for span in spans],
        "read": read,
        "final": agl.find_final_reward(spans),
        "rewards": len(agl.find_reward_spans(spans)),
    }


def _names(agl: Any) -> dict[str, Any]:
    names = {name: getattr(agl, name) for name in dir(agl) if name.startswith("emit_")}
    return {**names, "operation": agl.operation, "Thing": Thing, "asyncio": asyncio}


def _indented(text: str) -> str:
    *lines, last = text.splitlines()
    plain = not last.startswith((" ", "return", "raise", "with", "await"))
    return "\n".join(f"    {line}" for line in [*lines, f"return {last}" if plain else last])


def _read(reader: Any, span: Any) -> Any:
    try:
        return _shown(reader(span))
    except Exception as error:
        return [type(error).__name__]


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if hasattr(value, "attributes"):
        return {
            "name": value.name,
            "status": value.status.model_dump(),
            "attributes": _attributes(value.attributes),
            "events": _events(getattr(value, "events", [])),
        }
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return value if isinstance(value, (dict, str, float, int, type(None))) else repr(value)


def _events(events: Any) -> list[Any]:
    made: list[Any] = []
    for event in events:
        shown = [event.name, _attributes(event.attributes)]
        # The release notes what an operation raised twice.
        if shown not in made:
            made.append(shown)
    return made


def _attributes(attributes: Any) -> dict[str, Any]:
    made = {key: list(v) if isinstance(v, tuple) else v for key, v in attributes.items()}
    # The lines of the code differ.
    return {key: bool(v) if key == "exception.stacktrace" else v for key, v in made.items()}


SCENARIOS = """
emit_reward(1.5)
---
emit_reward(1)
---
emit_reward(True)
---
emit_reward("1")
---
emit_reward(None)
---
emit_reward({"a": 1, "b": 0.5, "c": True}, primary_key="b")
---
emit_reward({"a": 1})
---
emit_reward({"a": 1}, primary_key="b")
---
emit_reward({"a": "x"}, primary_key="a")
---
emit_reward(0.5, attributes={"step": 1, "of": {"who": "me", "all": [1, 2]}})
---
emit_reward(0.5, attributes={"bad": Thing()})
---
emit_reward(0.5, propagate=False)
---
emit_annotation({"a": 1, "b": {"c": [True, False], "d": {"e": "x"}}, "f": 0.5})
---
emit_annotation({"reward": 0.25})
---
emit_annotation({"mixed": [1, 0.5, True]})
---
emit_annotation({"mixed": [1, "a"]})
---
emit_annotation({"empty": [], "nested": [[1], [2]], "dicts": [{"a": 1}]})
---
emit_annotation({"none": None})
---
emit_annotation({1: 2})
---
emit_annotation({})
---
emit_annotation({"thing": Thing()})
---
emit_annotation({"agentops.task.output": '{"type": "reward", "value": 0.5}'})
---
emit_annotation({"agentops.entity.output": '{"type": "reward", "value": 0.5}'})
---
emit_annotation({"agentops.entity.output": '{"type": "other", "value": 0.5}'})
---
emit_annotation({"agentops.entity.output": "no json"})
---
emit_annotation({"a": 1}, propagate=False)
---
emit_message("hello")
---
emit_message("")
---
emit_message("hello", attributes={"a": {"b": 1}, "thing": Thing(), "list": [1, "a"]})
---
emit_message("hello", propagate=False)
---
emit_message(7)
---
emit_object("text")
---
emit_object(7)
---
emit_object(0.5)
---
emit_object(True)
---
emit_object(None)
---
emit_object(b"bytes")
---
emit_object({"a": [1, {"b": None}]})
---
emit_object([1, 2])
---
emit_object((1, 2))
---
emit_object(Thing())
---
emit_object({"a": 1}, attributes={"b": 2})
---
emit_object({"a": 1}, propagate=False)
---
emit_exception(ValueError("bad"))
---
emit_exception(KeyError("k"), attributes={"a": {"b": 1}})
---
emit_exception("no exception")
---
try:
    raise ValueError("raised")
except ValueError as error:
    emit_exception(error)
---
@operation
def add(a, b=2, *rest, c=3, **more):
    return a + b
add(1, 5, 6, [7, 8], c={"x": [1, 2]}, d="y")
---
@operation
def nothing():
    pass
nothing()
---
@operation(category="compute", deep={"a": [1, 2]})
async def later(x):
    await asyncio.sleep(0)
    return {"x": x, "list": [{"a": 1}]}
await later(Thing())
---
@operation(name="other")
def named(x):
    return Thing()
str(named(1))
---
@operation
def fails(x):
    raise ValueError("bad")
fails(1)
---
@operation
async def fails_later(x):
    raise KeyError("bad")
await fails_later(1)
---
@operation
def called_wrongly(x):
    return x
called_wrongly(1, 2, y=3)
---
with operation(user="me", of=[1, 2]) as op:
    op.set_input(1, {"a": 2}, key=[1, 2], other={"b": 3})
    emit_message("inside")
    op.set_output({"c": 4})
op.span()
---
with operation(name="block") as op:
    op.set_output([1, 2])
op.span()
---
with operation() as op:
    raise ValueError("bad")
---
with operation(propagate=False) as op:
    op.set_input(x=1)
op.span()
---
with operation(propagate=False) as op:
    raise ValueError("bad")
---
operation().set_input(1)
---
operation().set_output(1)
---
operation("text")
---
operation(name="a", **{"agentlightning.operation.name": "b"})
---
@operation
def outer():
    emit_reward(0.5)
    return inner()
@operation(propagate=False)
def unseen():
    return 1
@operation
def inner():
    unseen()
    return "x"
outer()
---
emit_reward(0.25)
emit_message("between")
emit_reward(0.75)
---
class Agent:
    @operation
    def act(self, x):
        return x
Agent.__repr__ = lambda self: "<agent>"
Agent().act(1)
""".strip().split("\n---\n")
