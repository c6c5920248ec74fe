"""Where tasks come from: a client of ours, or any object with the methods of one."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from agentlightning_compat.legacy.client import AgentLightningClient
from agentlightning_compat.legacy.messages import resources_of
from agentlightning_compat.model import ResourcesUpdate, RolloutLegacy, Task

# How long a call may block before "nothing now" is taken for its answer, in seconds.
_PATIENCE = 1.0


class TaskSource(Protocol):
    """What the store needs of a legacy server; all of it on the background loop."""

    poll_interval: float

    async def next_task(self) -> Task | None:
        """The next task, if there is one now."""
        ...

    async def resources(self, resources_id: str | None) -> ResourcesUpdate | None:
        """A set of resources, the latest for None; None when there is none."""
        ...

    async def deliver(self, report: dict[str, Any]) -> None:
        """Hand in a result, as `report_json` makes it."""
        ...


class ServerTasks:
    """Our own client: it says why something cannot be had."""

    def __init__(self, client: AgentLightningClient) -> None:
        self._client = client
        self.poll_interval = client.poll_interval
        self.endpoint = client.endpoint

    async def next_task(self) -> Task | None:
        """The next task, if there is one now."""
        return await self._client.try_next_task_async()

    async def resources(self, resources_id: str | None) -> ResourcesUpdate | None:
        """A set of resources; None when the server has none."""
        return await self._client.fetch_resources_async(resources_id)

    async def deliver(self, report: dict[str, Any]) -> None:
        """Post a result."""
        await self._client.deliver_async(report)


class ClientTasks:
    """Somebody's client: its methods are called as the legacy runner called them.

    Polling goes on where it was when nobody wants the task any more: the next one gets it.
    """

    def __init__(self, client: Any) -> None:
        self.poll_interval = float(getattr(client, "poll_interval", 5.0))
        self._poll = _method(client, "poll_next_task")
        self._by_id = _method(client, "get_resources_by_id")
        self._latest = _method(client, "get_latest_resources")
        self._post = _method(client, "post_rollout")
        self._polling: asyncio.Future[Any] | None = None

    async def next_task(self) -> Task | None:
        """The next task, if it comes soon."""
        if self._polling is None:
            self._polling = asyncio.ensure_future(self._poll())
        await asyncio.wait([self._polling], timeout=_PATIENCE)
        if not self._polling.done():
            return None
        polled, self._polling = self._polling, None
        task = polled.result()
        return None if task is None else Task.model_validate(_fields(task))

    async def resources(self, resources_id: str | None) -> ResourcesUpdate | None:
        """A set of resources."""
        found = await (self._latest() if resources_id is None else self._by_id(resources_id))
        return None if found is None else resources_of(_fields(found))

    async def deliver(self, report: dict[str, Any]) -> None:
        """Hand in a result."""
        await self._post(RolloutLegacy.model_validate(report))


def source_of(client: Any) -> TaskSource:
    """Tasks of a client, or of the server at a URL.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(client, str):
        return ServerTasks(AgentLightningClient(client))
    if isinstance(client, AgentLightningClient) and not _changed(client):
        return ServerTasks(client)
    return ClientTasks(client)


_NAMES = ("poll_next_task", "get_resources_by_id", "get_latest_resources", "post_rollout")
_INNER = ("_request_json", "_post_json")


def _changed(client: AgentLightningClient) -> bool:
    """Whether a subclass or a test replaced something that the legacy interface has."""
    names = {f"{name}{suffix}" for name in _NAMES + _INNER for suffix in ("", "_async")}
    replaced = names & set(vars(client))
    own = (vars(cls) for cls in type(client).__mro__ if cls is not AgentLightningClient)
    return bool(replaced) or any(names & set(members) for members in own)


def _method(client: Any, name: str) -> Callable[..., Awaitable[Any]]:
    """The method under its async or its sync name, whichever was written for this client."""
    depths = {n: _depth(client, n) for n in (f"{name}_async", name)}
    known = {n: depth for n, depth in depths.items() if depth is not None}
    if not known:
        raise TypeError(f"a legacy client has a method {name!r}; {type(client).__name__} has none")
    method = getattr(client, min(known, key=lambda n: known[n]))

    async def call(*arguments: Any) -> Any:
        if inspect.iscoroutinefunction(method):
            return await method(*arguments)
        result = await _in_thread(method, arguments)
        return await result if inspect.isawaitable(result) else result

    return call


def _depth(client: Any, name: str) -> int | None:
    """How far up a name is defined; 0 on the object itself."""
    if name in getattr(client, "__dict__", {}):
        return 0
    classes = enumerate(type(client).__mro__, 1)
    found = next((depth for depth, cls in classes if name in vars(cls)), None)
    return len(type(client).__mro__) + 1 if found is None and hasattr(client, name) else found


async def _in_thread(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call it in a thread that does not keep the process alive: a poll may never come back."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = function(*arguments), None
        except BaseException as error:
            outcome = None, error
        loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, name="legacy-client", daemon=True).start()
    return await done


def _fields(value: Any) -> Any:
    return value.model_dump() if hasattr(value, "model_dump") else value
