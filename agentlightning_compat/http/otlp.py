"""Spans that come over OTLP/HTTP, as exporters of OpenTelemetry send them."""

from __future__ import annotations

import gzip
import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from agentlightning_compat.errors import (
    CompatError,
    InvalidRequestError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedError,
)
from agentlightning_compat.model import Event, Link, OtelResource, Span, SpanContext, TraceStatus
from agentlightning_compat.model.otel import seconds
from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

TRACES = "/v1/traces"
# What OTLP has besides, and nobody here keeps.
OTHERS = frozenset({"/v1/metrics", "/v1/logs", "/v1/development/profiles"})
PROTOBUF = "application/x-protobuf"
ROLLOUT = "agentlightning.rollout_id"
ATTEMPT = "agentlightning.attempt_id"
NUMBER = "agentlightning.span_sequence_id"

_STATUS_CODES = {1: "OK", 2: "ERROR"}


class Export(NamedTuple):
    """An answer to an exporter: a protobuf message, and its HTTP status."""

    status: int
    body: bytes


async def export(
    store: LightningStore, kind: str, encoding: str, body: bytes, largest: int
) -> Export:
    """Store the spans of a request whose content type is `kind`.

    Spans that say no rollout and attempt are left out, as in 0.3. Spans of attempts that are not
    in the store are refused in the answer; the others of the request are stored.
    """
    if kind.partition(";")[0].strip().lower() != PROTOBUF:
        return refusal(400, f"the content type is {PROTOBUF}, not {kind!r}")
    try:
        data = _unpacked(encoding, body, largest)
        if data is None:
            return refusal(413, f"unpacked, a body has at most {largest} bytes")
        spans = list(read(data))
        refused, why = await _stored(store, spans)
    except StoreUnavailableError as error:
        return refusal(503, error.message)  # exporters send it again
    except CompatError as error:
        return refusal(error.status, error.message)
    except Exception:
        _log.exception("spans that came over OTLP could not be stored")
        return refusal(500, "the server failed; its log says why")
    return Export(200, _partial(refused, why) if refused else b"")


def read(data: bytes) -> Iterator[Span]:
    """The spans of an export request; one without a number has a negative one.

    Raises:
        InvalidRequestError: it is no such request.
        UnsupportedError: the library that reads it is not installed.
    """
    for part in _parsed(data).resource_spans:
        about = _attributes(part.resource.attributes)
        resource = OtelResource(attributes=about, schema_url=part.schema_url)
        for scope in part.scope_spans:
            for source in scope.spans:
                own = _attributes(source.attributes)
                where = {key: own.get(key, about.get(key)) for key in (ROLLOUT, ATTEMPT, NUMBER)}
                if where[ROLLOUT] is None or where[ATTEMPT] is None:
                    _log.warning("a span over OTLP says no %s and %s", ROLLOUT, ATTEMPT)
                    continue
                yield _span(source, own, resource, where)


def _span(source: Any, own: dict[str, Any], resource: OtelResource, where: dict[str, Any]) -> Span:
    trace_id, span_id = source.trace_id.hex().zfill(32), source.span_id.hex().zfill(16)
    status = _STATUS_CODES.get(source.status.code, "UNSET")
    return Span(
        rollout_id=str(where[ROLLOUT]),
        attempt_id=str(where[ATTEMPT]),
        sequence_id=_number(where[NUMBER]),
        trace_id=trace_id,
        span_id=span_id,
        parent_id=source.parent_span_id.hex().zfill(16) if source.parent_span_id else None,
        name=source.name,
        status=TraceStatus.model_validate(
            {"status_code": status, "description": source.status.message or None}
        ),
        attributes=own,
        events=[_event(event) for event in source.events],
        links=[_link(link) for link in source.links],
        start_time=seconds(source.start_time_unix_nano),
        end_time=seconds(source.end_time_unix_nano),
        context=_context(source),
        parent=None,
        resource=resource,
    )


def _event(source: Any) -> Event:
    return Event(
        name=source.name,
        attributes=_attributes(source.attributes),
        timestamp=seconds(source.time_unix_nano),
    )


def _link(source: Any) -> Link:
    return Link(context=_context(source), attributes=_attributes(source.attributes) or None)


def _context(source: Any) -> SpanContext:
    return SpanContext(
        trace_id=source.trace_id.hex().zfill(32),
        span_id=source.span_id.hex().zfill(16),
        is_remote=False,
        trace_state={},
    )


def _number(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        return -1


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """Attributes as spans have them: maps are flattened, what has no value is left out."""
    found: dict[str, Any] = {}
    for pair in pairs:
        value = _plain(pair.value)
        if isinstance(value, dict):
            found |= {f"{pair.key}.{key}": item for key, item in value.items()}
        elif value is not None:
            found[pair.key] = value
    return found


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    if kind == "array_value":
        items = [_plain(item) for item in found.values]
        same = len({type(item) for item in items}) <= 1
        simple = all(isinstance(item, (str, bool, int, float)) for item in items)
        return items if same and simple else json.dumps(items)
    if kind == "kvlist_value":
        return _attributes(found.values)
    return found.hex() if kind == "bytes_value" else found


def _parsed(data: bytes) -> Any:
    try:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "spans over OTLP are read by opentelemetry-proto:"
            " pip install 'agentlightning-compat[http]'"
        ) from error
    try:
        return trace_service_pb2.ExportTraceServiceRequest.FromString(data)
    except DecodeError as error:
        raise InvalidRequestError("the body is no export of spans") from error


def _unpacked(encoding: str, data: bytes, largest: int) -> bytes | None:
    """The body without its compression; None if it grows beyond `largest` bytes."""
    if encoding.strip().lower() != "gzip":
        return data
    unpacking = zlib.decompressobj(wbits=31)
    try:
        found = unpacking.decompress(data, largest + 1)
    except zlib.error as error:
        raise InvalidRequestError(f"the body is not gzip: {error}") from error
    if len(found) > largest:
        return None
    if not unpacking.eof:
        raise InvalidRequestError("the body is not gzip: it ends too early")
    if unpacking.unused_data:  # nothing of it would be stored
        raise InvalidRequestError("something follows the gzip of the body")
    return found


async def _stored(store: LightningStore, spans: list[Span]) -> tuple[int, str]:
    """Store by attempt; how many had no place, and why the last of them."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.rollout_id, span.attempt_id), []).append(span)
    refused, why = 0, ""
    for key, group in groups.items():
        problem = await _misplaced(store, key, group)
        if problem is not None:
            refused, why = refused + len(group), problem
    return refused, why


async def _misplaced(store: LightningStore, key: tuple[str, str], group: list[Span]) -> str | None:
    """Store the spans of one attempt; why it could not be if there is no such attempt."""
    unnumbered = [span for span in group if span.sequence_id < 0]
    try:
        numbers = await store.get_many_span_sequence_ids([key] * len(unnumbered))
        for span, number in zip(unnumbered, numbers, strict=True):
            span.sequence_id = number
        await store.add_many_spans(group)
    except NotFoundError as error:
        return error.message
    return None


def refusal(status: int, text: str) -> Export:
    """A `google.rpc.Status` with this text; its one field that matters needs no library."""
    return Export(status, _text_field(2, text))


def _partial(refused: int, why: str) -> bytes:
    """An `ExportTraceServiceResponse` that says how many spans were refused."""
    inner = b"\x08" + _varint(refused) + _text_field(2, why)
    return b"\x0a" + _varint(len(inner)) + inner


def _text_field(number: int, text: str) -> bytes:
    data = text.encode(errors="replace")
    return bytes([number << 3 | 2]) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def packed(accepted: str, body: bytes) -> tuple[bytes, bool]:
    """The body for somebody who accepts these encodings, and whether it is gzip now."""
    tokens = {token.split(";")[0].strip().lower() for token in accepted.split(",")}
    return (gzip.compress(body), True) if "gzip" in tokens else (body, False)
