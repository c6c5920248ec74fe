"""What the store costs over HTTP, against the server and client of the real agentlightning 0.3.0.

python benchmarks/http_store.py [--rounds 5] [--only lifecycle,calls] [--json FILE] [--quick]
    [--without-peer]

With --quick everything is run once and in little, to see that it runs: the numbers mean nothing
and no bound is judged. --without-peer leaves out what needs a real agentlightning.

Server and clients are processes of their own, on loopback, over stores in memory. The peer runs in
an environment of its own under AGL_ORACLES (see tests/oracles.py). All take turns, so that drift of
the machine cancels. The floor is an application that answers at once with as many bytes, on the
same server library with the same options, asked by the same client library.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from benchmarks.store_table import Row, line, row  # noqa: E402, where to find it is said above
from tests.oracles import oracle_python  # noqa: E402


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    lifecycles: dict[int, dict[str, int]]
    calls: int


_WHOLE = Sizes(5, {1: {"peer": 60, "ours": 600}, 64: {"peer": 192, "ours": 1920}}, 300)
_QUICK = Sizes(1, {1: {"peer": 2, "ours": 4}, 64: {"peer": 64, "ours": 64}}, 5)


class Process:
    """One side of one backend in a process of its own."""

    def __init__(self, role: str, side: str) -> None:
        python = str(oracle_python("0.3.0")) if side == "peer" else sys.executable
        # Otherwise importing litellm waits for a download.
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self._name = f"{role} {side}"
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "benchmarks.http_side", role, side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def ask(self, measure: str, **parameters: Any) -> Any:
        """Have something measured.

        Raises:
            RuntimeError: the process ended instead; what it had to say is on standard error.
        """
        assert self._process.stdin is not None
        print(json.dumps({"measure": measure, **parameters}), file=self._process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """The next answer.

        Raises:
            RuntimeError: there is none.
        """
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Pair:
    """A server and its clients."""

    def __init__(self, side: str) -> None:
        self._server = Process("serve", side)
        self._clients = Process("ask", side)
        self._url = self._server.answer()

    def ask(self, measure: str, **parameters: Any) -> Any:
        """Have the clients measure something."""
        return self._clients.ask(measure, url=self._url, **parameters)

    def lifecycle(self, clients: int, count: int, write: str) -> dict[str, float]:
        """Per rollout: microseconds on the clock, and of CPU time on either side."""
        before = self._server.ask("cpu")
        found = self.ask("lifecycle", clients=clients, count=count, write=write)
        served = self._server.ask("cpu") - before
        scale = 1e6 / count
        return {
            "wall": found["wall"] * scale,
            "client": found["cpu"] * scale,
            # Also that of the rollouts that open the connections.
            "server": served * 1e6 / (count + clients),
        }

    def close(self) -> None:
        """End both."""
        self._clients.close()
        self._server.close()


class Bench:
    """All sides, kept for all that they are asked."""

    def __init__(self, sizes: Sizes, with_peer: bool) -> None:
        self.sizes = sizes
        self.with_peer = with_peer
        self.sides = {side: Pair(side) for side in ("peer", "ours", "floor")[not with_peer :]}

    def close(self) -> None:
        """End all processes."""
        for pair in self.sides.values():
            pair.close()


# Name, side, how spans are written, how many times the peer's rate.
_WAYS = (
    ("peer, its span processor", "peer", "one by one", None),
    ("peer, numbers known", "peer", "numbered", None),
    ("ours, our tracer", "ours", "at once", 10.0),
    ("ours, one by one", "ours", "one by one", None),
    ("floor, 4 requests", "floor", "", None),
)


def lifecycles(bench: Bench) -> Iterator[Row]:
    """Whole lives of rollouts with 8 spans."""
    for clients, counts in bench.sizes.lifecycles.items():
        samples: dict[str, list[dict[str, float]]] = {}
        for _ in range(bench.sizes.rounds):
            for name, side, write, _bound in _WAYS:
                if side in bench.sides:
                    count = counts["peer" if side == "peer" else "ours"]
                    found = bench.sides[side].lifecycle(clients, count, write)
                    samples.setdefault(name, []).append(found)
        yield from _judged(clients, samples)


def _judged(clients: int, samples: dict[str, list[dict[str, float]]]) -> Iterator[Row]:
    """Rates; the bound is judged against the peer's own way to write spans."""
    medians = {
        name: {key: statistics.median(f[key] for f in found) for key in found[0]}
        for name, found in samples.items()
    }
    peer = medians.get(_WAYS[0][0])
    for name, side, _, least in _WAYS:
        if name not in medians:
            continue
        one = medians[name]
        ratio = peer["wall"] / one["wall"] if peer else None
        label = f"lifecycle, {clients} client{'s' * (clients > 1)}"
        yield row(
            label,
            name,
            1e6 / one["wall"],
            "rollouts/s",
            peer=1e6 / peer["wall"] if peer else None,
            ratio=ratio,
            bound=f">= {least:g}x the peer's rate" if least else "",
            met=ratio >= least if least and ratio else None,
        )
        if side == "floor":
            yield row(
                f"{label}, ours / floor",
                "ours, our tracer",
                medians["ours, our tracer"]["wall"],
                "us",
                ratio=medians["ours, our tracer"]["wall"] / one["wall"],
                bound="reported",
            )
        cpu = one["client"] + one["server"]
        faster = (peer["client"] + peer["server"]) / cpu if peer else None
        yield row(f"{label}, CPU", name, cpu, "us", ratio=faster, bound="reported")


def calls(bench: Bench) -> Iterator[Row]:
    """Single calls of one client."""
    samples: dict[str, dict[str, list[float]]] = {side: {} for side in bench.sides}
    for _ in range(bench.sizes.rounds):
        for side, pair in bench.sides.items():
            count = bench.sizes.calls // (5 if side == "peer" else 1)
            for call, times in pair.ask("calls", count=max(count, 2)).items():
                samples[side].setdefault(call, []).extend(times)
    for call in samples["ours"]:
        for percent in (50, 99):
            values = {
                side: statistics.quantiles(found[call], n=100)[percent - 1] * 1e6
                for side, found in samples.items()
            }
            for side, value in values.items():
                compared = {"ours": "floor", "peer": "ours"}.get(side)
                yield row(
                    f"{call}, p{percent}",
                    side,
                    value,
                    "us",
                    ratio=value / values[compared] if compared else None,
                    bound=f"{side} / {compared}" if compared else "",
                )


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {"lifecycle": lifecycles, "calls": calls}


def main() -> None:
    """Run what is asked for, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_WHOLE.rounds)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without-peer", action="store_true")
    options = parser.parse_args()
    sizes = _QUICK if options.quick else _WHOLE._replace(rounds=options.rounds)
    rows: list[Row] = []
    bench = Bench(sizes, not options.without_peer)
    try:
        for part in options.only.split(","):
            for found in PARTS[part](bench):
                if options.quick:
                    found["met"] = None
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
