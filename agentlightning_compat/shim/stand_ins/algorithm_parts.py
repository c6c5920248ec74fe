"""What algorithms are built from."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from agentlightning_compat.model import Dataset

T = TypeVar("T")
R = TypeVar("R")

_Method = Callable[..., Coroutine[Any, Any, R]]


def batch_iter_over_dataset(dataset: Dataset[T], batch_size: int) -> Iterator[Sequence[T]]:
    """Batches for ever, shuffled anew for each time through; at most the whole dataset."""
    size = min(batch_size, len(dataset))
    batch: list[int] = []
    while True:
        order = list(range(len(dataset)))
        random.shuffle(order)
        for index in order:
            if index in batch:  # left over from the last time through
                continue
            batch.append(index)
            if len(batch) == size:
                yield [dataset[number] for number in batch]
                batch = []


def with_store(function: _Method[R]) -> _Method[R]:
    """Hand the algorithm's store to a coroutine method, as its first argument."""

    @functools.wraps(function)
    async def wrapper(self: Any, *args: Any, **kwargs: Any) -> R:
        return await function(self, self.get_store(), *args, **kwargs)

    return wrapper


def with_llm_proxy(
    required: bool = False, auto_start: bool = True
) -> Callable[[_Method[R]], _Method[R]]:
    """Hand the algorithm's LLM proxy, or None, to a coroutine method, as its first argument.

    With `auto_start` a proxy that does not run runs as long as the method.

    Raises:
        ValueError: (when called) there is no proxy, and it is `required`.
    """

    def decorate(function: _Method[R]) -> _Method[R]:
        @functools.wraps(function)
        async def wrapper(self: Any, *args: Any, **kwargs: Any) -> R:
            proxy = self.get_llm_proxy()
            if required and proxy is None:
                raise ValueError("this needs an LLM proxy: call set_llm_proxy() before")
            ours = auto_start and proxy is not None and not proxy.is_running()
            if ours:
                await proxy.start()
            try:
                return await function(self, proxy, *args, **kwargs)
            finally:
                if ours:
                    await proxy.stop()

        return wrapper

    return decorate
