"""The trainer as 0.1 had it, for programs that run unmodified."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from agentlightning_compat import usage
from agentlightning_compat.trainer.trainer import Trainer

if TYPE_CHECKING:
    from agentlightning_compat.litagent.agent import LitAgent

_log = logging.getLogger(__name__)


class Trainer01(Trainer):
    """Has 0.1's arguments, and its `fit(agent, backend, dev_backend)`."""

    def __init__(
        self,
        *,
        dev: bool = False,
        n_workers: int = 1,
        max_tasks: int | None = None,
        daemon: bool = True,
        tracer: Any = None,
        triplet_exporter: Any = None,
    ) -> None:
        super().__init__(
            n_runners=n_workers, max_rollouts=max_tasks, tracer=tracer, adapter=triplet_exporter
        )
        self.daemon = daemon
        self._dev = dev
        self.dev = dev  # type: ignore[method-assign, assignment]

    def fit(  # type: ignore[override]
        self, agent: LitAgent[Any], backend: Any, dev_backend: Any = None
    ) -> None:
        """Do the tasks of a legacy server, `dev_backend` with `Trainer(dev=True)`.

        As in 0.1 it returns whatever happens: errors and Ctrl-C are only logged.

        Raises:
            ValueError: what is given is no URL and no client.
        """
        usage.note("agentlightning.trainer.Trainer.fit", "Call Trainer.fit with a dataset.")
        if self._dev and dev_backend is None:
            raise ValueError("Trainer(dev=True) takes its tasks from dev_backend, which is missing")
        tasks = dev_backend if self._dev else backend
        self.init(tasks)
        try:
            self._run_workers(agent)
        except KeyboardInterrupt:
            _log.warning("interrupted")
        except Exception:
            _log.exception("fit ended early")
