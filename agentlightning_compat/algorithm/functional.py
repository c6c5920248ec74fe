"""Functions as algorithms."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from agentlightning_compat.algorithm.base import Algorithm
from agentlightning_compat.model import Dataset


class FunctionalAlgorithm(Algorithm):
    """An algorithm that calls a function, with what the function has parameters for."""

    def __init__(self, algorithm_func: Callable[..., Any]) -> None:
        super().__init__()
        self._algorithm_func = algorithm_func
        self._parameters = inspect.signature(algorithm_func).parameters
        self._is_async = inspect.iscoroutinefunction(algorithm_func)
        functools.update_wrapper(self, algorithm_func)

    def is_async(self) -> bool:
        """Whether the function has to be awaited."""
        return self._is_async

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself, called as written."""
        return self._algorithm_func(*args, **kwargs)

    def run(
        self, train_dataset: Dataset[Any] | None = None, val_dataset: Dataset[Any] | None = None
    ) -> Awaitable[None] | None:
        """Call the function.

        Raises:
            TypeError: a dataset is given that the function has no parameter for.
            ValueError: it wants a store or an adapter, and none was set.
        """
        given: dict[str, Any] = {}
        for name, dataset in (("train_dataset", train_dataset), ("val_dataset", val_dataset)):
            if name in self._parameters:
                given[name] = dataset
            elif dataset is not None:
                raise TypeError(
                    f"{name} is given, but {self._algorithm_func} has no parameter for it"
                )
        for name in ("store", "adapter", "llm_proxy", "initial_resources"):
            if name in self._parameters:
                given[name] = getattr(self, f"get_{name}")()
        result = self._algorithm_func(**given)
        return result if self._is_async else None


def algo(func: Callable[..., Any]) -> FunctionalAlgorithm:
    """Make an algorithm of a function, sync or async.

    It is called with those of these that it has parameters of the name for: `store`,
    `train_dataset`, `val_dataset`, `adapter`, `llm_proxy`, `initial_resources`.
    """
    return FunctionalAlgorithm(func)
