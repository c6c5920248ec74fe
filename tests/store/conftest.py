"""The backends that the conformance suite runs on: one line each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import agentlightning_compat.model as names
from agentlightning_compat.clock import ManualClock
from agentlightning_compat.store.base import LightningStore
from agentlightning_compat.store.memory import InMemoryLightningStore
from agentlightning_compat.store.postgres import PostgresLightningStore
from agentlightning_compat.store.sqlite import SqliteLightningStore
from tests.http.served import Served
from tests.store import database
from tests.store.stage import Stage

Factory = Callable[[Path, ManualClock], LightningStore]

BACKENDS: dict[str, Factory] = {
    "memory": lambda folder, clock: InMemoryLightningStore(clock=clock),
    "sqlite": lambda folder, clock: SqliteLightningStore(folder / "store.db", clock=clock),
    "postgres": lambda folder, clock: PostgresLightningStore(database.shared(), clock=clock),
}
BACKENDS |= {
    f"http-{name}": lambda folder, clock, make=make: Served(make(folder, clock))
    for name, make in BACKENDS.items()
}


@pytest.fixture(params=BACKENDS)
def make_store(request, tmp_path) -> Callable[[ManualClock], LightningStore]:
    """A maker of stores of one backend, all over the same data where it has any."""
    if request.param.endswith("postgres"):
        database.empty(database.shared())
    return lambda clock: BACKENDS[request.param](tmp_path, clock)


@pytest.fixture
def stage(make_store) -> Iterator[Stage]:
    clock = ManualClock()
    store = make_store(clock)
    yield Stage(store, names, clock)
    asyncio.run(store.close())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem) -> bool | None:
    """Tests here are coroutines, each run in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True
