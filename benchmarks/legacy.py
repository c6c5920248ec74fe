"""What the legacy adapter and the bridge cost, against the real agentlightning's.

python benchmarks/legacy.py [--rounds 5] [--only worker,fleet,bridge] [--json FILE] [--quick]

With --quick everything is run once and in little, to see that it runs: the numbers mean nothing
and no bound is judged.

worker, fleet: a legacy runner on a legacy server; that is one process of the real 0.3.0 for both
sides, because the real 0.3.0 runner cannot read the resources of a server before 0.3.
bridge: an `AgentLightningServer` of 0.1.2 and ours, asked by the same client, which speaks HTTP
over plain connections that it keeps.

Peers run in environments of their own under AGL_ORACLES (see tests/oracles.py). Sides take turns,
so that drift of the machine cancels. All times are times on the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from benchmarks.legacy_wire import Reports, RoundTrips  # noqa: E402, where to find it is said above
from tests.oracles import oracle_python  # noqa: E402

Row = dict[str, Any]

SIDES = ("peer", "ours")
# Otherwise importing litellm waits for a download.
_ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_WAITS = 0.1  # seconds
_AT_ONCE = 64


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    tasks: int
    waiting: int
    waiting_alone: int
    trips: int


FULL = Sizes(rounds=5, tasks=300, waiting=640, waiting_alone=20, trips=1000)
QUICK = Sizes(rounds=1, tasks=5, waiting=8, waiting_alone=2, trips=20)


class Process:
    """One side in a process of its own; `release` is the peer's, None is ours."""

    def __init__(self, release: str | None) -> None:
        python = str(oracle_python(release)) if release else sys.executable
        package = "agentlightning" if release else "agentlightning_compat"
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "benchmarks.legacy_side", package],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=_ENVIRONMENT,
        )

    def ask(self, do: str, **parameters: Any) -> Any:
        """Have something done.

        Raises:
            RuntimeError: the process ended instead.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"do": do, **parameters}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()} in {do}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def free_port() -> int:
    """A port that nobody listens on, and that nobody is given who asks for any."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """A process that is a legacy server."""

    def __init__(self, process: Process) -> None:
        port = free_port()
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.resources_id = process.ask("serve", port=port)


class Bench:
    """The processes of the parts that are asked for, which start side by side."""

    def __init__(self, parts: list[str], sizes: Sizes, quick: bool) -> None:
        self.sizes = sizes
        self.quick = quick
        runs = {name: release for part in parts for name, release in _PROCESSES[part].items()}
        self._processes = {name: Process(release) for name, release in runs.items()}
        self._servers: dict[str, Server] = {}

    def process(self, name: str) -> Process:
        """A process by its name."""
        return self._processes[name]

    def server(self, name: str) -> Server:
        """A process that is a server from now on."""
        if name not in self._servers:
            self._servers[name] = Server(self._processes[name])
        return self._servers[name]

    def close(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.close()


_WORKERS: dict[str, str | None] = {"server": "0.3.0", "peer": "0.3.0", "ours": None}
_PROCESSES: dict[str, dict[str, str | None]] = {
    "worker": _WORKERS,
    "fleet": _WORKERS,
    "bridge": {"old server": "0.1.2", "bridge": None},
}


def quantiles(values: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))]


class Samples:
    """What the rounds of both sides gave: rates in 1/s, and the seconds of single things."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {side: [] for side in SIDES}
        self.singles: dict[str, list[float]] = {side: [] for side in SIDES}

    def add(self, side: str, count: int, seconds: float, singles: list[float]) -> None:
        """One round of a side."""
        self.rates[side].append(count / seconds)
        self.singles[side] += singles

    def row(self, measure: str, least: float | None, quick: bool) -> Row:
        """A line of the result; `least` is how many times the peer's rate is wanted."""
        ours, peer = (statistics.median(self.rates[side]) for side in ("ours", "peer"))
        found: Row = {
            "measure": measure,
            "value": round(ours, 1),
            "unit": "1/s",
            "peer": round(peer, 1),
            "ratio": round(ours / peer, 3),
            "bound": "" if least is None else f">= {least:g} x the peer",
            "met": None if quick or least is None else ours >= least * peer,
        }
        for side in SIDES:
            median, late = quantiles(self.singles[side])
            found[f"{side}_ms"] = [round(1000 * median, 2), round(1000 * late, 2)]
        return found


def _work(bench: Bench, side: str, count: int, **how: Any) -> tuple[float, list[float]]:
    server = bench.server("server")
    server.process.ask("queue", count=count)
    found = bench.process(side).ask("work", url=server.url, count=count, **how)
    if (taken := server.process.ask("taken")) != count:
        raise RuntimeError(f"{taken} of {count} tasks were reported")
    return found["seconds"], found["gaps"]


def worker(bench: Bench) -> Iterator[Row]:
    """One worker, one task at a time, an agent that does nothing."""
    samples = Samples()
    count = bench.sizes.tasks
    for side in SIDES:
        _work(bench, side, 3, seconds=0, concurrency=1)
    for _ in range(bench.sizes.rounds):
        for side in SIDES:
            samples.add(side, count, *_work(bench, side, count, seconds=0, concurrency=1))
    yield samples.row("tasks of one worker, sync `iter`", 1, bench.quick)


def fleet(bench: Bench) -> Iterator[Row]:
    """An agent that waits: the peer does one task at a time."""
    samples = Samples()
    how = {"peer": (bench.sizes.waiting_alone, 1), "ours": (bench.sizes.waiting, _AT_ONCE)}
    for side, (_, at_once) in how.items():
        _work(bench, side, 2, seconds=_WAITS, concurrency=at_once)
    for _ in range(bench.sizes.rounds):
        for side, (count, at_once) in how.items():
            took = _work(bench, side, count, seconds=_WAITS, concurrency=at_once)
            samples.add(side, count, *took)
    yield samples.row("tasks of 100 ms, concurrency=64", 10, bench.quick)


def bridge(bench: Bench) -> Iterator[Row]:
    """GET /task, GET /resources, POST /rollout."""
    for reports in (Reports.rewards(), Reports.traces()):
        for at_once in (1, 16):
            samples = Samples()
            for _ in range(bench.sizes.rounds):
                for side, name in (("peer", "old server"), ("ours", "bridge")):
                    samples.add(side, *_trips(bench, name, reports, at_once))
            clients = "1 client" if at_once == 1 else f"{at_once} clients"
            least = 1 if not reports.fields.get("trace") else None
            yield samples.row(f"round trips, {reports.name}, {clients}", least, bench.quick)


def _trips(
    bench: Bench, name: str, reports: Reports, at_once: int
) -> tuple[int, float, list[float]]:
    server, count = bench.server(name), bench.sizes.trips
    server.process.ask("queue", count=count, resources_id=server.resources_id)
    trips = RoundTrips(server.url, reports)
    start = time.perf_counter()
    singles = asyncio.run(trips.make(count, at_once))
    took = time.perf_counter() - start
    if (taken := server.process.ask("taken")) != count:
        raise RuntimeError(f"{name}: {taken} of {count} results")
    return count, took, singles


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "worker": worker,
    "fleet": fleet,
    "bridge": bridge,
}


def line(found: Row) -> str:
    """A row as text; times are the median and the 99th percentile."""
    verdict = {None: "", True: "met", False: "MISSED"}[found["met"]]
    times = ", ".join(
        f"{side} {found[f'{side}_ms'][0]:g}/{found[f'{side}_ms'][1]:g} ms" for side in SIDES
    )
    columns = "{measure:40} {value:>8g} {unit} peer {peer:>8g}  {ratio:>7g}".format(**found)
    return f"{columns}  {found['bound']}  {verdict}  ({times})"


def main() -> None:
    """Run what is asked for, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL._replace(rounds=options.rounds)
    rows: list[Row] = []
    parts = options.only.split(",")
    bench = Bench(parts, sizes, options.quick)
    try:
        for part in parts:
            for found in PARTS[part](bench):
                print(line(found), flush=True)
                rows.append(found)
    finally:
        bench.close()
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    if any(found["met"] is False for found in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
