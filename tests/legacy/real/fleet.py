"""Runs fleets of runners for a store server in another process."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import agentlightning as agl

from agentlightning_compat.legacy import fit_fleet, runner_strategy, wait_completed

TASKS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Doubler(agl.LitAgent[Any]):
    def rollout(self, task: Any, resources: Any, rollout: Any) -> float:
        return 2.0 * task


async def serve() -> None:
    """Serve a store with tasks, answer with the results when all are finished."""
    server = agl.LightningStoreServer(
        agl.InMemoryLightningStore(thread_safe=True), host="127.0.0.1", port=free_port()
    )
    await server.start()
    await server.add_resources({})
    queued = [await server.enqueue_rollout(input=number, mode="train") for number in range(TASKS)]
    print(server.endpoint, flush=True)
    done = [await wait_completed(server, rollout.rollout_id, timeout=60) for rollout in queued]
    workers = await server.query_workers()
    print(
        json.dumps(
            {
                "rewards": [rollout.final_reward for rollout in done if rollout],
                "workers": len(workers),
            }
        ),
        flush=True,
    )
    await server.stop()


async def serve_legacy() -> None:
    port = free_port()
    server = agl.AgentLightningServer(host="127.0.0.1", port=port)
    await server.start()
    print(f"http://127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop()


def serving(what: str) -> tuple[subprocess.Popen[str], str]:
    child = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__)), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("http://"):
            return child, line.strip()
    raise RuntimeError("the server did not start")


def trainer(**settings: Any) -> Any:
    runner = {"type": "agentlightning.LitAgentRunner", "poll_interval": 0.1}
    return agl.Trainer(tracer=agl.OtelTracer(), runner=runner, **settings)


def fleet(n_runners: int, built_with_strategy: bool) -> dict[str, Any]:
    child, url = serving("serve")
    each = TASKS // n_runners
    try:
        if built_with_strategy:
            strategy = runner_strategy(url)
            trainer(max_rollouts=each, n_runners=n_runners, strategy=strategy).fit(Doubler())
        else:
            given = trainer(max_rollouts=each, n_runners=n_runners)
            before = given.strategy
            fit_fleet(given, Doubler(), url + "/")
            assert given.strategy is before
        assert child.stdout is not None
        return {"found": json.loads(child.stdout.readline()), "exit": child.wait(30)}
    finally:
        child.kill()


def legacy_server() -> str:
    child, url = serving("serve_legacy")
    try:
        fit_fleet(trainer(max_rollouts=1), Doubler(), url)
    except ConnectionError as error:
        return str(error)
    finally:
        child.kill()
    return "no error"


def main() -> dict[str, Any]:
    client = agl.LightningStoreClient("http://somewhere:4747/")
    return {
        "two runners, given trainer": fleet(2, built_with_strategy=False),
        "one runner, given trainer": fleet(1, built_with_strategy=False),
        "two runners, own strategy": fleet(2, built_with_strategy=True),
        "legacy server": legacy_server(),
        "of a client": runner_strategy(client, 3),
        "of a legacy client": runner_strategy(agl.AgentLightningClient("http://old:9999/")),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run({"serve": serve, "serve_legacy": serve_legacy}[sys.argv[1]]())
    else:
        json.dump(main(), sys.stdout)
