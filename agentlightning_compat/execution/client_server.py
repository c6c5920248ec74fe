"""Runners in processes of their own, around a server that holds the store."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Coroutine, Iterable
from typing import Any, Literal

from agentlightning_compat.environment import (
    LightningEnvVar,
    resolve_bool_env_var,
    resolve_int_env_var,
    resolve_str_env_var,
)
from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.execution.base import (
    AlgorithmBundle,
    ExecutionStrategy,
    RunnerBundle,
)
from agentlightning_compat.execution.children import Children
from agentlightning_compat.execution.events import MultiprocessingEvent
from agentlightning_compat.execution.interrupts import Interrupts
from agentlightning_compat.execution.sides import (
    Address,
    Site,
    in_child,
    in_this_process,
    of_this_process,
)
from agentlightning_compat.execution.supervised import Supervised
from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

_ROLES = ("algorithm", "runner", "both")
_LOOK = 0.02


class ClientServerExecutionStrategy(ExecutionStrategy):
    """Serves the store over HTTP, and runs the runners as processes that are its clients.

    Args:
        role: which sides are run here: `algorithm` (with the server), `runner`, or `both`. The
            default is the variable AGL_CURRENT_ROLE, or both.
        server_host: where the server is; AGL_SERVER_HOST, or localhost.
        server_port: its port; AGL_SERVER_PORT, or 4747. With 0, and both sides here, any free one.
        n_runners: how many runners. A single one of role `runner` is run in this process.
        graceful_timeout: seconds that everything has for ending once a stop was asked for.
        terminate_timeout: seconds between SIGINT, SIGTERM and SIGKILL for what does not.
        main_process: which side is in this process when both are run here. With `runner` the
            algorithm works on a copy of the store.
        managed_store: whether the store is served. Without, both sides get the store itself,
            which then has to be one that processes can share. AGL_MANAGED_STORE, or yes.
        allowed_exit_codes: of the processes; any other is an error.

    The runners are asked to stop when the algorithm is done, and the server stays until they have
    ended. The first Ctrl-C is a stop: what is in hand is finished. The second cancels it, and it
    is reported as failed. Processes end with the one that started them, however that one ends.

    Raises:
        InvalidRequestError: an argument or a variable makes no sense.
    """

    alias: str = "cs"

    def __init__(  # noqa: PLR0913, PLR0917, the public signature
        self,
        role: Literal["algorithm", "runner", "both"] | None = None,
        server_host: str | None = None,
        server_port: int | None = None,
        n_runners: int = 1,
        graceful_timeout: float = 10.0,
        terminate_timeout: float = 10.0,
        main_process: Literal["algorithm", "runner"] = "algorithm",
        managed_store: bool | None = None,
        allowed_exit_codes: Iterable[int] = (0, -15),
    ) -> None:
        env = LightningEnvVar
        self.role = resolve_str_env_var(env.AGL_CURRENT_ROLE, override=role, fallback="both")
        self.server_host = resolve_str_env_var(
            env.AGL_SERVER_HOST, override=server_host, fallback="localhost"
        )
        self.server_port = resolve_int_env_var(
            env.AGL_SERVER_PORT, override=server_port, fallback=4747
        )
        self.n_runners = n_runners
        self.graceful_timeout = graceful_timeout
        self.terminate_timeout = terminate_timeout
        self.main_process = main_process
        self.managed_store = resolve_bool_env_var(
            env.AGL_MANAGED_STORE, override=managed_store, fallback=True
        )
        self.allowed_exit_codes = tuple(allowed_exit_codes)
        self._check()

    def _check(self) -> None:
        if self.role not in _ROLES:
            raise InvalidRequestError(
                f"role must be one of {', '.join(map(repr, _ROLES))}, not {self.role!r}"
            )
        if self.n_runners < 1:
            raise InvalidRequestError(f"n_runners is at least 1, not {self.n_runners}")
        if self.main_process not in ("algorithm", "runner"):
            raise InvalidRequestError(
                f"main_process must be 'algorithm' or 'runner', not {self.main_process!r}"
            )
        if self.main_process == "runner":
            if self.role != "both":
                raise InvalidRequestError("main_process='runner' is for role='both'")
            if self.n_runners != 1:
                raise InvalidRequestError("main_process='runner' requires n_runners to be 1")

    def execute(
        self, algorithm: AlgorithmBundle, runner: RunnerBundle, store: LightningStore
    ) -> None:
        """See `ExecutionStrategy`.

        Raises:
            RuntimeError: a process ended with a code that is not allowed.
            UnsupportedError: the server or the client of stores is not installed.
        """
        _Run(self, algorithm, runner, store).execute()


class _Run:
    # One call of execute().

    def __init__(
        self,
        strategy: ClientServerExecutionStrategy,
        algorithm: AlgorithmBundle,
        runner: RunnerBundle,
        store: LightningStore,
    ) -> None:
        self._strategy = strategy
        self._algorithm = algorithm
        self._runner = runner
        self._store = store
        ctx = multiprocessing.get_context()
        self._site = Site(
            Address(
                strategy.server_host, strategy.server_port, ctx, known=strategy.role == "runner"
            ),
            MultiprocessingEvent(ctx=ctx),
            MultiprocessingEvent(ctx=ctx),
            strategy.managed_store,
            strategy.graceful_timeout,
            strategy.terminate_timeout,
        )
        self._children = Children(
            ctx,
            self._site.event,
            strategy.allowed_exit_codes,
            strategy.graceful_timeout,
            strategy.terminate_timeout,
        )
        # Set by a runner that is here, for the algorithm that is elsewhere.
        self._runner_ended = MultiprocessingEvent(ctx=ctx)
        self._warned = self._interrupted = False
        self._side = self._site.supervised("the main process", self._watch)

    def execute(self) -> None:
        try:
            with Interrupts(self._stop, self._drop):
                # Before anything that has threads: a process is forked where that is the custom.
                self._start()
                in_this_process(self._site, self._work(self._side))
        except KeyboardInterrupt:
            self._interrupted = True
        except BaseException:
            _log.exception("the run failed: everything is asked to stop")
            raise
        finally:
            self._children.close()
            self._children.tell()
        failures = self._children.failures()
        if failures and not self._interrupted:
            raise RuntimeError(
                f"Subprocesses failed with unexpected exit codes: {', '.join(failures)}"
            )

    def _start(self) -> None:
        strategy, site = self._strategy, self._site
        if strategy.role == "both" and strategy.main_process == "runner":
            self._children.start(
                "algorithm",
                _algorithm_process,
                site,
                self._algorithm,
                self._store,
                self._runner_ended,
            )
        elif strategy.role == "both" or (strategy.role == "runner" and strategy.n_runners > 1):
            store = None if strategy.managed_store else self._store
            for number in range(strategy.n_runners):
                self._children.start(
                    f"runner-{number}", _runner_process, site, self._runner, number, store
                )

    async def _work(self, side: Supervised) -> None:
        strategy, site = self._strategy, self._site
        if strategy.role == "both" and strategy.main_process == "runner":
            await self._runner_here(side)
        elif strategy.role in ("both", "algorithm"):
            await site.algorithm(side, self._algorithm, self._store, self._children.end)
        elif strategy.n_runners > 1:
            await self._children.ended()
            await self._children.end()
        else:
            await site.runner(side, self._runner, 0, self._store)

    async def _runner_here(self, side: Supervised) -> None:
        try:
            await self._site.runner(side, self._runner, 0, self._store)
            self._runner_ended.set()
            if getattr(self._algorithm, "ends_with_runners", False):
                self._site.event.set()
            await self._children.ended()
        finally:
            self._runner_ended.set()
            await self._children.end()

    def _watch(self) -> None:
        """Look at the processes while the bundle that is here runs."""
        if self._strategy.role != "both":
            return
        self._children.tell()
        if self._children.alive():
            return
        if self._interrupted:
            # Nothing to wait for, and no way to hear of the stop but to be cancelled.
            self._side.drop()
        if (
            self._children.failures()
            or self._strategy.main_process == "runner"
            or getattr(self._algorithm, "ends_with_runners", False)
        ):
            self._site.event.set()
        elif not (self._warned or self._site.event.is_set()):
            self._warned = True
            _log.warning(
                "all runners have ended and the algorithm goes on: nothing that it adds to the"
                " queue is run"
            )

    def _stop(self) -> None:
        _log.warning("Ctrl-C: what is in hand is finished; once more, and it is dropped")
        self._interrupted = True
        self._site.event.set()

    def _drop(self) -> None:
        _log.warning("Ctrl-C again: what is in hand is dropped and reported as failed")
        self._site.event.set()
        self._site.hurry.set()
        self._side.drop()


def _runner_process(
    site: Site, runner: RunnerBundle, number: int, store: LightningStore | None
) -> None:
    def work(side: Supervised) -> Coroutine[Any, Any, None]:
        return site.runner(side, runner, number, of_this_process(store))

    in_child(site, f"runner-{number}", work)


def _algorithm_process(
    site: Site, algorithm: AlgorithmBundle, store: LightningStore, ended: MultiprocessingEvent
) -> None:
    async def runner_ended() -> None:
        # The runner is in the process that started this one: it cannot be signalled from here.
        for _ in range(int((site.graceful + site.terminate) / _LOOK)):
            if ended.is_set():
                return
            await asyncio.sleep(_LOOK)

    def work(side: Supervised) -> Coroutine[Any, Any, None]:
        return site.algorithm(side, algorithm, of_this_process(store), runner_ended)

    in_child(site, "algorithm", work)
