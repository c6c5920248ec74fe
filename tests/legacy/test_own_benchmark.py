"""The benchmark of the legacy adapter runs; what it finds out is not looked at here."""

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
    done = subprocess.run(
        [sys.executable, "benchmarks/legacy.py", "--quick", "--json", str(result)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(result.read_text())
    assert [row["measure"].split(",")[0] for row in rows] == [
        "tasks of one worker",
        "tasks of 100 ms",
        *["round trips"] * 4,
    ]
    assert all(row["value"] > 0 and row["peer"] > 0 and row["met"] is None for row in rows)
