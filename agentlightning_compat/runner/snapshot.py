"""What a worker tells of its machine with each heartbeat."""

from __future__ import annotations

import csv
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

_PROC = Path("/proc")
_GPU_QUERY = ("name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu")
_GPU_KEYS = ("gpu", "util_pct", "mem_used_mb", "mem_total_mb", "temp_c")


def system_snapshot(include_gpu: bool = False) -> dict[str, Any]:
    """The state of this machine, with the keys of 0.3.0: sizes in GiB (`_gb`) and MiB (`_mb`),
    shares in percent.

    Read by psutil if it is installed, else from `/proc`; what cannot be known is None. `gpus`,
    asked of `nvidia-smi`, is there only if it is asked for.
    """
    found: dict[str, Any] = {
        "timestamp": datetime.now().isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "os": _system(),
        "cpu_name": _cpu_name(),
    }
    measured = _psutil()
    found |= by_proc() if measured is None else by_psutil(measured)
    found |= _disk()
    return {**found, "gpus": _gpus()} if include_gpu else found


def by_psutil(psutil: Any) -> dict[str, Any]:
    """What psutil says."""
    memory, net = psutil.virtual_memory(), psutil.net_io_counters()
    return {
        "cpu_cores": psutil.cpu_count(logical=False),
        "cpu_threads": psutil.cpu_count(logical=True),
        "cpu_usage_pct": psutil.cpu_percent(0.0),
        "mem_used_gb": _gb(memory.used),
        "mem_total_gb": _gb(memory.total),
        "mem_pct": memory.percent,
        "bytes_sent_mb": _mb(net.bytes_sent) if net else None,
        "bytes_recv_mb": _mb(net.bytes_recv) if net else None,
    }


def by_proc() -> dict[str, Any]:
    """What Linux says; elsewhere hardly anything."""
    memory = _tried(_memory) or {}
    total, free = memory.get("MemTotal"), memory.get("MemAvailable")
    used = None if total is None or free is None else total - free
    received, sent = _tried(_network) or (None, None)
    return {
        "cpu_cores": _tried(_cores),
        "cpu_threads": os.cpu_count(),
        "cpu_usage_pct": _tried(_CPU.usage),
        "mem_used_gb": used and _gb(used),
        "mem_total_gb": total and _gb(total),
        "mem_pct": used and total and round(100 * used / total, 1),
        "bytes_sent_mb": sent and _mb(sent),
        "bytes_recv_mb": received and _mb(received),
    }


class _CpuTimes:
    # Usage is that since the last look; the first look has nothing to compare with.
    def __init__(self) -> None:
        self._last = (0, 0)

    def usage(self) -> float:
        fields = [int(text) for text in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
        now = (sum(fields), fields[3] + fields[4])
        total, idle = (new - old for new, old in zip(now, self._last, strict=True))
        first, self._last = not any(self._last), now
        return 0.0 if first or total <= 0 else round(100 * (1 - idle / total), 1)


_CPU = _CpuTimes()


def _memory() -> dict[str, int]:
    lines = (_PROC / "meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def _network() -> tuple[int, int]:
    lines = (_PROC / "net" / "dev").read_text().splitlines()[2:]
    counts = [line.split(":", 1)[1].split() for line in lines]
    return sum(int(count[0]) for count in counts), sum(int(count[8]) for count in counts)


@lru_cache(maxsize=1)
def _cores() -> int | None:
    blocks = (_PROC / "cpuinfo").read_text().split("\n\n")
    fields = [dict(_pair(line) for line in block.splitlines()) for block in blocks]
    found = {(f.get("physical id"), f["core id"]) for f in fields if "core id" in f}
    return len(found) or None


@lru_cache(maxsize=1)
def _cpu_name() -> str:
    # `platform.processor()` starts a program, and says less.
    with suppress(OSError):
        for line in (_PROC / "cpuinfo").read_text().splitlines():
            key, value = _pair(line)
            if key == "model name":
                return value
    return platform.machine()


@lru_cache(maxsize=1)
def _system() -> str:
    # `platform.platform()` starts a program.
    return "-".join((platform.system(), platform.release(), platform.machine()))


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()


def _disk() -> dict[str, Any]:
    disk = _tried(lambda: shutil.disk_usage("/"))
    return {
        "disk_used_gb": disk and _gb(disk.used),
        "disk_total_gb": disk and _gb(disk.total),
        "disk_pct": disk and round(100 * disk.used / disk.total, 1),
    }


def _gpus() -> list[dict[str, Any]]:
    command = ["nvidia-smi", f"--query-gpu={','.join(_GPU_QUERY)}"]
    command.append("--format=csv,noheader,nounits")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = csv.reader(done.stdout.splitlines(), skipinitialspace=True)
    return [
        {"gpu": row[0]} | dict(zip(_GPU_KEYS[1:], map(_number, row[1:]), strict=True))
        for row in rows
        if len(row) == len(_GPU_KEYS)
    ]


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _tried(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (OSError, ValueError, IndexError):
        return None


@lru_cache(maxsize=1)
def _psutil() -> Any:
    try:
        return import_module("psutil")
    except ImportError:
        return None


def _gb(size: float) -> float:
    return round(size / 2**30, 2)


def _mb(size: float) -> float:
    return round(size / 2**20, 2)
