"""The base class of algorithms."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from agentlightning_compat.errors import UnsupportedError
from agentlightning_compat.model import Dataset, NamedResources

if TYPE_CHECKING:
    from agentlightning_compat.adapter.base import TraceAdapter
    from agentlightning_compat.store.base import LightningStore


class Algorithm:
    """Puts rollouts into the store and learns from what comes of them: override `run`.

    A trainer sets the store, the adapter and the resources before it calls `run`.
    """

    # On the class, so that a subclass need not call this class's constructor.
    _trainer_ref: weakref.ReferenceType[Any] | None = None
    _llm_proxy_ref: weakref.ReferenceType[Any] | None = None
    _adapter_ref: weakref.ReferenceType[Any] | None = None
    _store: LightningStore | None = None
    _initial_resources: NamedResources | None = None

    def is_async(self) -> bool:
        """Whether `run` has to be awaited."""
        return inspect.iscoroutinefunction(self.run)

    def set_trainer(self, trainer: Any) -> None:
        """Note who runs it; the trainer is not kept alive."""
        self._trainer_ref = weakref.ref(trainer)

    def get_trainer(self) -> Any:
        """Who runs it.

        Raises:
            ValueError: nobody does, or the trainer is gone.
        """
        return _referred("trainer", self._trainer_ref)

    def set_llm_proxy(self, llm_proxy: Any | None) -> None:
        """Note the proxy that LLM calls go through; it is not kept alive."""
        self._llm_proxy_ref = None if llm_proxy is None else weakref.ref(llm_proxy)

    def get_llm_proxy(self) -> Any | None:
        """The proxy that LLM calls go through, if there is one.

        Raises:
            ValueError: it is gone.
        """
        return None if self._llm_proxy_ref is None else _referred("llm_proxy", self._llm_proxy_ref)

    def set_adapter(self, adapter: TraceAdapter[Any]) -> None:
        """Note what makes data out of spans; it is not kept alive."""
        self._adapter_ref = weakref.ref(adapter)

    def get_adapter(self) -> TraceAdapter[Any]:
        """What makes data out of spans.

        Raises:
            ValueError: there is none, or it is gone.
        """
        adapter: TraceAdapter[Any] = _referred("adapter", self._adapter_ref)
        return adapter

    def set_store(self, store: LightningStore) -> None:
        """Take the store."""
        self._store = store

    def get_store(self) -> LightningStore:
        """The store.

        Raises:
            ValueError: there is none.
        """
        if self._store is None:
            raise ValueError("this algorithm has no store: call set_store() first")
        return self._store

    def get_initial_resources(self) -> NamedResources | None:
        """The resources that the trainer was given, if any."""
        return self._initial_resources

    def set_initial_resources(self, resources: NamedResources) -> None:
        """Take the resources to begin with."""
        self._initial_resources = resources

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(*args, **kwargs)

    def run(
        self, train_dataset: Dataset[Any] | None = None, val_dataset: Dataset[Any] | None = None
    ) -> Awaitable[None] | None:
        """Do the work; as a coroutine, or as a function, which the trainer calls in a thread."""
        raise NotImplementedError(f"{type(self).__name__} has no run method")

    def get_client(self) -> Any:
        """Not any more.

        Raises:
            UnsupportedError: always, unless a subclass has a client.
        """
        raise UnsupportedError("algorithms have no client: they work on the store, get_store()")


def _referred(what: str, reference: weakref.ReferenceType[Any] | None) -> Any:
    if reference is None:
        raise ValueError(f"this algorithm has no {what}: nobody called set_{what}() on it")
    found = reference()
    if found is None:
        raise ValueError(f"the {what} of this algorithm is gone: keep a reference to it")
    return found
