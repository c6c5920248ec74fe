"""What heartbeats tell of the machine."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from agentlightning_compat.runner import snapshot
from agentlightning_compat.runner.snapshot import by_proc, by_psutil, system_snapshot

KEYS = {
    "timestamp", "host", "os", "cpu_name", "cpu_cores", "cpu_threads", "cpu_usage_pct",
    "mem_used_gb", "mem_total_gb", "mem_pct", "disk_used_gb", "disk_total_gb", "disk_pct",
    "bytes_sent_mb", "bytes_recv_mb",
}  # fmt: skip
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_the_keys_are_those_of_0_3_0_and_all_is_json():
    found = system_snapshot()
    assert set(found) == KEYS
    assert json.loads(json.dumps(found)) == found
    assert found["disk_total_gb"] >= found["disk_used_gb"] > 0


@linux
def test_without_psutil_it_reads_proc(monkeypatch):
    monkeypatch.setattr(snapshot, "_psutil", lambda: None)
    found = system_snapshot()
    assert set(found) == KEYS
    assert found["mem_total_gb"] >= found["mem_used_gb"] > 0
    assert found["cpu_threads"] >= 1
    assert 0 <= found["cpu_usage_pct"] <= 100


@linux
def test_both_ways_agree():
    psutil = importlib.import_module("psutil")
    ours, theirs = by_proc(), by_psutil(psutil)
    assert set(ours) == set(theirs)
    assert ours["mem_total_gb"] == theirs["mem_total_gb"]
    assert ours["cpu_threads"] == theirs["cpu_threads"]


def test_what_cannot_be_read_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(snapshot, "_PROC", tmp_path)
    found = by_proc()
    assert found["mem_total_gb"] is found["cpu_usage_pct"] is found["bytes_sent_mb"] is None


def test_gpus_are_told_when_asked_for(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho 'NVIDIA H100, 97, 1024, 81559, 41'\necho 'Old, [N/A], 1, 2, 3'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    first, second = system_snapshot(include_gpu=True)["gpus"]
    assert first == {
        "gpu": "NVIDIA H100",
        "util_pct": 97,
        "mem_used_mb": 1024,
        "mem_total_mb": 81559,
        "temp_c": 41,
    }
    assert (second["gpu"], second["util_pct"]) == ("Old", None)


def test_without_a_gpu_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert system_snapshot(include_gpu=True)["gpus"] == []
