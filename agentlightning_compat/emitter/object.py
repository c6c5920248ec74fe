"""`emit_object`, and reading objects."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from agentlightning_compat.emitter.active import further, tracer_for
from agentlightning_compat.model import Attributes, SpanCoreFields, SpanLike, TraceStatus
from agentlightning_compat.semconv import AGL_OBJECT, LightningSpanAttributes
from agentlightning_compat.span_attributes import full_qualified_name

_TYPE = LightningSpanAttributes.OBJECT_TYPE.value
_LITERAL = LightningSpanAttributes.OBJECT_LITERAL.value
_JSON = LightningSpanAttributes.OBJECT_JSON.value

_READ: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text.lower() == "true",
    "bytes": lambda text: base64.b64decode(text.encode()),
}


def emit_object(
    object: Any, attributes: dict[str, Any] | None = None, propagate: bool = True
) -> SpanCoreFields:
    """Record a value: text, a number, bytes, or anything that JSON knows.

    Raises:
        RuntimeError: JSON does not know it; or no tracer is active.
    """
    encoded = encode_object(object)
    return tracer_for("an object", propagate).create_span(
        AGL_OBJECT,
        attributes={**encoded, **further(attributes)},
        status=TraceStatus(status_code="OK"),
    )


def encode_object(object: Any) -> Attributes:
    """A value as the attributes of a span.

    Raises:
        RuntimeError: JSON does not know it.
    """
    if isinstance(object, (str, int, float, bool)):
        return {_TYPE: type(object).__name__, _LITERAL: str(object)}
    if isinstance(object, bytes):
        return {_TYPE: "bytes", _LITERAL: base64.b64encode(object).decode()}
    try:
        text = json.dumps(object)
    except (TypeError, ValueError) as error:
        raise RuntimeError(f"{type(object)} cannot be written as JSON") from error
    return {_TYPE: full_qualified_name(type(object)), _JSON: text}


def get_object_value(span: SpanLike) -> Any:
    """The value of a span of `emit_object`; None for other spans.

    Raises:
        RuntimeError: it cannot be read.
    """
    attributes: Any = span.attributes or {}
    if _JSON in attributes:
        try:
            return json.loads(attributes[_JSON])
        except (TypeError, ValueError) as error:
            raise RuntimeError("the span's object is no JSON") from error
    if _LITERAL not in attributes:
        return None
    kind = attributes.get(_TYPE, "str")
    if kind not in _READ:
        raise RuntimeError(f"objects of type {kind!r} cannot be read from text")
    return _READ[kind](attributes[_LITERAL])
