"""`AgentLightningClient`: polls a legacy server for tasks and posts their results."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

from agentlightning_compat import usage
from agentlightning_compat.background import block
from agentlightning_compat.errors import CompatError, InternalError, NotFoundError
from agentlightning_compat.legacy import transport
from agentlightning_compat.legacy.messages import report_json, resources_of, task_of
from agentlightning_compat.model import ResourcesUpdate, RolloutLegacy, Task

T = TypeVar("T")

_PATH = "agentlightning.client.AgentLightningClient"
ADVICE = "Runners take their tasks from a LightningStore."

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Get:
    url: str


@dataclass(slots=True)
class _Post:
    url: str
    body: dict[str, Any]


@dataclass(slots=True)
class _Sleep:
    seconds: float


# What a method needs from the world, step by step; sync and async names differ in who does it.
_Steps = Generator[_Get | _Post | _Sleep, Any, T]


class AgentLightningClient:
    """A client of the legacy protocol (0.1, and what 0.2 and 0.3 kept of it).

    What is asked for and cannot be had is None, as it always was; the reason is logged.
    `poll_interval` and `timeout` (of one request) are in seconds. It may be used from any thread
    and any event loop.
    """

    _next_task_uri = "/task"
    _resources_uri = "/resources"
    _latest_resources_uri = "/resources/latest"
    _report_rollout_uri = "/rollout"

    def __init__(self, endpoint: str, poll_interval: float = 5.0, timeout: float = 10.0) -> None:
        usage.note_call(_PATH, ADVICE)
        self.endpoint = endpoint
        self.task_count = 0
        self.poll_interval = poll_interval
        self.timeout = timeout
        self._resource_cache: dict[str, ResourcesUpdate] = {}
        self._default_headers = {"X-AgentLightning-Client": "true"}

    def poll_next_task(self) -> Task:
        """Wait for a task, for ever if need be."""
        usage.note_call(f"{_PATH}.poll_next_task", ADVICE)
        return self._block(self._polling())

    async def poll_next_task_async(self) -> Task:
        """Wait for a task, for ever if need be."""
        usage.note_call(f"{_PATH}.poll_next_task_async", ADVICE)
        return await self._await(self._polling())

    def get_resources_by_id(self, resource_id: str) -> ResourcesUpdate | None:
        """A set of resources; one that was had before is not asked for again."""
        usage.note_call(f"{_PATH}.get_resources_by_id", ADVICE)
        return self._block(self._getting_resources(resource_id))

    async def get_resources_by_id_async(self, resource_id: str) -> ResourcesUpdate | None:
        """A set of resources; one that was had before is not asked for again."""
        usage.note_call(f"{_PATH}.get_resources_by_id_async", ADVICE)
        return await self._await(self._getting_resources(resource_id))

    def get_latest_resources(self) -> ResourcesUpdate | None:
        """The resources that the server was given last."""
        usage.note_call(f"{_PATH}.get_latest_resources", ADVICE)
        return self._block(self._getting_resources(None))

    async def get_latest_resources_async(self) -> ResourcesUpdate | None:
        """The resources that the server was given last."""
        usage.note_call(f"{_PATH}.get_latest_resources_async", ADVICE)
        return await self._await(self._getting_resources(None))

    def post_rollout(self, rollout: RolloutLegacy) -> dict[str, Any] | None:
        """Report the result of a task; what the server answers."""
        usage.note_call(f"{_PATH}.post_rollout", ADVICE)
        return self._block(self._posting(rollout))

    async def post_rollout_async(self, rollout: RolloutLegacy) -> dict[str, Any] | None:
        """Report the result of a task; what the server answers."""
        usage.note_call(f"{_PATH}.post_rollout_async", ADVICE)
        return await self._await(self._posting(rollout))

    async def try_next_task_async(self) -> Task | None:
        """The next task if there is one now.

        Raises:
            StoreUnavailableError: the server cannot be reached.
            InternalError: what it answers makes no sense.
        """
        answer = await self._fetch(self._url(self._next_task_uri))
        task = task_of(answer)
        if task is not None:
            self._received(task)
        return task

    async def fetch_resources_async(self, resource_id: str | None) -> ResourcesUpdate | None:
        """A set of resources, the latest for None; None only when the server has none.

        Raises:
            StoreUnavailableError: the server cannot be reached.
            InternalError: what it answers makes no sense.
        """
        if resource_id in self._resource_cache:
            return self._resource_cache[resource_id]
        try:
            answer = await self._fetch(self._resources_url(resource_id))
        except NotFoundError:
            return None
        return self._keep(resources_of(answer))

    async def deliver_async(self, payload: dict[str, Any]) -> None:
        """Post a result that `report_json` made.

        Raises:
            StoreUnavailableError: the server cannot be reached; the result may have arrived.
            InvalidRequestError: the server does not take it.
            InternalError: what it answers makes no sense.
        """
        url = self._url(self._report_rollout_uri)
        answer = await transport.post_json(url, payload, **self._way)
        if not isinstance(answer, dict):
            raise InternalError(f"the answer to a result is {answer!r:.100}, which is no receipt")

    def _polling(self) -> _Steps[Task]:
        while True:
            answer = yield _Get(self._url(self._next_task_uri))
            task = _understood(task_of, answer) if answer else None
            if task is not None:
                self._received(task)
                return task
            yield _Sleep(self.poll_interval)

    def _getting_resources(self, resource_id: str | None) -> _Steps[ResourcesUpdate | None]:
        if resource_id in self._resource_cache:
            return self._resource_cache[resource_id]
        answer = yield _Get(self._resources_url(resource_id))
        update = _understood(resources_of, answer) if answer else None
        return update and self._keep(update)

    def _posting(self, rollout: RolloutLegacy) -> _Steps[dict[str, Any] | None]:
        answer = yield _Post(self._url(self._report_rollout_uri), report_json(rollout))
        return answer if isinstance(answer, dict) else None

    def _block(self, steps: _Steps[T]) -> T:
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer = None
            if isinstance(step, _Get):
                answer = self._request_json(step.url)
            elif isinstance(step, _Post):
                answer = self._post_json(step.url, step.body)
            else:
                time.sleep(step.seconds)

    async def _await(self, steps: _Steps[T]) -> T:
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            answer = None
            if isinstance(step, _Get):
                answer = await self._request_json_async(step.url)
            elif isinstance(step, _Post):
                answer = await self._post_json_async(step.url, step.body)
            else:
                await asyncio.sleep(step.seconds)

    def _request_json(self, url: str) -> Any:
        return block(AgentLightningClient._request_json_async(self, url))

    async def _request_json_async(self, url: str) -> Any:
        try:
            return await self._fetch(url)
        except CompatError as error:
            _log.warning("no answer that helps: %s", error)
            return None

    def _post_json(self, url: str, payload: dict[str, Any]) -> Any:
        return block(AgentLightningClient._post_json_async(self, url, payload))

    async def _post_json_async(self, url: str, payload: dict[str, Any]) -> Any:
        try:
            return await transport.post_json(url, payload, **self._way)
        except CompatError as error:
            _log.warning("the result of %s did not arrive: %s", payload.get("rollout_id"), error)
            return None

    async def _fetch(self, url: str) -> Any:
        return await transport.get_json(url, **self._way)

    @property
    def _way(self) -> dict[str, Any]:
        return {"timeout": self.timeout, "headers": self._default_headers}

    def _url(self, path: str) -> str:
        return urljoin(self.endpoint, path)

    def _resources_url(self, resource_id: str | None) -> str:
        if resource_id is None:
            return self._url(self._latest_resources_uri)
        return self._url(f"{self._resources_uri}/{quote(resource_id, safe='')}")

    def _received(self, task: Task) -> None:
        self.task_count += 1
        _log.info("task %s: %s", self.task_count, task.rollout_id)

    def _keep(self, update: ResourcesUpdate) -> ResourcesUpdate:
        self._resource_cache[update.resources_id] = update
        return update


def _understood(read: Callable[[Any], T], answer: Any) -> T | None:
    try:
        return read(answer)
    except InternalError as error:
        _log.warning("no answer that helps: %s", error)
        return None
