"""What the store costs over HTTP, against the server and client of the real agentlightning 0.3.0.

python benchmarks/http_store.py [--rounds 5] [--only lifecycle,calls,runners,gains]
    [--json FILE] [--quick] [--without-peer]

With --quick everything is run once and in little, to see that it runs: the numbers mean nothing
and no bound is judged. --without-peer leaves out what needs a real agentlightning.

Server and clients are processes of their own, on loopback, over stores in memory. The peer runs in
an environment of its own under AGL_ORACLES (see tests/oracles.py). All take turns, so that drift of
the machine cancels. The floor is an application that answers at once with as many bytes, on the
same server library with the same options, asked by aiohttp.

Runners are forked from a process that has imported its package: 32 of them start in a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from benchmarks.http_processes import Side  # noqa: E402, where to find it is said above
from benchmarks.store_table import Row, line, row  # noqa: E402


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    lifecycles: dict[int, dict[str, int]]
    calls: int
    runners: tuple[int, ...]
    tasks: dict[str, int]


_WHOLE = Sizes(
    rounds=5,
    lifecycles={1: {"peer": 40, "ours": 300}, 64: {"peer": 128, "ours": 960}},
    calls=300,
    runners=(1, 2, 4, 8, 16, 32, 64, 128),
    tasks={"peer": 96, "ours": 480},
)
_QUICK = Sizes(
    rounds=1,
    lifecycles={1: {"peer": 2, "ours": 4}, 8: {"peer": 8, "ours": 16}},
    calls=5,
    runners=(1, 2),
    tasks={"peer": 2, "ours": 4},
)
# In the manner of 0.3.0's published benchmark.
_MANY = 32
_TURNS = 4


class Bench:
    """All sides, kept for all that they are asked."""

    def __init__(self, sizes: Sizes, with_peer: bool) -> None:
        self.sizes = sizes
        self.with_peer = with_peer
        self.sides = {side: Side(side) for side in ("peer", "ours", "floor")[not with_peer :]}

    def close(self) -> None:
        """End all processes."""
        for side in self.sides.values():
            side.close()


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
        for name, side in bench.sides.items():
            count = bench.sizes.calls // (5 if name == "peer" else 1)
            for call, times in side.ask(measure="calls", count=max(count, 2)).items():
                samples[name].setdefault(call, []).extend(times)
    for call in samples["ours"]:
        for percent in (50, 99):
            values = {
                name: statistics.quantiles(found[call], n=100)[percent - 1] * 1e6
                for name, found in samples.items()
            }
            for name, value in values.items():
                other = "floor" if name == "ours" else "ours"
                yield row(
                    f"{call}, p{percent}",
                    name,
                    value,
                    "us",
                    ratio=None if name == "floor" else value / values[other],
                    bound="" if name == "floor" else f"{name} / {other}",
                )


def with_runners(bench: Bench) -> Iterator[Row]:
    """Runner processes that take several turns a rollout, with spans of OpenTelemetry."""
    sides = [side for side in ("peer", "ours") if side in bench.sides]
    many = min(_MANY, bench.sizes.runners[-1])
    for pattern in ("batch", "queue"):
        samples: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for _ in range(bench.sizes.rounds):
            for side in sides:
                samples[side].append(_work(bench, side, pattern, many))
        rates = {side: 1e6 / _median(samples[side], "wall") for side in sides}
        costs = {side: _median(samples[side], "client", "server") for side in sides}
        ratio = rates["ours"] / rates["peer"] if "peer" in rates else None
        label = f"{pattern}, {many} runners"
        for side in sides:
            ours = side == "ours"
            yield row(
                label,
                side,
                rates[side],
                "rollouts/s",
                ratio=ratio if ours else None,
                bound=">= 5x the peer's rate" if ours else "",
                met=ratio >= 5 if ratio and ours else None,
            )
            yield row(f"{label}, CPU", side, costs[side], "us")


def gains(bench: Bench) -> Iterator[Row]:
    """How many runners are of use: each number does 5 % more than all smaller ones."""
    for side in ("peer", "ours"):
        if side not in bench.sides:
            continue
        best, rate = 0, 0.0
        for count in bench.sizes.runners:
            found = [
                _work(bench, side, "queue", count) for _ in range(max(bench.sizes.rounds // 2, 1))
            ]
            reached = 1e6 / _median(found, "wall")
            yield row(f"queue, {count} runners", side, reached, "rollouts/s")
            if reached > 1.05 * rate:
                best, rate = count, reached
            elif count > 2 * best:
                break
        yield row("runners that still gain", side, best, "runners", bound="reported")


def _work(bench: Bench, side: str, pattern: str, runners: int) -> dict[str, float]:
    # Enough for each runner to have some, and no more than one alone does in good time.
    each = 30 if side == "ours" else 8
    tasks = max(min(bench.sizes.tasks[side], each * runners), 2)
    width = 2 * runners
    return bench.sides[side].runners(
        tasks, pattern=pattern, runners=runners, width=width, turns=_TURNS
    )


def _median(samples: list[dict[str, float]], *names: str) -> float:
    return statistics.median(sum(found[name] for name in names) for found in samples)


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "lifecycle": lifecycles,
    "calls": calls,
    "runners": with_runners,
    "gains": gains,
}


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
