"""The OpenAPI document of a store server, made from the table of its operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from agentlightning_compat.http import otlp
from agentlightning_compat.http.described import (
    NUMBER,
    ROWS,
    TEXT,
    WHOLE,
    Described,
    Schema,
    fields,
    items,
    maybe,
    ref,
)
from agentlightning_compat.http.paging import PAGED, PAGES
from agentlightning_compat.http.values import encoded
from agentlightning_compat.http.wire import (
    DOCUMENTS,
    GIVE_UP,
    HEALTH,
    KEY,
    LONGEST_KEY,
    OPERATIONS,
    PREFIX,
)
from agentlightning_compat.model import (
    Attempt,
    AttemptedRollout,
    EnqueueRolloutRequest,
    ResourcesUpdate,
    ResourceUnion,
    Rollout,
    RolloutConfig,
    Span,
    Worker,
)
from agentlightning_compat.store.base import LightningStoreStatistics

_JSON = "application/json"
_TEMPLATE = "#/components/schemas/{model}"
_MODELS: tuple[type[BaseModel], ...] = (
    Attempt,
    AttemptedRollout,
    EnqueueRolloutRequest,
    ResourcesUpdate,
    Rollout,
    RolloutConfig,
    Span,
    Worker,
)
# What any operation may be refused with, besides 401.
_ERRORS = {
    400: "The request makes no sense.",
    403: "A browser sent it for a page of another site.",
    404: "An id is not in the store, or nothing is at this path.",
    405: "The path is for other verbs.",
    410: "The spans had to make room.",
    413: "The request is larger than this server takes.",
    422: "A field has the wrong kind, or a value that cannot be stored.",
    431: "The head of the request is larger than this server takes.",
    500: "The server or its storage failed.",
    501: "The store behind this server does not offer that.",
    503: "Not now; the same request may work later.",
    507: "The storage is full.",
}
_ALWAYS = (400, 413, 422, 431, 500, 501, 503, 507)


@cache
def document(guarded: bool) -> bytes:
    """The document as JSON; `guarded` servers want a token."""
    return encoded(described(guarded))


def described(guarded: bool) -> dict[str, Any]:
    """The document. Made anew each time: it is the caller's."""
    paths: dict[str, dict[str, Any]] = {}
    for verb, path, operation in _operations():
        if not guarded or path == HEALTH:
            operation["security"] = []
        if guarded and path != HEALTH:
            operation["responses"]["401"] = _problem("A token is needed, or another one.")
        paths.setdefault(path, {})[verb.lower()] = operation
    parts: dict[str, Any] = {"schemas": _schemas()}
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "LightningStore Server",
            "version": _version(),
            "description": "A store of rollouts, their attempts and spans, resources and workers.",
        },
        "paths": dict(sorted(paths.items())),
        "components": parts,
    }
    if guarded:
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for row in OPERATIONS:
        about = ROWS[f"{row.verb} {row.path}"]
        operation = _operation(row.verb, row.path, about, row.status)
        if row.writes:
            operation["parameters"].append(_KEY)
        if row.call in PAGED:
            operation["parameters"].append(_FOLLOWS)
        yield row.verb, f"{PREFIX}{row.path}", operation
    yield (
        "POST",
        f"{PREFIX}{GIVE_UP}",
        _operation("POST", GIVE_UP, ROWS[f"POST {GIVE_UP}"], 200),
    )
    yield "GET", HEALTH, _plain("Whether the server answers, and what it can", "health", _HEALTH)
    for path in sorted(DOCUMENTS):
        yield "GET", path, _plain("This document", _name("GET", path), {"type": "object"})
    yield "POST", otlp.TRACES, _export()
    for path in sorted(otlp.OTHERS):
        refused = {"501": {"description": "Only spans are kept here.", "content": _PROTOBUF}}
        named = {"summary": "Not kept here", "operationId": _name("POST", path)}
        yield "POST", path, {**named, "responses": refused}


_KINDS: Mapping[Any, Schema] = {str: TEXT, int: WHOLE, float: NUMBER}
_HEALTH = fields(
    ["status", "features"], status={"type": "string", "const": "ok"}, features=items(TEXT)
)
_PROTOBUF = {otlp.PROTOBUF: {"schema": {"type": "string", "contentMediaType": otlp.PROTOBUF}}}
_KEY = {
    "name": KEY,
    "in": "header",
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": "A request that comes again with the same key is not done again.",
}
_FOLLOWS = {
    "name": PAGES.decode(),
    "in": "header",
    "schema": TEXT,
    "description": "Says, whatever it is, that the client asks for what a reply has no room for.",
}


def _operation(verb: str, path: str, about: Described, status: int) -> dict[str, Any]:
    statuses = sorted({*_ALWAYS, *about.errors, *((403,) if verb == "POST" else ())})
    operation: dict[str, Any] = {
        "summary": about.summary,
        "operationId": _name(verb, path),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}}
            for name in re.findall(r"{(\w+)}", path)
        ],
        "responses": {
            str(status): {"description": "Done.", "content": {_JSON: {"schema": about.gives}}},
            **{str(code): _problem(_ERRORS[code]) for code in statuses},
        },
    }
    for name, schema in (about.asks or {}).items():
        needed = name == "rollout_id"
        asked = {"name": name, "in": "query", "required": needed, "schema": schema}
        operation["parameters"].append(asked)
    if about.takes is not None:
        takes = about.takes if about.needed else maybe(about.takes)
        content = {_JSON: {"schema": takes}}
        operation["requestBody"] = {"required": about.needed, "content": content}
    return operation


def _plain(summary: str, name: str, gives: Schema) -> dict[str, Any]:
    answer = {"description": "Done.", "content": {_JSON: {"schema": gives}}}
    return {"summary": summary, "operationId": name, "responses": {"200": answer}}


def _export() -> dict[str, Any]:
    codes = (400, 413, 415, 500, 501, 503)
    refused = {"description": "A `google.rpc.Status`.", "content": _PROTOBUF}
    return {
        "summary": "Add spans, as exporters of OpenTelemetry send them (OTLP)",
        "operationId": "export_spans",
        "requestBody": {"required": False, "content": _PROTOBUF},
        "responses": {
            "200": {
                "description": "An `ExportTraceServiceResponse`; it counts what was refused.",
                "content": _PROTOBUF,
            },
            **{str(code): refused for code in codes},
        },
    }


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {_JSON: {"schema": ref("Problem")}}}


def _name(verb: str, path: str) -> str:
    words = re.sub(r"\W+", "_", path.replace("{", "by_").replace("}", ""))
    return f"{verb.lower()}{words}"


def _schemas() -> Mapping[str, Schema]:
    """Of the models as they are stored and sent; a request may leave out what has a default."""
    _, found = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template=_TEMPLATE
    )
    schemas: dict[str, Schema] = dict(found["$defs"])
    union: TypeAdapter[Any] = TypeAdapter(ResourceUnion)
    made = union.json_schema(ref_template=_TEMPLATE)
    schemas.update(made.pop("$defs", {}))
    schemas["Resource"] = {**made, "required": ["resource_type"]}
    counts = {name: _KINDS[kind] for name, kind in get_type_hints(LightningStoreStatistics).items()}
    schemas["Statistics"] = fields(["name"], **counts)
    schemas["Problem"] = _PROBLEM
    return dict(sorted(schemas.items()))


_PROBLEM: Schema = {
    "anyOf": [
        fields(
            ["code", "detail", "retry"],
            code={**TEXT, "description": "The kind of the error."},
            detail={**TEXT, "description": "What is wrong, in words."},
            retry={"type": "boolean", "description": "Whether the same request may work later."},
        ),
        fields(
            ["detail"],
            detail=items(
                fields(
                    ["loc", "msg", "type"],
                    loc=items({"type": ["string", "integer"]}),
                    msg=TEXT,
                    type=TEXT,
                )
            ),
        ),
    ]
}


def _version() -> str:
    try:
        return version("agentlightning-compat")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0"
