"""A server answers as its OpenAPI document says, to what it says may be asked and to other things."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from agentlightning_compat.http import calls, openapi
from agentlightning_compat.http.wire import KEY, OPERATIONS, PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.serving import serving

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
PATIENCE = 60.0  # seconds, for a machine that is busy
EXAMPLES = 4


def can_be_wrong(row):
    """Any text is a name, and some operations take nothing else."""
    described = openapi.ROWS[f"{row.verb} {row.path}"]
    return described.takes is not None or described.asks is not None


CASES = [
    pytest.param(row, mode, id=f"{row.verb} {row.path} {mode.value}")
    for row in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or can_be_wrong(row)
]


@cache
def schema():
    return schemathesis.openapi.from_dict(openapi.described(False))


def known_ids(store):
    """A rollout with an attempt and a span, a worker and resources, so that there is something to
    be found."""

    async def fill():
        await store.update_resources("known", {})
        await store.enqueue_rollout({"task": 1})
        claimed = await store.dequeue_rollout("known")
        return claimed.rollout_id, claimed.attempt.attempt_id

    rollout_id, attempt_id = asyncio.run(fill())
    return {
        "rollout_id": rollout_id,
        "attempt_id": attempt_id,
        "worker_id": "known",
        "resources_id": "known",
    }


@pytest.fixture(scope="module")
def endpoint():
    store = InMemoryLightningStore()
    ids = known_ids(store)
    with serving(store) as server, requests.Session() as session:
        yield server.endpoint, ids, session


def with_known(case, ids):
    """The same request about what is there."""
    for where in (case.path_parameters, case.query, case.body):
        if isinstance(where, dict):
            where.update({name: value for name, value in ids.items() if name in where})
    return case


@pytest.fixture
def soon(monkeypatch):
    """Whoever waits is answered soon."""
    monkeypatch.setattr(calls, "LONGEST_HOLD", 0.01)


@pytest.mark.parametrize(("row", "mode"), CASES)
@pytest.mark.usefixtures("soon")
def test_answers_are_as_the_document_says(endpoint, row, mode):
    url, ids, session = endpoint
    operation = schema()[PREFIX + row.path][row.verb]

    @seed(20)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        (case.headers or {}).pop(KEY, None)
        for number, asked in enumerate((case, with_known(case, ids))):
            answer = asked.call(base_url=url, session=session, timeout=PATIENCE)
            asked.validate_response(answer, checks=CHECKS)
            if mode is GenerationMode.POSITIVE and number == 0:
                taken = answer.status_code in (row.status, 404)
                assert taken, (answer.status_code, answer.text[:300])

    ask()
    assert session.get(f"{url}{PREFIX}/health", timeout=PATIENCE).status_code == 200
