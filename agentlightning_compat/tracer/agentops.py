"""The tracer that has AgentOps look at LLM calls, with nothing leaving the machine."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.tracer.listening import listen
from agentlightning_compat.tracer.otel import OtelTracer
from agentlightning_compat.tracer.provider import sdk_provider
from agentlightning_compat.tracer.recording import Recording

if TYPE_CHECKING:
    from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)
_setup = threading.Lock()


class AgentOpsTracer(OtelTracer):
    """An `OtelTracer` for which AgentOps traces LLM calls and agents.

    Each context is a span of its own, above all others, with the outcome.

    Args:
        agentops_managed: set up AgentOps here. It gets a dummy key, no exporter, no thread and no
            connection. Otherwise call `agentops.init()` yourself, before `init_worker`.
        instrument_managed: also take the token ids and log probabilities that vLLM answers with.
        daemon: has no effect; there is no server.

    Raises:
        UnsupportedError: AgentOps is not installed (`agentlightning-compat[agentops]`).
    """

    def __init__(
        self,
        *,
        agentops_managed: bool = True,
        instrument_managed: bool = True,
        daemon: bool = True,
    ) -> None:
        super().__init__()
        self.agentops_managed = agentops_managed
        self.instrument_managed = instrument_managed
        self.daemon = daemon
        self._taking_tokens = 0

    def init_worker(
        self, worker_id: int, store: LightningStore | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Take the store, set AgentOps up, and begin to listen."""
        agentops = _agentops()
        with _setup:
            if self.instrument_managed:
                from agentlightning_compat.tracer import token_ids

                token_ids.take()
                self._taking_tokens += 1
            if self.agentops_managed:
                _init(agentops)
        super().init_worker(worker_id, store, *args, **kwargs)

    def teardown_worker(self, worker_id: int, *args: Any, **kwargs: Any) -> None:
        """Take no token ids any more; AgentOps stays as it is, as nothing can undo it."""
        super().teardown_worker(worker_id, *args, **kwargs)
        with _setup:
            if self._taking_tokens:  # other workers may still take them
                from agentlightning_compat.tracer import token_ids

                token_ids.leave()
                self._taking_tokens -= 1

    def _listened_to(self) -> Any:
        from agentops.sdk import core

        provider = core.tracer.provider
        if provider is None:
            raise RuntimeError("AgentOps is not set up: call agentops.init() before init_worker()")
        listen(provider)
        return provider

    @contextmanager
    def _observed(self, recording: Recording) -> Iterator[Any]:
        import agentops
        from opentelemetry.trace import StatusCode

        named = recording.name or recording.rollout_id
        with super()._observed(recording) as entered:
            above = agentops.start_trace(**({"trace_name": named} if named else {}))
            state = StatusCode.OK
            try:
                yield entered
            except BaseException:
                state = StatusCode.ERROR
                raise
            finally:
                # As text: not all releases of OpenTelemetry take the value itself.
                agentops.end_trace(above, end_state=str(state))

    def get_langchain_handler(self, tags: list[str] | None = None) -> Any:
        """AgentOps' callback for LangChain; needs langchain."""
        agentops = _agentops()
        from agentops.integration.callbacks.langchain import LangchainCallbackHandler

        return LangchainCallbackHandler(
            api_key=agentops.get_client().config.api_key, tags=list(tags or [])
        )

    get_langchain_callback_handler = get_langchain_handler


def _agentops() -> Any:
    try:
        import agentops
    except ModuleNotFoundError as error:
        raise UnsupportedError(
            "AgentOpsTracer needs AgentOps: pip install 'agentlightning-compat[agentops]', or use"
            " OtelTracer"
        ) from error
    return agentops


def _init(agentops: Any) -> None:
    """Set AgentOps up, once in a process, with what would talk to its service left out."""
    from agentops.client import Client
    from agentops.sdk import core

    if agentops.get_client().initialized:
        return
    if not hasattr(core, "setup_telemetry") or not hasattr(Client, "_start_auth_task"):
        # Of another release nobody knows what it would connect to.
        raise UnsupportedError("this release of AgentOps is not known: install agentops==0.4.21")
    os.environ.setdefault("AGENTOPS_API_KEY", "dummy")
    # Otherwise it leaves a file in the current folder.
    os.environ.setdefault("AGENTOPS_LOGGING_TO_FILE", "false")
    with (
        _replaced(core, "setup_telemetry", _local_telemetry),
        _replaced(Client, "_start_auth_task", lambda *_: None),
    ):
        agentops.init(auto_start_session=False, log_session_replay_url=False)


def _local_telemetry(**_: Any) -> tuple[Any, None]:
    """What AgentOps uses instead of its own providers, which export to its service."""
    return sdk_provider(), None


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
