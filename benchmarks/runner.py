"""What the runner costs, against that of the real agentlightning 0.3.0.

python benchmarks/runner.py [--rounds 5] [--only overhead,many,start,import] [--json FILE]

The peer runs in an environment of its own under AGL_ORACLES (see tests/oracles.py). It and ours
take turns, so that drift of the machine cancels. Times are times on the clock, but for imports,
where it is CPU time.
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
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from benchmarks.runner_side import PACKAGES  # noqa: E402, where to find it is said above
from tests.oracles import oracle_python  # noqa: E402

Row = dict[str, Any]

# Otherwise importing litellm waits for a download.
_ENVIRONMENT = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
# What the example of the migration guide imports.
_IMPORT = """
import resource, sys
from {package} import InMemoryLightningStore, LitAgent, LitAgentRunner, OtelTracer, Trainer
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def python(side: str) -> str:
    """The interpreter of a side."""
    return str(oracle_python("0.3.0")) if side == "peer" else sys.executable


class Process:
    """One side in a process of its own."""

    def __init__(self, side: str) -> None:
        self.side = side
        self._process = subprocess.Popen(
            [python(side), "-W", "ignore", "-m", "benchmarks.runner_side", side],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=_ENVIRONMENT,
        )

    def ask(self, measure: str, **parameters: Any) -> float:
        """Have something measured.

        Raises:
            RuntimeError: the process ended instead; what it had to say is on standard error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"measure": measure, **parameters}), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.side} ended with {self._process.wait()} in {measure}")
        return float(json.loads(answer))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Bench:
    """Both sides, kept for all that they are asked."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.sides = {side: Process(side) for side in PACKAGES}

    def medians(self, measure: str, **parameters: Any) -> dict[str, float]:
        """The median of each side, asked in turn."""
        samples: dict[str, list[float]] = {side: [] for side in self.sides}
        for _ in range(self.rounds):
            for side, process in self.sides.items():
                samples[side].append(process.ask(measure, **parameters))
        return {side: statistics.median(values) for side, values in samples.items()}

    def close(self) -> None:
        """End the processes."""
        for process in self.sides.values():
            process.close()


def row(
    measure: str, value: float, unit: str, peer: float, bound: str = "", met: bool | None = None
) -> Row:
    """One line of the result."""
    return {
        "measure": measure,
        "value": round(value, 3),
        "unit": unit,
        "peer": round(peer, 3),
        "ratio": round(value / peer, 4),
        "bound": bound,
        "met": met,
    }


def overheads(bench: Bench) -> Iterator[Row]:
    """A rollout whose agent does nothing."""
    for tracer, name in (("none", "DummyTracer"), ("otel", "OtelTracer")):
        found = bench.medians("overhead", tracer=tracer, count=200)
        ours, peer = found["ours"], found["peer"]
        label = f"trivial rollout, {name}"
        yield row(label, ours, "us", peer, "<= 1/3 of the peer", ours <= peer / 3)


def many(bench: Bench) -> Iterator[Row]:
    """1,000 rollouts that wait for 100 ms each; the peer runs 20, one at a time."""
    found = []
    for _ in range(bench.rounds):
        ours = bench.sides["ours"].ask("many", seconds=0.1, count=1000, concurrency=64)
        found.append(ours)
    peer = bench.sides["peer"].ask("many", seconds=0.1, count=20, concurrency=1) * 50
    ideal, ours = 1000 / 64 * 0.1, statistics.median(found)
    bound = f"<= 1.3 x {ideal:.4g} s"
    yield row("1,000 rollouts of 100 ms, 64 at once", ours, "s", peer, bound, ours <= 1.3 * ideal)


def start(bench: Bench) -> Iterator[Row]:
    """From enqueue to the agent's start; the peer looks every 5 s."""
    ours = bench.sides["ours"].ask("start", count=50)
    peer = bench.sides["peer"].ask("start", count=3)
    yield row("enqueue to agent start, idle runner", ours, "ms", peer, "< 10 ms", ours < 10)


def imports(bench: Bench) -> Iterator[Row]:
    """The import of the five names that the guide's example needs, in fresh processes."""
    samples: dict[str, list[tuple[float, float]]] = {side: [] for side in PACKAGES}
    for _ in range(bench.rounds):
        for side, values in samples.items():
            code = _IMPORT.format(package=PACKAGES[side])
            done = subprocess.run(
                [python(side), "-W", "ignore", "-c", code],
                cwd=ROOT,
                env={k: v for k, v in _ENVIRONMENT.items() if k != "PYTHONDONTWRITEBYTECODE"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            cpu, resident = done.stdout.split()[-2:]
            values.append((float(cpu), float(resident)))
    cpus, sizes = (
        {side: statistics.median(value[place] for value in samples[side]) for side in samples}
        for place in (0, 1)
    )
    yield row("import, CPU", cpus["ours"], "s", cpus["peer"], "< 0.35 s", cpus["ours"] < 0.35)
    yield row("import, resident memory", sizes["ours"], "MiB", sizes["peer"])


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "overhead": overheads,
    "many": many,
    "start": start,
    "import": imports,
}


def line(found: Row) -> str:
    """A row as text."""
    verdict = {None: "", True: "met", False: "MISSED"}[found["met"]]
    columns = "{measure:38} {value:>10.5g} {unit:4} peer {peer:>10.5g}  {ratio:>8.3g}".format(
        **found
    )
    return f"{columns}  {found['bound']}  {verdict}".rstrip()


def main() -> None:
    """Run what is asked for, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    bench = Bench(options.rounds)
    try:
        for part in options.only.split(","):
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
