"""`emit_message`, and reading messages."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.emitter.active import further, tracer_for
from agentlightning_compat.model import SpanLike
from agentlightning_compat.semconv import AGL_MESSAGE, LightningSpanAttributes

_BODY = LightningSpanAttributes.MESSAGE_BODY.value


def emit_message(
    message: str, attributes: dict[str, Any] | None = None, propagate: bool = True
) -> None:
    """Record a line of text.

    Raises:
        TypeError: it is no text.
        RuntimeError: no tracer is active.
    """
    if not isinstance(message, str):
        raise TypeError(f"a message is text, not {message!r}")
    tracer_for("a message", propagate).create_span(
        AGL_MESSAGE, attributes={_BODY: message, **further(attributes)}
    )


def get_message_value(span: SpanLike) -> str | None:
    """The text of a span of `emit_message`; None for other spans.

    Raises:
        TypeError: what stands there is no text.
    """
    body = (span.attributes or {}).get(_BODY)
    if body is not None and not isinstance(body, str):
        raise TypeError(f"a message is text, not {body!r}")
    return body
