"""An OpenAI-compatible server on this machine that also says token ids, as vLLM does."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.projects.openai_stub import completion


def tokens(text: str) -> list[int]:
    """The token ids of a text: one for each byte."""
    return list(text.encode())


@contextmanager
def llm_stub(rules: Sequence[dict[str, Any]] = ()) -> Iterator[str]:
    """Serve on a free port; gives the `base_url` for a client. See `openai_stub` for the rules.

    A rule that says "echo" is answered with the question.
    """
    numbers = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made = completion(body, rules, next(numbers))
            message = made["choices"][0]["message"]
            asked = body["messages"][-1]["content"]
            if message["content"] == "echo":
                message["content"] = asked
            made["prompt_token_ids"] = tokens(asked)
            made["choices"][0]["token_ids"] = tokens(message["content"] or "")
            data = json.dumps(made).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
