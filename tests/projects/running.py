"""Runs a scenario of a sample project, as it was (`before`) or migrated (`after`), for real.

A project is a folder `fixtures/projects/<name>/` with `before/`, `after/` and `project.json`:

    {
      "before": "0.1.2",              releases of agentlightning that the two sides run on
      "after": "0.3.0",
      "left": ["train.py:9 AGL222"],  what `agl-migrate` leaves to a person, in its result
      "answers": [...],               what the model says: see `openai_stub`
      "scenarios": {
        "<name>": {
          "server": {                 optional: a task server runs beside the programs
            "tasks": [{"input": ..., "mode": "train"}, ...],
            "resources": {...},       default: `main_llm`, the stub
            "port": 9999,             default: any free port
            "seconds": 60             how long the tasks may take
          },
          "programs": [{
            "command": ["python", "train.py"],
            "env": {"X_SERVER": "{server}"},
            "ends": true,             default: false beside a server, else true
            "prints": ["line", ...]   how lines of its standard output begin, in this order
          }],
          "rewards": [1.0, ...],      one for each task; null is none
          "failed": [0],              indices of the tasks whose rollout has to fail on `after`
          "same": [...]               what else has to be equal on both sides
        }
      }
    }

`after/` is what `agl-migrate run` makes of `before/`, with the edits of `by_hand.patch` if there
is one. In `command`, `env` and `resources`, `{server}` is the task server's URL, `{openai}` the stub's and
`{port}` a free port, the same for all programs. A program also finds `AGL_SERVER_URL`,
`OPENAI_BASE_URL` and `OPENAI_API_KEY` in its environment, and `agentlightning_compat` on `after`.
Programs start together, in order; those that do not end are stopped when the tasks are done, or
when the others have ended.

What may be listed in `same`: `questions` (the last user message of each request to the model, in
any order), `temperatures` (the same with its temperature), `metadata` and `triplets` (of each
task: what the agent reported; the rewards of its triplets). Default: `questions`.

    python -m tests.projects.running calc_agent before fleet
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.projects.openai_stub import OpenAIStub, last_user_text, openai_stub
from tests.projects.programs import Program, WarmProgram

ROOT = Path(__file__).parents[2]
PROJECTS = ROOT / "fixtures" / "projects"
SIDES = ("before", "after")
_HERE = Path(__file__).parent
_RESOURCES = {"main_llm": {"resource_type": "llm", "endpoint": "{openai}", "model": "stub"}}
# The environments of the releases have no pytest; that of this process will do.
_PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
_PYTEST_ON_310 = ("exceptiongroup", "tomli", "typing_extensions")
_SECONDS = 60.0
_START_SECONDS = 60.0
_END_SECONDS = 30.0


@dataclass
class Outcome:
    """What a scenario did.

    Attributes:
        results: the result of each task, `None` if it was not reported in time.
        outputs: the standard output of each program.
        logs: the standard error of each program.
        requests: what the model was asked.
        undone: programs that should have ended by themselves and did not, or failed.
    """

    results: list[dict[str, Any] | None] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    def rewards(self) -> list[Any]:
        """The final reward of each task, "not reported" where there is no result."""
        return ["not reported" if r is None else r["reward"] for r in self.results]

    def same(self, what: str) -> Any:
        """The part of the outcome that `what` names, in a form that compares."""
        if what in ("metadata", "triplets"):
            return [result and result[what] for result in self.results]
        temperature = what == "temperatures"
        return Counter(
            (last_user_text(body), body.get("temperature") if temperature else None)
            for body in self.requests
        )

    def log(self) -> str:
        """The end of what the programs wrote, for messages."""
        parts = zip(self.outputs, self.logs, strict=True)
        return "\n".join(
            f"--- stdout\n{out[-2000:]}\n--- stderr\n{log[-4000:]}" for out, log in parts
        )


def load(name: str) -> dict[str, Any]:
    """The contents of a project's `project.json`."""
    project: dict[str, Any] = json.loads((PROJECTS / name / "project.json").read_text())
    return project


def scenarios() -> list[tuple[str, str]]:
    """Every project and scenario there is."""
    files = sorted(PROJECTS.glob("*/project.json"))
    return [
        (file.parent.name, name) for file in files for name in load(file.parent.name)["scenarios"]
    ]


def run_scenario(
    name: str,
    side: str,
    scenario: str,
    code: Path | None = None,
    shim: bool = False,
    served: bool = True,
) -> Outcome:
    """Run a scenario on a copy of the project.

    Args:
        name: the project's folder.
        side: "before" or "after"; says which release, and which code unless `code` is given.
        scenario: one of the project's.
        code: a folder to run in place of the side's own.
        shim: the programs run on this package in place of the release, which only serves tasks.
        served: with `shim`, whether the release does that; else no release is needed at all.

    Raises:
        ProgramError: the task server did not start or end.
    """
    project = load(name)
    with (
        tempfile.TemporaryDirectory(prefix="agl-project-") as temporary,
        openai_stub(project.get("answers", ())) as stub,
    ):
        folder = Path(temporary)
        _prepare(folder, code or PROJECTS / name / side, ours=side == "after" or shim)
        run = _Run(project[side], side, project["scenarios"][scenario], folder, shim)
        run.served = served
        return run.run(stub)


class _Run:
    """One run of a scenario in a folder of its own."""

    def __init__(
        self, release: str, side: str, scenario: dict[str, Any], folder: Path, shim: bool
    ) -> None:
        self.release, self.side, self.folder, self.shim = release, side, folder, shim
        self.served = True
        self.server: dict[str, Any] | None = scenario.get("server")
        self.programs: list[dict[str, Any]] = scenario["programs"]
        self.seconds = float((self.server or {}).get("seconds", _SECONDS))

    def run(self, stub: OpenAIStub) -> Outcome:
        outcome = Outcome(requests=stub.requests)
        with ExitStack() as stack:
            port = stack.enter_context(_reserved((self.server or {}).get("port")))
            places = {
                "openai": stub.address,
                "server": f"http://127.0.0.1:{port}/",
                "port": str(_free_port()),
            }
            server = None
            if self.server is not None:
                server = stack.enter_context(self._task_server(self.server, port, places))
                server.line("ready", _START_SECONDS)
            programs = [
                stack.enter_context(self._program(settings, str(number), places))
                for number, settings in enumerate(self.programs)
            ]
            if server is not None:
                outcome.results = json.loads(server.line("{", self.seconds + 10))["results"]
            outcome.undone = self._undone(programs)
        outcome.outputs = [program.output() for program in programs]
        outcome.logs = [program.log() for program in programs]
        return outcome

    def _undone(self, programs: list[Program]) -> list[str]:
        """Wait for those that have to end by themselves; name those that fail to."""
        undone = []
        for program, settings in zip(programs, self.programs, strict=True):
            if settings.get("ends", self.server is None):
                status = program.wait(_END_SECONDS if self.server else self.seconds)
                if status != 0:
                    how = "did not end" if status is None else f"exited with {status}"
                    undone.append(f"{' '.join(settings['command'])} {how}")
        return undone

    def _task_server(self, server: dict[str, Any], port: int, places: dict[str, str]) -> Program:
        kind = "store" if self.side == "after" else "legacy"
        job = {
            "port": port,
            "resources": _filled(server.get("resources", _RESOURCES), places),
            "tasks": server["tasks"],
            "seconds": self.seconds,
        }
        if not self.served:
            script = str(_HERE / "task_server_legacy.py")
            return self._shimmed([script, json.dumps(job)], "0.1", {}, "server", places)
        # -P: the script's neighbours must not stand in for modules that agentlightning imports.
        command = ["python", "-P", str(_HERE / f"task_server_{kind}.py"), json.dumps(job)]
        return self._started(command, {}, "server", places)

    def _program(self, settings: dict[str, Any], name: str, places: dict[str, str]) -> Program:
        command = _filled(settings["command"], places)
        extra = _filled(settings.get("env", {}), places)
        if not self.shim:
            return self._started(command, extra, name, places)
        generation = "0.1" if self.release.startswith("0.1") else "0.3"
        return self._shimmed(command[1:], generation, extra, name, places)

    def _shimmed(
        self,
        arguments: list[str],
        generation: str,
        extra: dict[str, str],
        name: str,
        places: dict[str, str],
    ) -> Program:
        shim = [sys.executable, "-m", "agentlightning_compat", "--as", generation]
        environment = {**self._environment(places), **extra}
        code, files = self.folder / "code", self.folder / name
        return Program([*shim, *arguments], environment, code, files)

    def _started(
        self, command: list[str], extra: dict[str, str], name: str, places: dict[str, str]
    ) -> Program:
        assert command[0] == "python", command
        environment = {**self._environment(places), **extra}
        code, files = self.folder / "code", self.folder / name
        return WarmProgram(self.release, command[1:], environment, code, files)

    def _environment(self, places: dict[str, str]) -> dict[str, str]:
        # At its end AgentOps tells a server that has gone, again and again until this is over.
        quick = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"} if self.side == "before" else {}
        return {
            **quick,
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(self.folder / "path"),
            "AGL_TEST_TOOLS": str(self.folder / "tools"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "AGENTOPS_API_KEY": "dummy",
            # Otherwise importing litellm waits for a download.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "OPENAI_API_KEY": "dummy",
            "OPENAI_BASE_URL": places["openai"],
            "AGL_SERVER_URL": places["server"],
            # Otherwise the store server of `Trainer.dev` takes 4747, whoever else has it.
            "AGL_SERVER_PORT": places["port"],
        }


def _prepare(folder: Path, code: Path, ours: bool) -> None:
    shutil.copytree(code, folder / "code")
    for name in ("home", "path", "tools"):
        (folder / name).mkdir()
    for package in (*_PYTEST, *_PYTEST_ON_310):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            place = Path(spec.origin)
            place = place.parent if place.stem == "__init__" else place
            (folder / "tools" / place.name).symlink_to(place)
    if ours:
        # Not the whole repository: its `tests` would hide the project's own.
        (folder / "path" / "agentlightning_compat").symlink_to(ROOT / "agentlightning_compat")


def missing_lines(output: str, wanted: list[str]) -> list[str]:
    """Those beginnings of lines that the output does not have in the order that is wanted."""
    lines = iter([line.strip() for line in output.splitlines()])
    return [start for start in wanted if not any(line.startswith(start) for line in lines)]


def _filled(value: Any, places: dict[str, str]) -> Any:
    """Put the addresses of this run where they belong."""
    if isinstance(value, str):
        for name, text in places.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, list):
        return [_filled(item, places) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, places) for key, item in value.items()}
    return value


@contextmanager
def _reserved(port: int | None) -> Iterator[int]:
    """A free port, or the one that the code under test insists on, for one run at a time."""
    if port is None:
        yield _free_port()
        return
    with (Path(tempfile.gettempdir()) / f"agl-port-{port}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    ran = run_scenario(*sys.argv[1:4], shim="--shim" in sys.argv)
    print(ran.log())
    print(json.dumps({"results": ran.results, "undone": ran.undone}, indent=2))
    for asked in sorted(ran.same("temperatures").items(), key=str):
        print(asked)
