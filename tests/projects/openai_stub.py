"""A local server that answers chat completions like OpenAI's, the same for the same messages.

Answers are a list of rules, each `{"when": text, ...}`; the first whose text is in the last user
message counts, and a rule without `when` always does. A rule says one of

    {"say": "Paris"}                                                 an answer
    {"call": "add", "arguments": {"a": 1, "b": 2}, "then": "= {}"}   a tool call; `then` is said
                                                                     when the result is there

Without a rule that fits the answer is "I do not know."
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

UNKNOWN = "I do not know."


class OpenAIStub:
    """The server's address, and what it was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[dict[str, Any]] = []


@contextmanager
def openai_stub(rules: Sequence[dict[str, Any]] = ()) -> Iterator[OpenAIStub]:
    """Serve on a free port; `address` is what a client takes as its `base_url`."""
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.endswith("/chat/completions") or body.get("stream"):
                self._send(400, {"error": {"message": f"not served here: {self.path}"}})
                return
            stub.requests.append(body)
            self._send(200, completion(body, rules, next(numbers)))

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        stub = OpenAIStub(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()


def completion(
    body: dict[str, Any], rules: Sequence[dict[str, Any]], number: int
) -> dict[str, Any]:
    """Answer a request; `number` is used for the ids only, which have to be unique."""
    messages = body["messages"]
    last_user = max(i for i, message in enumerate(messages) if message["role"] == "user")
    rule = _rule(text_of(messages[last_user]), rules)
    results = [text_of(message) for message in messages[last_user:] if message["role"] == "tool"]
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if "call" in rule and not results and body.get("tools"):
        function = {"name": rule["call"], "arguments": json.dumps(rule.get("arguments", {}))}
        call = {"id": f"call-{number}", "type": "function", "function": function}
        message["tool_calls"] = [call]
    elif "call" in rule:
        message["content"] = rule.get("then", "{}").format(*results or [UNKNOWN])
    else:
        message["content"] = rule["say"]
    return _envelope(body, message, number)


def text_of(message: dict[str, Any]) -> str:
    """The text of a message whose content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def last_user_text(body: dict[str, Any]) -> str:
    """The last user message of a request."""
    return [text_of(message) for message in body["messages"] if message["role"] == "user"][-1]


def _rule(text: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return next((rule for rule in rules if rule.get("when", "") in text), {"say": UNKNOWN})


def _envelope(body: dict[str, Any], message: dict[str, Any], number: int) -> dict[str, Any]:
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
