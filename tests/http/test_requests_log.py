"""The log of requests says who asked for what, and nothing that was in it."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import urllib.request

import pytest

from agentlightning_compat.http.app import StoreApp
from agentlightning_compat.http.wire import PREFIX
from agentlightning_compat.store.memory import InMemoryLightningStore
from tests.http.asked import ask
from tests.http.raw import PATIENCE

SECRET = "hunter2"
TOKEN = [("authorization", f"Bearer {SECRET}".encode())]
ASKED = [
    (
        "POST",
        "/queues/rollouts/enqueue",
        {"rollouts": [{"input": SECRET, "metadata": {"x": SECRET}}]},
    ),
    ("POST", "/queues/rollouts/enqueue", {"rollouts": SECRET}),
    ("POST", "/queues/rollouts/enqueue", {"rollouts": [{"mode": SECRET}]}),
    ("POST", "/queues/rollouts/dequeue", {"limit": SECRET, "worker_id": SECRET}),
    ("POST", "/rollouts", {"input": 1, "config": {"max_attempts": SECRET}}),
    ("POST", "/rollouts", {"input": 1, "mode": {SECRET: SECRET}}),
    ("POST", "/resources", {SECRET: {"resource_type": SECRET}}),
    ("POST", "/workers/w", {"heartbeat_stats": SECRET}),
    ("POST", "/spans", {"name": SECRET}),
    ("POST", "/spans/search", {"rollout_id": "x", "name": SECRET, "sort_by": SECRET}),
    ("POST", "/rollouts", b'{"input": ' + SECRET.encode()),
    ("GET", "/rollouts", b""),
]


@pytest.mark.parametrize("token", [SECRET, "another"])
async def test_nothing_that_was_sent_is_in_any_log(caplog, token):
    caplog.set_level(logging.DEBUG)
    app = StoreApp(InMemoryLightningStore(), token=token)
    for verb, path, body in ASKED:
        query = f"rollout_id_contains={SECRET}&limit={SECRET}".encode()
        await ask(app, verb, PREFIX + path, body, headers=TOKEN, query=query)
    otlp = [*TOKEN, ("content-type", b"application/x-protobuf")]
    await ask(app, "POST", "/v1/traces", SECRET.encode(), headers=otlp)
    assert SECRET not in caplog.text
    requests = [r for r in caplog.records if r.name == "agentlightning_compat.http.requests"]
    assert len(requests) == (len(ASKED) + 1 if token == SECRET else 0)


def test_a_line_for_each_request_when_asked_for():
    program = [
        sys.executable,
        "-c",
        "import sys; from agentlightning_compat.serving import main; sys.exit(main(sys.argv[1:]))",
    ]
    options = ["--store", "memory://", "--port", "0", "--access-log", "--prometheus"]
    with subprocess.Popen(
        [*program, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            url = re.search(r"http://\S+", server.stdout.readline())[0]
            for path in (f"{PREFIX}/rollouts?rollout_id_contains={SECRET}", "/v1/prometheus"):
                with urllib.request.urlopen(url + path, timeout=PATIENCE) as answer:
                    assert answer.status == 200
        finally:
            server.terminate()
        _, lines = server.communicate(timeout=PATIENCE)
    assert re.findall(rf"GET {PREFIX}/rollouts 200$", lines, re.M)
    assert SECRET not in lines
