"""The benchmark of the stores runs; what it finds out is not looked at here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs(tmp_path):
    result = tmp_path / "result.json"
    options = ["--quick", "--json", str(result), "--backends", "memory,sqlite", "--postgres", ""]
    done = subprocess.run(
        [sys.executable, "benchmarks/store.py", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(result.read_text())
    assert {row["backend"] for row in rows} == {"peer", "memory", "sqlite"}
    measures = {row["measure"].split(",")[0].split(" of ")[0] for row in rows}
    assert measures >= {"lifecycle", "query_spans", "enqueue to claimant", "memory"}
    assert all(row["value"] >= 0 and row["met"] is None for row in rows)
