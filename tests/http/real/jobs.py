"""Runs jobs of `programs` with one package: `python jobs.py ROOT MODULE FOLDER`.

The module is `agentlightning`, in the environment of a real release, or ours. It is imported once;
each line of standard input names a job, which is run in a forked child of its own.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

ROOT, MODULE, FOLDER = sys.argv[1:]
RUNNING: set[int] = set()
sys.path[0] = ROOT  # not this folder, whose names are not those of packages
for name in [name for name in os.environ if name.startswith("AGL_")]:
    del os.environ[name]
agl = importlib.import_module(MODULE)
if MODULE == "agentlightning":
    import agentlightning.types as kinds

    for name in dir(kinds):
        if not hasattr(agl, name):
            setattr(agl, name, getattr(kinds, name))
# A start-up of its own, which jobs would otherwise pay for one by one.
for name in ("Trainer", "LitAgentRunner", "OtelTracer", "AgentOpsTracer", "LightningStoreServer"):
    getattr(agl, name)

from tests.http.real import programs  # noqa: E402


def run(job: dict[str, Any]) -> None:
    """In the child: what the job returns goes into its file."""
    os.setpgrp()  # its children end with it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(FOLDER) / job["id"]
    os.chdir(folder)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.register(signal.SIGUSR1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(job["environment"])
    said = getattr(programs, job["name"])(agl, folder, **job["settings"])
    (folder / "said").write_text(json.dumps(said))


def tell_of_end(pid: int, folder: Path) -> None:
    os.waitpid(pid, 0)
    RUNNING.discard(pid)
    (folder / "ended").touch()


def started(job: dict[str, Any]) -> int:
    folder = Path(FOLDER) / job["id"]
    folder.mkdir()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # its group is there when this is told
            os.setpgid(pid, pid)
        RUNNING.add(pid)
        threading.Thread(target=tell_of_end, args=(pid, folder), daemon=True).start()
        return pid
    code = 1
    try:
        run(job)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


print("ready", flush=True)
for line in sys.stdin:
    print("started", started(json.loads(line)), flush=True)
for group in list(RUNNING):  # whoever started this is gone
    os.killpg(group, signal.SIGKILL)
