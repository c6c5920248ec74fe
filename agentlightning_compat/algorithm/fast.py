"""Algorithms for trying things out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any, Literal

from agentlightning_compat.algorithm.base import Algorithm
from agentlightning_compat.errors import InvalidRequestError
from agentlightning_compat.model import Attempt, Dataset, Rollout, RolloutMode, RolloutStatus, Span

_log = logging.getLogger(__name__)

_QUEUED: tuple[RolloutStatus, ...] = ("queuing", "requeuing")
# Seconds between two looks at a queue that is too long.
_LOOK = 0.05


class FastAlgorithm(Algorithm):
    """An algorithm that ends soon, so that `Trainer.dev` takes it."""


class Baseline(FastAlgorithm):
    """Runs each sample of the datasets once an epoch, and logs what comes of it.

    Args:
        n_epochs: how often the datasets are gone through.
        train_split: has no effect, as in agentlightning; between 0 and 1.
        polling_interval: the longest wait, in seconds, before the store is looked at again;
            stores of this package tell by themselves when a rollout has ended.
        max_queue_length: a sample is added while no more than so many wait in the queue.
        span_verbosity: what is logged of each span: `keys` or `key_values` of its attributes, or
            `none`.

    Raises:
        InvalidRequestError: an argument makes no sense.
    """

    def __init__(
        self,
        *,
        n_epochs: int = 1,
        train_split: float = 0.5,
        polling_interval: float = 5.0,
        max_queue_length: int = 4,
        span_verbosity: Literal["keys", "key_values", "none"] = "keys",
    ) -> None:
        super().__init__()
        if not 0.0 < train_split < 1.0:
            raise InvalidRequestError(f"train_split lies between 0 and 1, {train_split} does not")
        self.n_epochs = n_epochs
        self.train_split = train_split
        self.polling_interval = polling_interval
        self.max_queue_length = max_queue_length
        self.span_verbosity = span_verbosity
        self._finished = 0

    async def run(
        self, train_dataset: Dataset[Any] | None = None, val_dataset: Dataset[Any] | None = None
    ) -> None:
        """Run all samples, and return when the last one is through.

        Raises:
            ValueError: there is no store.
        """
        samples: list[tuple[RolloutMode, Any]] = [
            ("train", sample) for sample in _items(train_dataset)
        ]
        samples += [("val", sample) for sample in _items(val_dataset)]
        if not samples:
            _log.error("there is nothing to run: give train_dataset or val_dataset")
            return
        async with _running(self.get_llm_proxy()):
            resources_id = await self._publish()
            for epoch in range(self.n_epochs):
                _log.info("epoch %d of %d: %d samples", epoch + 1, self.n_epochs, len(samples))
                await self._epoch(samples, resources_id)

    async def _publish(self) -> str | None:
        resources, store = self.get_initial_resources(), self.get_store()
        if resources is not None:
            return (await store.update_resources("default", resources)).resources_id
        if await store.get_latest_resources() is None:
            # Without any, no agent would be called.
            return (await store.update_resources("default", {})).resources_id
        return None

    async def _epoch(
        self, samples: list[tuple[RolloutMode, Any]], resources_id: str | None
    ) -> None:
        watchers: list[asyncio.Task[None]] = []
        try:
            for mode, sample in samples:
                await self._room(watchers)
                rollout = await self.get_store().enqueue_rollout(
                    input=sample, mode=mode, resources_id=resources_id
                )
                _log.info("%s is queued to %s: %s", rollout.rollout_id, mode, sample)
                watchers.append(asyncio.create_task(self._watch(rollout.rollout_id)))
            await asyncio.gather(*watchers)
        except asyncio.CancelledError:
            ended = sum(one.done() and not one.cancelled() for one in watchers)
            _log.warning("stopped early: %d of %d samples were run", ended, len(samples))
            raise
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)

    async def _room(self, watchers: Iterable[asyncio.Task[None]]) -> None:
        """Wait until the queue is short enough."""
        store = self.get_store()
        while True:
            queued = await store.query_rollouts(status_in=_QUEUED)
            if len(queued) <= self.max_queue_length:
                return
            # A runner that is done with one claims another. One that has room for more claims
            # without that, and no store tells of claims: that is found out at the next look.
            pause = asyncio.create_task(asyncio.sleep(min(self.polling_interval, _LOOK)))
            running = [watcher for watcher in watchers if not watcher.done()]
            await asyncio.wait([pause, *running], return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()

    async def _watch(self, rollout_id: str) -> None:
        store = self.get_store()
        while True:
            ended = await store.wait_for_rollouts(
                rollout_ids=[rollout_id], timeout=self.polling_interval
            )
            if ended:
                break
        self._finished += 1
        await self._tell(ended[0])

    async def _tell(self, rollout: Rollout) -> None:
        store = self.get_store()
        took = (rollout.end_time or rollout.start_time) - rollout.start_time
        _log.info(
            "%s %s after %.2f s; %d are through",
            rollout.rollout_id,
            rollout.status,
            took,
            self._finished,
        )
        for attempt in await store.query_attempts(rollout.rollout_id):
            _log.info(
                "%s attempt %d (%s) %s, worker %s",
                rollout.rollout_id,
                attempt.sequence_id,
                attempt.attempt_id,
                attempt.status,
                attempt.worker_id,
            )
            if self.span_verbosity != "none":
                found = await store.query_spans(rollout.rollout_id, attempt.attempt_id)
                for span in found:
                    _log.info(self._described(attempt, span))
        await self._adapt(rollout)

    def _described(self, attempt: Attempt, span: Span) -> str:
        attributes: object = span.attributes
        if self.span_verbosity == "keys":
            attributes = list(span.attributes)
        took = (
            f"{span.end_time - span.start_time:.2f} s"
            if span.start_time and span.end_time
            else "an unknown time"
        )
        begin = datetime.fromtimestamp(span.start_time).isoformat() if span.start_time else "?"
        return (
            f"{attempt.rollout_id} {attempt.attempt_id} span {span.sequence_id} {span.name} from"
            f" {begin} for {took}: {attributes}"
        )

    async def _adapt(self, rollout: Rollout) -> None:
        try:
            adapter = self.get_adapter()
        except ValueError:
            _log.warning("there is no adapter, so nothing is made of the spans")
            return
        spans = await self.get_store().query_spans(rollout.rollout_id, "latest")
        if spans:
            _log.info("%s gave %s", rollout.rollout_id, adapter.adapt(list(spans)))


def _items(dataset: Dataset[Any] | None) -> list[Any]:
    # A dataset has a length and items, but need not be iterable.
    return [] if dataset is None else [dataset[index] for index in range(len(dataset))]


@contextlib.asynccontextmanager
async def _running(llm_proxy: Any | None) -> AsyncIterator[None]:
    """Start a proxy that does not run yet, and stop it again."""
    ours = None if llm_proxy is None or llm_proxy.is_running() else llm_proxy
    if ours is not None:
        await ours.start()
    try:
        yield
    finally:
        if ours is not None:
            await ours.stop()
