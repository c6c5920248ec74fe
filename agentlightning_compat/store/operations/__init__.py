"""Every operation of a store, said once: which records it reads, what the state machine makes
of them, what it writes. Backends bring the transaction."""

from __future__ import annotations

from typing import Any

from agentlightning_compat.store.commands import Command
from agentlightning_compat.store.operations import attempts, resources, rollouts, spans, workers
from agentlightning_compat.store.operations.operation import Operation

OPERATIONS: dict[type[Command[Any]], Operation] = {
    **rollouts.TABLE,
    **attempts.TABLE,
    **spans.TABLE,
    **resources.TABLE,
    **workers.TABLE,
}

__all__ = ["OPERATIONS", "Operation"]
