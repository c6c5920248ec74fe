"""Starts programs in copies of a process that has agentlightning imported already.

Importing 0.2 or 0.3 takes eight seconds of CPU time, and leaving the interpreter two more. This
script runs on a real release, imports it once, and forks for each program that it is asked for.

Its argument is the path of a Unix socket to listen on; it prints `ready` when it does. Who
connects sends a line of JSON, `{"arguments", "folder", "environment", "out", "err"}`, with the
arguments that the interpreter would get, and reads two lines: the program's process id and, once
it has ended, its exit status (negative for a signal). A connection that is closed early changes
nothing. When standard input ends, all programs are killed.

The environment is that of the program; AGL_TEST_TOOLS in it is searched for imports last.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
import types
from pathlib import Path
from typing import Any, NoReturn


def serve(address: str) -> None:
    programs: dict[int, socket.socket] = {}
    wake, alarm = socket.socketpair()
    alarm.setblocking(False)
    signal.set_wakeup_fd(alarm.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as ready:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        for source in (server, wake, sys.stdin):
            ready.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is server:
                    client, _ = server.accept()
                    pid = os.fork()
                    if not pid:
                        for held in (server, wake, alarm, ready, *programs.values()):
                            held.close()
                        become(client)
                    programs[pid] = client
                elif key.fileobj is wake:
                    wake.recv(4096)
                    report_ended(programs)
                else:
                    kill(programs)
                    return


def report_ended(programs: dict[int, socket.socket]) -> None:
    while programs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with programs.pop(pid) as client, contextlib.suppress(OSError):
            client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def kill(programs: dict[int, socket.socket]) -> None:
    for pid in programs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def become(client: socket.socket) -> NoReturn:
    """Turn this copy into the program that the client asks for; does not return."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with client.makefile("rb") as lines:
        job: dict[str, Any] = json.loads(lines.readline())
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, name in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        target = os.open(name, flags if number else os.O_RDONLY, 0o644)
        os.dup2(target, number)
        os.close(target)
    client.sendall(f"{os.getpid()}\n".encode())
    client.close()
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    status = run(job["arguments"])
    # The rest of an interpreter's end, taking its modules apart, takes seconds.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run `[-P] script ...` or `-m module ...` as an interpreter does; the exit status."""
    safe = arguments[0] == "-P"
    module = arguments[0] == "-m"
    name, *rest = arguments[1:] if safe or module else arguments
    path = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    if not safe:
        path.insert(0, os.getcwd() if module else str(Path(name).resolve().parent))
    sys.path[:0] = path
    sys.path += filter(None, [os.environ.get("AGL_TEST_TOOLS")])
    sys.argv = [name, *rest]
    try:
        hidden = [place for place in path for found in taken(Path(place)) if found]
        assert not hidden, f"modules in {hidden} have names that are imported already"
        if module:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            run_script(name)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def taken(folder: Path) -> list[str]:
    """Modules of a folder that an `import` would not find any more."""
    names = [item.stem for item in folder.iterdir() if item.suffix == ".py" or item.is_dir()]
    return [name for name in names if name in sys.modules]


def run_script(name: str) -> None:
    main = types.ModuleType("__main__")
    main.__file__ = name
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    exec(compile(Path(name).read_bytes(), name, "exec"), main.__dict__)


if __name__ == "__main__":
    del sys.path[0]
    import agentlightning

    agentlightning.Trainer  # noqa: B018  a name that is imported when it is asked for
    gc.freeze()
    serve(sys.argv[1])
    # Taking its modules apart would take seconds.
    os._exit(0)
