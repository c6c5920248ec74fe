"""Calling what users hang around a rollout, so that nothing it does reaches the rollout."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

from agentlightning_compat.runner.limits import Limit, cancellations, meant_for_us

_log = logging.getLogger(__name__)


class HookCalls:
    """The hooks of a runner: `Hook` objects, or others that have some of its methods.

    They are called in order, each in the task of the rollout and its context. A method may be
    sync; then it must not block. What a hook raises, or that it took longer than `timeout`
    seconds, is logged with the hook's name.
    """

    def __init__(self, hooks: Callable[[], Sequence[Any]], timeout: float | None) -> None:
        self._hooks = hooks
        self._timeout = timeout

    def any(self) -> bool:
        """Whether there are hooks."""
        return bool(self._hooks())

    async def call(self, name: str, *, timeout: float | None = None, **arguments: Any) -> None:
        """Call the method of this name of all hooks that have it."""
        for hook in list(self._hooks()):
            method = getattr(hook, name, None)
            if method is not None:
                await self._one(f"{name} of {_name(hook)}", method, timeout, arguments)

    async def _one(
        self, what: str, method: Any, timeout: float | None, arguments: dict[str, Any]
    ) -> None:
        rollout_id = arguments["rollout"].rollout_id
        before = cancellations()
        try:
            with Limit(self._timeout if timeout is None else timeout, "it"):
                result = method(**arguments)
                if inspect.isawaitable(result):
                    await result
        except asyncio.CancelledError:
            if meant_for_us(before):
                raise
            _log.exception("%s was cancelled from within for %s", what, rollout_id)
        except (Exception, SystemExit):
            _log.exception("%s failed for %s", what, rollout_id)


def _name(hook: Any) -> str:
    own = getattr(hook, "__name__", None)
    kind = type(hook)
    return str(own) if own else f"{kind.__module__}.{kind.__qualname__}"
