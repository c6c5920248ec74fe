"""The types of functions that become agents and algorithms, for annotations."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from agentlightning_compat.adapter.base import TraceAdapter
from agentlightning_compat.model import (
    LLM,
    Dataset,
    NamedResources,
    PromptTemplate,
    Rollout,
    RolloutRawResult,
)
from agentlightning_compat.store.base import LightningStore

T_contra = TypeVar("T_contra", contravariant=True)


class LlmRolloutFuncSync2(Protocol[T_contra]):
    """Takes a task and a model."""

    def __call__(self, task: T_contra, llm: LLM) -> RolloutRawResult: ...


class LlmRolloutFuncSync3(Protocol[T_contra]):
    """Takes a task, a model and the rollout."""

    def __call__(self, task: T_contra, llm: LLM, rollout: Rollout) -> RolloutRawResult: ...


class LlmRolloutFuncAsync2(Protocol[T_contra]):
    """Takes a task and a model; async."""

    def __call__(self, task: T_contra, llm: LLM) -> Awaitable[RolloutRawResult]: ...


class LlmRolloutFuncAsync3(Protocol[T_contra]):
    """Takes a task, a model and the rollout; async."""

    def __call__(
        self, task: T_contra, llm: LLM, rollout: Rollout
    ) -> Awaitable[RolloutRawResult]: ...


class PromptRolloutFuncSync2(Protocol[T_contra]):
    """Takes a task and a prompt."""

    def __call__(self, task: T_contra, prompt_template: PromptTemplate) -> RolloutRawResult: ...


class PromptRolloutFuncSync3(Protocol[T_contra]):
    """Takes a task, a prompt and the rollout."""

    def __call__(
        self, task: T_contra, prompt_template: PromptTemplate, rollout: Rollout
    ) -> RolloutRawResult: ...


class PromptRolloutFuncAsync2(Protocol[T_contra]):
    """Takes a task and a prompt; async."""

    def __call__(
        self, task: T_contra, prompt_template: PromptTemplate
    ) -> Awaitable[RolloutRawResult]: ...


class PromptRolloutFuncAsync3(Protocol[T_contra]):
    """Takes a task, a prompt and the rollout; async."""

    def __call__(
        self, task: T_contra, prompt_template: PromptTemplate, rollout: Rollout
    ) -> Awaitable[RolloutRawResult]: ...


class FunctionalLitAgentFunc(Protocol[T_contra]):
    """Any function that can be an agent."""

    def __call__(
        self, task: T_contra, *args: Any, **kwargs: Any
    ) -> RolloutRawResult | Awaitable[RolloutRawResult]: ...


class AlgorithmFuncSyncFull(Protocol):
    """Takes all that an algorithm can be given."""

    def __call__(
        self,
        *,
        store: LightningStore,
        train_dataset: Dataset[Any] | None,
        val_dataset: Dataset[Any] | None,
        llm_proxy: Any,
        adapter: TraceAdapter[Any] | None,
        initial_resources: NamedResources | None,
    ) -> None: ...


class AlgorithmFuncAsyncFull(Protocol):
    """Takes all that an algorithm can be given; async."""

    def __call__(
        self,
        *,
        store: LightningStore,
        train_dataset: Dataset[Any] | None,
        val_dataset: Dataset[Any] | None,
        llm_proxy: Any,
        adapter: TraceAdapter[Any] | None,
        initial_resources: NamedResources | None,
    ) -> Awaitable[None]: ...


class AlgorithmFuncSyncOnlyStore(Protocol):
    """Takes the store."""

    def __call__(self, *, store: LightningStore) -> None: ...


class AlgorithmFuncAsyncOnlyStore(Protocol):
    """Takes the store; async."""

    def __call__(self, *, store: LightningStore) -> Awaitable[None]: ...


class AlgorithmFuncSyncOnlyDataset(Protocol):
    """Takes the datasets."""

    def __call__(
        self, *, train_dataset: Dataset[Any] | None, val_dataset: Dataset[Any] | None
    ) -> None: ...


class AlgorithmFuncAsyncOnlyDataset(Protocol):
    """Takes the datasets; async."""

    def __call__(
        self, *, train_dataset: Dataset[Any] | None, val_dataset: Dataset[Any] | None
    ) -> Awaitable[None]: ...


class AlgorithmFuncSyncFallback(Protocol):
    """Takes anything."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class AlgorithmFuncAsyncFallback(Protocol):
    """Takes anything; async."""

    def __call__(self, *args: Any, **kwargs: Any) -> Awaitable[Any]: ...
