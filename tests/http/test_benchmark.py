"""The benchmark of the store over HTTP runs; what it finds out is not looked at here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs(tmp_path):
    result = tmp_path / "result.json"
    options = ["--quick", "--without-peer", "--json", str(result)]
    done = subprocess.run(
        [sys.executable, "benchmarks/http_store.py", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(result.read_text())
    assert {row["measure"].split(",")[0] for row in rows} >= {
        "lifecycle",
        "claim",
        "add 8 spans",
        "query 8 spans",
    }
    assert all(row["value"] > 0 and row["met"] is None for row in rows)
