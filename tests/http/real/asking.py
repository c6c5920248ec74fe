"""Requests as any client may send them, and what they are answered, on whichever server."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import Any

SPAN: dict[str, Any] = {
    "rollout_id": "{rollout}",
    "attempt_id": "{attempt}",
    "sequence_id": 4,
    "trace_id": "1" * 32,
    "span_id": "2" * 16,
    "parent_id": None,
    "name": "step",
    "status": {"status_code": "OK", "description": None},
    "attributes": {"text": "é", "flag": True, "many": [1, 2], "real": 0.5},
    "events": [{"name": "e", "attributes": {"a": "b"}, "timestamp": 1.5}],
    "links": [],
    "start_time": 1.0,
    "end_time": 2.0,
    "context": None,
    "parent": None,
    "resource": {"attributes": {"service.name": "s"}, "schema_url": ""},
}
SEARCH = "POST /spans/search"
# The request, its body, and the difference that its answer shows, if it does.
SCRIPT: list[tuple[Any, ...]] = [
    ("GET /health", None, "features"),
    ("POST /queues/rollouts/enqueue", {"rollouts": []}),
    ("POST /queues/rollouts/enqueue", {"rollouts": [{"input": {"q": 1}}]}),
    (
        "POST /queues/rollouts/enqueue",
        {
            "rollouts": [
                {
                    "input": None,
                    "mode": "val",
                    "resources_id": "rs-x",
                    "config": {"max_attempts": 2, "retry_condition": ["failed"]},
                    "metadata": {"a": [1]},
                },
                {"input": "text", "config": {"timeout_seconds": 5}},
            ]
        },
    ),
    ("POST /queues/rollouts/enqueue", {"rollouts": [{"mode": "val"}]}),
    ("POST /queues/rollouts/enqueue", {"rollouts": [{"input": 1, "mode": "play"}]}),
    ("POST /queues/rollouts/enqueue", {"rollouts": 3}),
    ("POST /queues/rollouts/enqueue", {}),
    ("POST /queues/rollouts/enqueue", [1]),
    ("POST /queues/rollouts/enqueue", "no json"),
    ("POST /queues/rollouts/dequeue", {"limit": 0}),
    ("POST /queues/rollouts/dequeue", {"limit": -5}),
    ("POST /queues/rollouts/dequeue", {"limit": "many"}),
    ("POST /queues/rollouts/dequeue", {"worker_id": 3}),
    ("POST /queues/rollouts/dequeue", {"worker_id": "w1"}),  # gives {rollout} and {attempt}
    ("POST /queues/rollouts/dequeue", None),
    ("POST /queues/rollouts/dequeue", {"limit": 5, "worker_id": "w2"}),
    ("POST /queues/rollouts/dequeue", {}),
    ("POST /rollouts", {"input": 7, "worker_id": "w3"}),
    ("POST /rollouts", {"mode": "train"}),
    ("GET /rollouts", None),
    ("GET /rollouts?status_in=preparing&status_in=queuing&limit=2&offset=1", None),
    ("GET /rollouts?sort_by=start_time&sort_order=desc", None),
    ("GET /rollouts?rollout_id_contains=ro-&filter_logic=or", None),
    ("GET /rollouts?status_in=lost", None),
    ("GET /rollouts?limit=0", None, "no-more-is-asked"),
    ("GET /rollouts?limit=-2", None),
    ("GET /rollouts?limit=x", None),
    ("GET /rollouts?offset=-1", None),
    ("GET /rollouts?sort_by=nothing", None),
    ("GET /rollouts?sort_order=down", None),
    ("GET /rollouts?filter_logic=xor", None),
    ("GET /rollouts?unknown=1", None),
    ("POST /rollouts/search", {}),
    ("POST /rollouts/search", None, "no-more-is-asked"),
    ("POST /rollouts/search", {"status_in": []}),
    ("POST /rollouts/search", {"status_in": None, "rollout_id_in": None}),
    ("POST /rollouts/search", {"rollout_id_in": ["{rollout}"], "sort_by": None}),
    ("POST /rollouts/search", {"rollout_id_contains": "zzz"}),
    ("POST /rollouts/search", {"rollout_id_contains": 3}),
    ("POST /rollouts/search", {"status_in": "queuing"}),
    ("POST /rollouts/search", {"limit": 0}, "no-more-is-asked"),
    ("POST /rollouts/search", {"limit": None}, "no-more-is-asked"),
    ("POST /rollouts/search", {"sort_by": "nothing"}),
    ("GET /rollouts/{rollout}", None),
    ("GET /rollouts/ro-nobody", None, "typed-errors"),
    ("POST /rollouts/{rollout}", {}),
    ("POST /rollouts/{rollout}", None, "no-more-is-asked"),
    ("POST /rollouts/{rollout}", {"metadata": {"b": 1}, "mode": "test"}),
    ("POST /rollouts/{rollout}", {"metadata": None, "mode": None, "resources_id": None}),
    ("POST /rollouts/{rollout}", {"status": None}),
    ("POST /rollouts/{rollout}", {"config": None}),
    ("POST /rollouts/{rollout}", {"status": "lost"}),
    ("POST /rollouts/{rollout}", {"config": {"max_attempts": 0}}),
    ("POST /rollouts/{rollout}", {"unknown": 1}),
    ("POST /rollouts/ro-nobody", {"status": "running"}, "typed-errors"),
    ("GET /rollouts/{rollout}/attempts", None),
    ("GET /rollouts/{rollout}/attempts?sort_by=start_time&sort_order=desc&limit=1", None),
    ("GET /rollouts/{rollout}/attempts?sort_by=nothing", None),
    ("POST /rollouts/{rollout}/attempts/search", {"limit": 1}),
    ("POST /rollouts/{rollout}/attempts/search", {"limit": 0}, "no-more-is-asked"),
    ("POST /rollouts/{rollout}/attempts/search", None, "no-more-is-asked"),
    ("GET /rollouts/ro-nobody/attempts", None),
    ("GET /rollouts/{rollout}/attempts/latest", None),
    ("GET /rollouts/ro-nobody/attempts/latest", None),
    ("POST /rollouts/{rollout}/attempts/latest", {}),
    ("POST /rollouts/{rollout}/attempts/latest", {"metadata": {"n": 1}}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"last_heartbeat_time": 12.5}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"status": "running", "worker_id": "w9"}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"status": None}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"worker_id": None}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"last_heartbeat_time": None}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"status": "lost"}),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"last_heartbeat_time": "soon"}),
    ("POST /rollouts/{rollout}/attempts/at-nobody", {"status": "running"}, "typed-errors"),
    ("POST /rollouts/ro-nobody/attempts/latest", {"status": "running"}, "typed-errors"),
    ("POST /rollouts/{rollout}/attempts/{attempt}", None, "no-more-is-asked"),
    ("GET /workers", None),
    ("GET /workers?status_in=busy&worker_id_contains=w1", None),
    ("GET /workers?status_in=lost", None),
    ("GET /workers?sort_by=worker_id&sort_order=desc&limit=1&offset=1", None),
    ("GET /workers?sort_by=nothing", None),
    ("POST /workers/search", {"status_in": []}),
    ("POST /workers/search", {"status_in": ["unknown"], "worker_id_contains": "w9"}),
    ("POST /workers/search", {"filter_logic": "or", "worker_id_contains": "w3"}),
    ("POST /workers/search", {"limit": -2}),
    ("GET /workers/w1", None),
    ("GET /workers/nobody", None),
    ("POST /workers/w5", None),
    ("POST /workers/w5", {}),
    ("POST /workers/w5", {"heartbeat_stats": {"cpu": 1.5}}),
    ("POST /workers/w5", {"heartbeat_stats": None}),
    ("POST /workers/w5", {"heartbeat_stats": 3}),
    ("GET /resources/latest", None),
    ("GET /resources/rs-nobody", None),
    ("POST /resources", {}),
    (
        "POST /resources/first",
        {
            "m": {"resource_type": "llm", "endpoint": "http://h", "model": "m"},
            "p": {"resource_type": "prompt_template", "template": "t {x}", "engine": "f-string"},
            "q": {"resource_type": "proxy_llm", "endpoint": "http://p", "model": "m"},
        },
    ),
    ("POST /resources/first", {"m": {"resource_type": "unheard of"}}),
    ("POST /resources", {"m": {"endpoint": "http://h"}}),
    ("POST /resources", [1]),
    ("GET /resources/latest", None),
    ("GET /resources/first", None),
    ("GET /resources", None),
    ("GET /resources?resources_id=first&sort_by=version&sort_order=desc&limit=1", None),
    ("GET /resources?resources_id_contains=irs", None),
    ("GET /resources?resources_id=", None),
    ("GET /resources?sort_by=nothing", None),
    ("POST /spans", SPAN),
    ("POST /spans", SPAN),
    ("POST /spans", {**SPAN, "span_id": "3" * 16, "sequence_id": 9, "parent_id": "2" * 16}),
    ("POST /spans", {**SPAN, "rollout_id": "ro-nobody"}, "typed-errors"),
    ("POST /spans", {**SPAN, "attempt_id": "at-nobody"}, "typed-errors"),
    ("POST /spans", {"rollout_id": "{rollout}"}),
    ("POST /spans", {**SPAN, "span_id": "4" * 16, "more": "kept"}),
    ("POST /spans", {**SPAN, "span_id": "5" * 16, "status": {"status_code": "GOOD"}}),
    ("POST /spans/next", {"rollout_id": "{rollout}", "attempt_id": "{attempt}"}),
    (
        "POST /spans/next",
        {"rollout_id": "ro-nobody", "attempt_id": "at-nobody"},
        "numbers-need-a-rollout",
    ),
    ("POST /spans/next", {"rollout_id": "{rollout}"}),
    ("GET /spans?rollout_id={rollout}", None),
    ("GET /spans?rollout_id={rollout}&attempt_id=latest&limit=1&offset=1", None),
    ("GET /spans?rollout_id={rollout}&parent_id=2222222222222222", None),
    ("GET /spans?rollout_id={rollout}&name_contains=te&sort_by=span_id&sort_order=desc", None),
    ("GET /spans?rollout_id={rollout}&name=x&span_id_contains=3&filter_logic=or", None),
    ("GET /spans?rollout_id=ro-nobody", None),
    ("GET /spans", None),
    (SEARCH, {"rollout_id": "{rollout}", "attempt_id": "at-nobody"}),
    (SEARCH, {"rollout_id": "{rollout}", "trace_id": "1" * 32, "sort_by": None}),
    (SEARCH, {"rollout_id": "{rollout}", "name": "step", "span_id": "3" * 16}),
    (SEARCH, {"rollout_id": "{rollout}", "sort_by": "nothing"}),
    (SEARCH, {"rollout_id": "{rollout}", "limit": 0}, "no-more-is-asked"),
    (SEARCH, {}),
    ("POST /waits/rollouts", {"rollout_ids": ["{rollout}", "ro-nobody"], "timeout": 0}),
    ("POST /rollouts/{rollout}/attempts/latest", {"status": "succeeded"}),
    ("POST /waits/rollouts", {"rollout_ids": ["{rollout}", "{rollout}"], "timeout": 0.05}),
    ("POST /waits/rollouts", {"rollout_ids": ["{rollout}"], "timeout": None}),
    ("POST /waits/rollouts", {"rollout_ids": ["{rollout}"], "timeout": "long"}),
    ("POST /waits/rollouts", {"timeout": 0}),
    ("GET /workers/w1", None),
    ("POST /rollouts/{rollout}/attempts", {"worker_id": "w1"}, "end-time-is-cleared"),
    ("POST /rollouts/{rollout}/attempts", None, "end-time-is-cleared"),
    ("POST /rollouts/ro-nobody/attempts", {}, "typed-errors"),
    ("GET /rollouts/{rollout}/attempts", None),
    ("GET /statistics", None, "sizes-of-spans"),
    ("POST /rollouts/{rollout}/attempts/{attempt}", {"metadata": None}, "no-more-is-asked"),
    ("DELETE /rollouts/{rollout}", None),
    ("POST /statistics", None),
    ("GET /nothing", None),
]
_IDS = re.compile(r"(ro|at|rs)-(?=[0-9a-f]*\d|[0-9a-f]{8,})[0-9a-f]{8,12}\b")


class Asking:
    """Asks one server; ids in answers are replaced by names, in the order they appear."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v1/agl"
        self._names: dict[str, str] = {}
        self._known = {"rollout": "", "attempt": ""}

    def ask(self, request: str, body: Any) -> tuple[int, Any]:
        """The status, and the body."""
        verb, path = self._filled(request).split(" ", 1)
        data = None
        if body is not None:
            data = b"{no" if body == "no json" else self._filled(json.dumps(body)).encode()
        asked = urllib.request.Request(self._url + path, data=data, method=verb)
        asked.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, self._read(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, self._read(error.read())

    def _filled(self, text: str) -> str:
        for name, value in self._known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _read(self, data: bytes) -> Any:
        text = data.decode()
        for found in _IDS.finditer(text):
            self._names.setdefault(found[0], f"{found[1]}-{len(self._names)}")
        said = json.loads(text)
        if not self._known["attempt"] and isinstance(said, list) and said:
            attempt = said[0].get("attempt") if isinstance(said[0], dict) else None
            if attempt:
                self._known = {"rollout": said[0]["rollout_id"], "attempt": attempt["attempt_id"]}
        return json.loads(_IDS.sub(lambda found: self._names[found[0]], text))


def answers(url: str) -> list[tuple[int, Any]]:
    """The status and the body for each request of the script."""
    asking = Asking(url)
    return [asking.ask(request, body) for request, body, *_ in SCRIPT]
