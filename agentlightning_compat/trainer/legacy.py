"""The legacy ways to start a trainer: `fit_v0`, and `fit` as 0.1 had it."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import multiprocessing.process
import signal
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from agentlightning_compat import usage
from agentlightning_compat.adapter.base import TraceToTripletBase
from agentlightning_compat.model import ParallelWorkerBase

if TYPE_CHECKING:
    from agentlightning_compat.litagent.agent import LitAgent

_log = logging.getLogger(__name__)

_PROCESS = "AgentLightning-Worker-"
# Seconds that a worker has for ending after SIGTERM, and a detached one for starting.
_TERMINATE = 10.0
_STARTING = 1.0


class TrainerLegacy(ParallelWorkerBase):
    """What trainers have for programs whose algorithm is behind a legacy server.

    Each of `n_workers` workers polls the server with a `LegacyAgentRunner`: one in this process,
    several in processes of their own.
    """

    tracer: Any
    adapter: Any
    algorithm: Any
    hooks: Any
    n_workers: int
    max_tasks: int | None
    daemon: bool
    _dev: bool = False
    _client: Any = None

    def init(self, backend: Any, *args: Any, **kwargs: Any) -> None:
        """Take the server's URL, or a client of it, and set up the tracer.

        Raises:
            ValueError: it is neither.
        """
        if self._client is None:
            self._client = _client(backend)
        else:
            _log.warning("the trainer has a client already, which it keeps")
        self.tracer.init()

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Tear down the tracer, and forget the client."""
        self.tracer.teardown()
        self._client = None

    def client(self) -> Any:
        """The client of the legacy server.

        Raises:
            RuntimeError: there is none yet.
        """
        if self._client is None:
            raise RuntimeError("the trainer has no client yet: call init(...) or fit_v0(...) first")
        return self._client

    def fit_v0(
        self,
        agent: LitAgent[Any],
        train_data: Any,
        *,
        val_data: Any = None,
        dev_data: Any = None,
        dev_backend: Any = None,
    ) -> None:
        """Have the agent do the tasks of a legacy server, whose URL or client is `train_data`.

        With `Trainer(dev=True)` it is `dev_data` (or `dev_backend`, its older name). With a
        dataset and an algorithm it is `fit`.

        Raises:
            ValueError: what is given is no URL and no client; or there is a dataset and no
                algorithm.
            BaseException: Ctrl-C, after the workers were ended.
        """
        usage.note("agentlightning.trainer.legacy.TrainerLegacy.fit_v0", "Call Trainer.fit.")
        if dev_backend is not None:
            if dev_data is not None:
                raise ValueError("dev_backend is the older name of dev_data: give one of them")
            dev_data = dev_backend
        if self._dev:
            if dev_data is None:
                raise ValueError(
                    "Trainer(dev=True) takes its tasks from dev_data, which is missing"
                )
            self._work_off(agent, dev_data)
        elif self.algorithm is not None and not is_backend(train_data):
            fit: Callable[..., None] = self.fit  # type: ignore[attr-defined]
            fit(agent, train_data, val_dataset=val_data)
        else:
            self._work_off(agent, train_data)

    @staticmethod
    def kill_orphaned_processes() -> None:
        """Kill the workers that `daemon=False` left behind, of this and of other programs."""
        psutil: Any = import_module("psutil")
        for process in psutil.process_iter():
            if process.name().startswith(_PROCESS[:15]):
                process.kill()

    def _work_off(self, agent: LitAgent[Any], backend: Any) -> None:
        self.init(backend)
        self._run_workers(agent)

    def _run_workers(self, agent: LitAgent[Any]) -> None:
        """Run the workers until they end."""
        try:
            if self.n_workers == 1:
                self._worker_main_loop(agent, 0, agent.is_async())
            else:
                self._in_processes(agent)
        finally:
            if self.daemon:
                self.teardown()

    def _in_processes(self, agent: LitAgent[Any]) -> None:
        workers = [
            multiprocessing.Process(
                target=self._worker_main_loop,
                args=(agent, number, agent.is_async()),
                daemon=self.daemon,
                name=f"{_PROCESS}{number}",
            )
            for number in range(self.n_workers)
        ]
        try:
            for worker in workers:
                worker.start()
            if self.daemon:
                for worker in workers:
                    worker.join()
            else:
                _leave(workers)
        except BaseException:
            _end(workers)
            raise
        for worker in workers:
            if worker.exitcode:
                _log.warning("%s ended with exit code %s", worker.name, worker.exitcode)

    def _worker_main_loop(self, agent: LitAgent[Any], worker_id: int, is_async: bool) -> int:
        """Do tasks until there were `max_tasks`; how many there were."""
        if self.n_workers > 1:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process sees to it
            _call_process(multiprocessing.current_process().name)
        agent.set_trainer(self)
        if agent.trained_agents:
            self.adapter.agent_match = agent.trained_agents
        if not isinstance(self.adapter, TraceToTripletBase):
            raise ValueError(
                f"legacy servers take triplets, which {type(self.adapter).__name__} does not make"
            )
        from agentlightning_compat.legacy.agent_runner import LegacyAgentRunner

        self.tracer.init_worker(worker_id)
        done = 0
        try:
            runner = LegacyAgentRunner(
                agent,
                self.client(),
                self.tracer,
                self.adapter,
                worker_id=worker_id,
                max_tasks=self.max_tasks,
            )
            done = asyncio.run(runner.iter_async()) if is_async else runner.iter()
        except Exception:
            _log.exception("worker %s ended early", worker_id)
        finally:
            self.tracer.teardown_worker(worker_id)
        _log.info("worker %s did %s tasks", worker_id, done)
        return done


def is_backend(value: Any) -> bool:
    """Whether tasks come from there: the URL or a client of a legacy server."""
    return isinstance(value, str) or hasattr(value, "poll_next_task")


def _client(backend: Any) -> Any:
    if not is_backend(backend):
        raise ValueError(
            f"{backend!r} is neither the URL of a legacy server nor a client of one; a dataset"
            " needs Trainer(algorithm=...)"
        )
    if not isinstance(backend, str):
        return backend
    if not backend.startswith(("http://", "https://")):
        raise ValueError(f"{backend!r} is no URL: it begins with http:// or https://")
    from agentlightning_compat.legacy.client import AgentLightningClient

    return AgentLightningClient(backend)


def _leave(workers: list[multiprocessing.Process]) -> None:
    """Let them go on when this process ends."""
    _log.warning("the workers go on by themselves; Trainer.kill_orphaned_processes() ends them")
    time.sleep(_STARTING)
    children: Any = multiprocessing.process
    children._children.clear()


def _end(workers: list[multiprocessing.Process]) -> None:
    alive = [worker for worker in workers if worker.pid is not None and worker.is_alive()]
    for worker in alive:
        worker.terminate()
    deadline = time.monotonic() + _TERMINATE
    for worker in alive:
        worker.join(max(deadline - time.monotonic(), 0.0))
        if worker.is_alive():
            _log.warning("%s does not end; it is killed", worker.name)
            worker.kill()
            worker.join()


def _call_process(name: str) -> None:
    """Have the process go by this name, by which orphans are found."""
    if find_spec("setproctitle") is not None:
        title: Any = import_module("setproctitle")
        title.setproctitle(name)
