"""One rollout, from the claim to the report; what becomes of it is decided here and only here."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agentlightning_compat.errors import NotFoundError
from agentlightning_compat.litagent.calls import agent_call
from agentlightning_compat.model import AttemptedRollout, AttemptStatus, NamedResources, Span
from agentlightning_compat.runner.hooks import HookCalls
from agentlightning_compat.runner.limits import Limit
from agentlightning_compat.runner.patience import Patience, uninterrupted
from agentlightning_compat.runner.results import Result, Results
from agentlightning_compat.runner.tally import Tally
from agentlightning_compat.runner.threads import AgentThreads, end_if_forked
from agentlightning_compat.store.base import LightningStore

_log = logging.getLogger(__name__)

# Under this key of its metadata an attempt says why it failed.
FAILURE = "failure"
# Seconds that hooks have when the runner was told to drop everything.
_LAST_HOOKS = 5.0


@dataclass
class Bench:
    """What a runner works with."""

    runner: Any
    agent: Any
    store: LightningStore
    tracer: Any
    hooks: HookCalls
    threads: AgentThreads
    tally: Tally
    patience: Patience
    results: Callable[[LightningStore, Any, AttemptedRollout, Patience], Results] = Results


@dataclass
class Outcome:
    """What became of an attempt; `interrupt` is what ends more than this attempt."""

    status: AttemptStatus
    error: BaseException | None = None
    result: Result | None = None
    interrupt: BaseException | None = None


class AttemptRun:
    """The run of one attempt. `run` never raises: see its outcome.

    `settled`: the outcome is known, and about to be reported or reported already.
    """

    def __init__(self, bench: Bench, rollout: AttemptedRollout) -> None:
        self.rollout = rollout
        self._bench = bench
        self._key = (rollout.rollout_id, rollout.attempt.attempt_id)
        self._begun = False
        self.settled = False
        bench.tally.running += 1

    async def run(self) -> Outcome:
        """Have the agent do it, and report."""
        outcome = await self._outcome()
        if outcome.error is not None:
            self._log_failure(outcome.error)
        if outcome.interrupt is None:
            await self._hooks_at_end(outcome, None)
            await self._report(outcome)
        else:
            # The report first: who knows how much time is left.
            await self._report(outcome)
            await self._hooks_at_end(outcome, _LAST_HOOKS)
        return outcome

    async def give_up(self, error: BaseException) -> None:
        """Report it as failed without waiting for the agent, unless it was reported already."""
        if not self.settled:
            self._log_failure(error)
            await self._report(Outcome("failed", error))

    async def _outcome(self) -> Outcome:
        try:
            resources = await self._resources()
            self._begun = True
            await self._hooks("on_rollout_start")
            return Outcome("succeeded", result=await self._traced(resources))
        except GeneratorExit:  # the loop is gone: nothing can be awaited any more
            raise
        except (asyncio.CancelledError, KeyboardInterrupt) as error:
            return Outcome("failed", error, interrupt=error)
        except _TookTooLong as error:
            return Outcome("timeout", error)
        except BaseException as error:
            return Outcome("failed", error)

    async def _resources(self) -> NamedResources:
        bench, wanted = self._bench, self.rollout.resources_id
        if wanted:
            found = await bench.patience.ask(lambda: bench.store.get_resources_by_id(wanted))
        else:
            found = await bench.patience.ask(bench.store.get_latest_resources)
        if found is None:
            which = f"the resources {wanted}" if wanted else "resources"
            raise RuntimeError(
                f"the store does not have {which} for {self.rollout.rollout_id}; an agent that"
                " needs none still needs an empty set: await store.add_resources({})"
            )
        return found.resources

    async def _traced(self, resources: NamedResources) -> Result:
        rollout_id, attempt_id = self._key
        tracer = self._bench.tracer
        async with tracer.trace_context(
            name=rollout_id, rollout_id=rollout_id, attempt_id=attempt_id
        ):
            await self._hooks("on_trace_start", tracer=tracer)
            returned = await self._agent(resources)
            await self._hooks("on_trace_end", tracer=tracer)
        bench = self._bench
        results = bench.results(bench.store, tracer, self.rollout, bench.patience)
        return await results.keep(returned)

    async def _agent(self, resources: NamedResources) -> Any:
        call = agent_call(self._bench.agent, self.rollout, resources)
        pid = os.getpid()
        try:
            with _AgentLimit(self.rollout.config.timeout_seconds, "the agent"):
                returned = call() if call.in_loop else await self._bench.threads.run(call)
                return await returned if inspect.isawaitable(returned) else returned
        finally:
            end_if_forked(pid)

    async def _hooks(self, name: str, *, timeout: float | None = None, **more: Any) -> None:
        bench = self._bench
        if not bench.hooks.any():
            return
        arguments = {"agent": bench.agent, "runner": bench.runner, "rollout": self.rollout}
        await bench.hooks.call(name, timeout=timeout, **arguments, **more)

    async def _hooks_at_end(self, outcome: Outcome, timeout: float | None) -> None:
        if not self._begun or not self._bench.hooks.any():
            return
        try:
            spans = await self._spans(outcome)
            await self._hooks("on_rollout_end", timeout=timeout, spans=spans)
        except (asyncio.CancelledError, KeyboardInterrupt) as error:
            # The outcome stands, whatever happens to the hooks.
            outcome.interrupt = error

    async def _spans(self, outcome: Outcome) -> Sequence[Span]:
        bench, (rollout_id, attempt_id) = self._bench, self._key
        try:
            return list(
                await bench.patience.ask(
                    lambda: bench.store.query_spans(rollout_id, attempt_id=attempt_id)
                )
            )
        except Exception:
            _log.exception("the spans of %s cannot be read for its hooks", rollout_id)
            known = list(bench.tracer.get_last_trace())
            return [*known, *(outcome.result.spans if outcome.result else ())]

    async def _report(self, outcome: Outcome) -> None:
        if self.settled:
            return
        self.settled = True
        try:
            try:
                await self._write(outcome)
            except asyncio.CancelledError as error:
                # Once more, and this time to its end: the store may have it already.
                outcome.interrupt = error
                await uninterrupted(lambda: self._write(outcome))
        except asyncio.CancelledError as error:
            outcome.interrupt = error
        except Exception:
            _log.exception(
                "nobody knows that %s %s has %s: the store did not take it",
                *self._key,
                outcome.status,
            )
        reward = outcome.result.reward if outcome.result else None
        self._bench.tally.ended(outcome.status == "succeeded", reward)

    async def _write(self, outcome: Outcome) -> None:
        store, patience = self._bench.store, self._bench.patience
        more = {} if outcome.error is None else await self._metadata(outcome.error)
        try:
            await patience.ask(
                lambda: store.update_attempt(*self._key, status=outcome.status, **more)
            )
        except NotFoundError:
            _log.error("%s %s is not in the store any more: %s", *self._key, outcome.status)

    async def _metadata(self, error: BaseException) -> dict[str, Any]:
        # An extra: what goes wrong here must not keep the status from being written.
        try:
            latest = await self._bench.patience.ask(
                lambda: self._bench.store.get_latest_attempt(self.rollout.rollout_id)
            )
        except Exception:
            return {}
        if latest is None or latest.attempt_id != self.rollout.attempt.attempt_id:
            return {}
        return {"metadata": {**(latest.metadata or {}), FAILURE: described(error)}}

    def _log_failure(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            _log.warning("%s was cancelled", self.rollout.rollout_id)
            return
        _log.error(
            "%s failed in %s: %s",
            self.rollout.rollout_id,
            self._bench.runner.get_worker_id(),
            described(error),
            exc_info=error,
        )


class _TookTooLong(TimeoutError):
    """The agent had a bound, and this is beyond it."""


class _AgentLimit(Limit):
    def __exit__(self, *error: Any) -> None:
        try:
            super().__exit__(*error)
        except TimeoutError as late:
            raise _TookTooLong(str(late)) from None


def described(error: BaseException) -> str:
    """An error in one line of text, of bounded length."""
    kind = type(error).__qualname__
    try:
        text = str(error)
    except Exception:  # it is user code
        text = ""
    if isinstance(error, SystemExit):
        text = f"sys.exit({error.code!r})"
    elif isinstance(error, asyncio.CancelledError):
        text = text or "it was cancelled"
    return f"{kind}: {text}"[:2000] if text else kind
