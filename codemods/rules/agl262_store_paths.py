"""AGL262: requests to a store server of 0.2 by paths that are others today."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from codemods.context import FileContext
from codemods.legacy.http_calls import LIBRARIES
from codemods.legacy.instances import imports_framework
from codemods.rule import Hit, Rule

TODAY = {
    "start_rollout": "POST /v1/agl/rollouts",
    "enqueue_rollout": "POST /v1/agl/queues/rollouts/enqueue",
    "dequeue_rollout": "POST /v1/agl/queues/rollouts/dequeue",
    "start_attempt": "POST /v1/agl/rollouts/{rollout_id}/attempts",
    "query_rollouts": "GET /v1/agl/rollouts",
    "query_attempts": "GET /v1/agl/rollouts/{rollout_id}/attempts",
    "get_latest_attempt": "GET /v1/agl/rollouts/{rollout_id}/attempts/latest",
    "get_rollout_by_id": "GET /v1/agl/rollouts/{rollout_id}",
    "add_resources": "POST /v1/agl/resources",
    "update_resources": "POST /v1/agl/resources/{resources_id}",
    "get_resources_by_id": "GET /v1/agl/resources/{resources_id}",
    "get_latest_resources": "GET /v1/agl/resources/latest",
    "add_span": "POST /v1/agl/spans",
    "get_next_span_sequence_id": "POST /v1/agl/spans/next",
    "wait_for_rollouts": "POST /v1/agl/waits/rollouts",
    "query_spans": "GET /v1/agl/spans",
    "update_rollout": "POST /v1/agl/rollouts/{rollout_id}",
    "update_attempt": "POST /v1/agl/rollouts/{rollout_id}/attempts/{attempt_id}",
}
_PATH = re.compile(rf"(?:^|/)({'|'.join(TODAY)})(?=[/?]|$)")


class StorePaths(Rule):
    """Strings that hold such a path, in files that speak HTTP themselves."""

    code = "AGL262"
    title = "Path of a store server of 0.2"
    why = (
        "0.3 serves the store under `/v1/agl` with other paths and other bodies. "
        "`LightningStoreClient` speaks them, and has a method for each."
    )
    before = 'requests.post(f"{server}/enqueue_rollout", json={"input": task})'
    after = "(left as it is and reported)"
    applicability = "manual"
    nodes = (ast.Constant,)

    def check(self, node: ast.AST, ctx: FileContext) -> Iterable[Hit]:
        """Strings that end in a path, or have it in front of a parameter."""
        assert isinstance(node, ast.Constant)
        text = node.value
        if not isinstance(text, str) or "_" not in text or "/" not in text or " " in text:
            return
        found = _PATH.search(text)
        if found is None or not found[0].startswith("/") or not _speaks_http(ctx):
            return
        name = found[1]
        reason = f"call `{name}` of LightningStoreClient, or send {TODAY[name]}"
        message = f"a store server has no path /{name} since 0.3"
        yield Hit(node, message, reason=reason, symbol=f"agentlightning.LightningStore.{name}")


def _speaks_http(ctx: FileContext) -> bool:
    libraries = {
        binding.path.partition(".")[0]
        for bindings in ctx.module.imported.values()
        for binding in bindings
    }
    return bool(libraries & (LIBRARIES | {"fastapi", "starlette"})) and imports_framework(ctx)
