"""Whatever comes over the wire is done or refused, and the server goes on."""

from __future__ import annotations

import asyncio
import copy
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlightning_compat.http import calls
from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.wire import GIVE_UP, OPERATIONS, PREFIX
from agentlightning_compat.model import Span
from agentlightning_compat.store.memory import InMemoryLightningStore
from agentlightning_compat.store.sqlite import SqliteLightningStore
from tests.http.asked import ask

SPAN = Span.from_attributes(attributes={"a": [1, 2]}, sequence_id=1).model_dump()
PAGE = {"limit": 5, "offset": 0, "sort_order": "desc", "filter_logic": "or"}
CONFIG = {"timeout_seconds": 1.5, "max_attempts": 2, "retry_condition": ["timeout"]}
NEW = {"input": {"a": [1]}, "mode": "train", "resources_id": "r", "config": CONFIG, "metadata": {}}
LLM = {"resource_type": "llm", "endpoint": "x", "model": "y", "sampling_parameters": {"t": 0.5}}
TEMPLATE = {"resource_type": "prompt_template", "template": "x", "engine": "jinja"}

# A request of each kind that is right.
RIGHT = {
    "/queues/rollouts/enqueue": {"rollouts": [NEW, {"input": 1}]},
    "/queues/rollouts/dequeue": {"limit": 2, "worker_id": "w", "wait": 0.001},
    "/queues/rollouts/dequeue/give-up": {"key": "k"},
    "/rollouts": {**NEW, "worker_id": "w"},
    "/rollouts/search": {
        **PAGE,
        "status_in": ["queuing"],
        "rollout_id_contains": "r",
        "sort_by": "mode",
    },
    "/rollouts/{rollout_id}": {
        "status": "running",
        "metadata": {"a": 1},
        "config": CONFIG,
        "input": 1,
    },
    "/rollouts/{rollout_id}/attempts": {"worker_id": "w"},
    "/rollouts/{rollout_id}/attempts/search": {**PAGE, "sort_by": "worker_id"},
    "/rollouts/{rollout_id}/attempts/{attempt_id}": {
        "status": "running",
        "worker_id": "w",
        "last_heartbeat_time": 5.5,
        "metadata": {"a": 1},
    },
    "/workers/search": {
        **PAGE,
        "status_in": ["busy"],
        "worker_id_contains": "w",
        "sort_by": "status",
    },
    "/workers/{worker_id}": {"heartbeat_stats": {"cpu": 0.5}},
    "/resources": {"main": LLM, "prompt": TEMPLATE},
    "/resources/{resources_id}": {"main": LLM},
    "/spans": SPAN,
    "/spans/batch": {"spans": [SPAN, {**SPAN, "span_id": "b" * 16}], "numbered": False},
    "/spans/search": {**PAGE, "rollout_id": "", "name_contains": "a", "sort_by": "name"},
    "/spans/next": {"keys": [["", ""]]},
    "/waits/rollouts": {"rollout_ids": [""], "timeout": 0.001},
}
JUNK = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            0,
            -1,
            1.5,
            10**19,
            -(10**400),
            float("nan"),
            float("inf"),
            1e308,
            "",
            "\ud800",
            "\0",
            "null",
            "running",
            "1" * 5000,
            [],
            {},
            [None],
            [[[]]],
            {"": {"": None}},
        ]
    ),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
)


def places(value, path=()):
    """Where something can be put in a body, and at which keys."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(body, path, junk):
    if not path:
        return junk
    body = copy.deepcopy(body)
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return body


@st.composite
def nearly_right(draw):
    """A request with one or two things in it that are something else."""
    path = draw(st.sampled_from(sorted(RIGHT)))
    body = RIGHT[path]
    for _ in range(draw(st.integers(1, 2))):
        found = sorted(places(body), key=repr)
        body = changed(body, draw(st.sampled_from(found)), draw(JUNK))
    return path, body


class Stage:
    """A server over a store, with a rollout, an attempt and a worker to be talked about."""

    def __init__(self, store):
        self.store = store
        self.app = StoreApp(store)
        self.loop = asyncio.new_event_loop()
        made = self.run(store.start_rollout({"task": 1}, worker_id="w"))
        self.run(store.add_resources({}))
        self.names = {
            "rollout_id": made.rollout_id,
            "attempt_id": made.attempt.attempt_id,
            "worker_id": "w",
            "resources_id": "r",
        }

    def run(self, work):
        return self.loop.run_until_complete(work)

    def ask(self, *args, **options):
        """The answer, which is never that the server failed."""
        answer = self.run(ask(self.app, *args, **options))
        assert answer.status in range(200, 500) or answer.status == 501, answer
        assert b"Traceback" not in answer.body
        return answer

    def goes_on(self):
        """Everything that was let in can be read."""
        for path in (
            "/rollouts",
            "/workers",
            "/resources",
            f"/spans?rollout_id={self.names['rollout_id']}",
        ):
            place, _, query = path.partition("?")
            answer = self.ask("GET", PREFIX + place, query=query.encode())
            assert answer.status == 200, answer
            assert len(answer.json["items"]) == answer.json["total"]

    def about(self, body):
        """The same body, with the ids of what is there in place of empty ones."""
        if isinstance(body, dict):
            return {
                key: self.names[key] if value == "" and key in self.names else self.about(value)
                for key, value in body.items()
            }
        if isinstance(body, list):
            if body == ["", ""]:
                return [self.names["rollout_id"], self.names["attempt_id"]]
            return [self.about(item) for item in body]
        return body


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def stage(request, tmp_path_factory):
    if request.param == "memory":
        store = InMemoryLightningStore()
    else:
        store = SqliteLightningStore(tmp_path_factory.mktemp("fuzz") / "store.db")
    held = calls.LONGEST_HOLD
    calls.LONGEST_HOLD = 0.01
    made = Stage(store)
    yield made
    made.run(store.close())
    made.loop.close()
    calls.LONGEST_HOLD = held


@pytest.fixture(autouse=True)
def no_failure(caplog):
    yield
    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not failures


def test_every_request_that_is_right_is_right(stage):
    for path, body in RIGHT.items():
        where = PREFIX + path.format(**stage.names)
        answer = stage.ask("POST", where, stage.about(body))
        assert answer.status in (200, 201), (path, answer)
    rows = {row.path for row in OPERATIONS if row.verb == "POST"}
    assert set(RIGHT) == rows | {GIVE_UP}


@settings(max_examples=250)
@given(asked=nearly_right())
def test_what_is_nearly_right(stage, asked):
    path, body = asked
    stage.ask("POST", PREFIX + path.format(**stage.names), json.dumps(stage.about(body)).encode())
    stage.goes_on()


@settings(max_examples=100)
@given(
    path=st.sampled_from(sorted(RIGHT)),
    at=st.floats(0, 1),
    bite=st.integers(0, 20),
    put=st.binary(max_size=6)
    | st.sampled_from([b'"', b"{", b"[", b"\\", b"\xff", b"\\ud800", b"1e999"]),
)
def test_bodies_with_bytes_that_do_not_belong(stage, path, at, bite, put):
    data = json.dumps(stage.about(RIGHT[path])).encode()
    where = int(at * len(data))
    stage.ask(
        "POST", PREFIX + path.format(**stage.names), data[:where] + put + data[where + bite :]
    )
    stage.goes_on()


@settings(max_examples=100)
@given(row=st.sampled_from(OPERATIONS), body=st.binary(max_size=40))
def test_any_bytes(stage, row, body):
    stage.ask(row.verb, PREFIX + row.path.format(**stage.names), body)


NAMES = sorted({name for path in RIGHT if path.endswith("search") for name in RIGHT[path]})
BYTES = st.binary(max_size=12).map(lambda data: data.replace(b"?", b""))


@settings(max_examples=150)
@given(
    verb=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "\u0130"]),
    row=st.sampled_from(OPERATIONS),
    names=st.lists(
        BYTES | st.sampled_from([b"", b"%", b"%ff", b"%2f", b"..", b"%00", b"%ed%a0%80"]),
        min_size=4,
        max_size=4,
    ),
    fields=st.lists(
        st.tuples(st.sampled_from(NAMES), BYTES | st.sampled_from([b"-1", b"9" * 5000, b"%zz"]))
    ),
    rest=BYTES,
)
def test_paths_and_queries(stage, verb, row, names, fields, rest):
    path = (PREFIX + row.path).encode()
    keys = [b"{rollout_id}", b"{attempt_id}", b"{worker_id}", b"{resources_id}"]
    for key, value in zip(keys, names, strict=True):
        path = path.replace(key, value)
    query = b"&".join([*(name.encode() + b"=" + value for name, value in fields), rest])
    answer = stage.run(ask(stage.app, verb, path, query=query))
    assert answer.status in range(200, 500), answer
    assert b"Traceback" not in answer.body


@settings(max_examples=60)
@given(path=BYTES)
def test_paths_that_lead_anywhere(stage, path):
    for start in (b"/", b"/v1/", PREFIX.encode() + b"/", b"/page/", b""):
        answer = stage.run(ask(stage.app, "GET", start + path))
        assert answer.status in range(200, 500), answer


HEADERS = ["idempotency-key", "authorization", "content-length", "content-type", "content-encoding"]


@settings(max_examples=100)
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from([*HEADERS, "accept-encoding", "agl-pages", "x"]), st.binary(max_size=20)
        )
    ),
    path=st.sampled_from([*sorted(RIGHT), "/v1/traces"]),
)
def test_headers(stage, headers, path):
    body = b"" if path == "/v1/traces" else stage.about(RIGHT[path])
    where = path if path == "/v1/traces" else PREFIX + path.format(**stage.names)
    stage.ask("POST", where, body, headers=headers)
