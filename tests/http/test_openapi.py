"""The OpenAPI document: whole, valid, and true of the table of operations."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from agentlightning_compat.http import openapi
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.described import ROWS
from agentlightning_compat.http.wire import DOCUMENTS, GIVE_UP, HEALTH, KEY, OPERATIONS, PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask

OTLP = {"/v1/traces", "/v1/metrics", "/v1/logs", "/v1/development/profiles"}


@pytest.mark.parametrize("token", [None, "secret"])
@pytest.mark.parametrize("path", sorted(DOCUMENTS))
async def test_it_is_served_and_valid(token, path):
    app = StoreApp(InMemoryLightningStore(), token=token)
    with_token = [("authorization", b"Bearer secret")] if token else []
    answer = await ask(app, "GET", path, headers=with_token)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert list(OpenAPIV31SpecValidator(answer.json).iter_errors()) == []
    assert ("securitySchemes" in answer.json["components"]) is bool(token)
    assert (await ask(app, "POST", path, headers=with_token)).status == 405


async def test_it_wants_the_token():
    app = StoreApp(InMemoryLightningStore(), token="secret")
    assert (await ask(app, "GET", "/openapi.json")).status == 401


def test_every_operation_is_in_it_and_nothing_else():
    told = {
        (verb.upper(), path)
        for path, verbs in openapi.described(False)["paths"].items()
        for verb in verbs
    }
    known = {(row.verb, PREFIX + row.path) for row in OPERATIONS}
    besides = {("POST", PREFIX + GIVE_UP), ("GET", HEALTH), *(("GET", p) for p in DOCUMENTS)}
    assert told == known | besides | {("POST", path) for path in OTLP}
    assert set(ROWS) == {f"{row.verb} {row.path}" for row in OPERATIONS} | {f"POST {GIVE_UP}"}


def test_names_are_used_once_and_all_that_is_named_is_there():
    document = openapi.described(True)
    operations = [row for verbs in document["paths"].values() for row in verbs.values()]
    names = [row["operationId"] for row in operations]
    assert len(names) == len(set(names))
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, f"{name} is never used"


def test_only_writes_take_a_key_and_only_health_is_open():
    paths = openapi.described(True)["paths"]
    for row in OPERATIONS:
        asked = paths[PREFIX + row.path][row.verb.lower()]
        keyed = any(x["name"] == KEY for x in asked["parameters"])
        assert (keyed, "401" in asked["responses"]) == (row.writes, True)
    assert paths[HEALTH]["get"]["security"] == []
