"""The conformance suite of stores, on a client whose server is in another process.

It runs here with our client and in the environment of a real release with that one's.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.http.real.steering import Wheel
from tests.store.stage import Stage

SUBJECTS = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "store").glob("test_*.py")
    if not path.stem.startswith("test_own_")
)


class InMemoryLightningStore:
    """What the suite takes to be the store behind a client: only its name matters."""


class Noted:
    """A client that notes which of its methods were called, with which arguments.

    `refusals`: errors that stand for a refused call; the suite knows them as ValueError.
    """

    def __init__(self, client: Any, noted: dict[str, set[str]], refusals: Any = ()) -> None:
        self._client = client
        self._noted = noted
        self._refusals = refusals
        self.behind = InMemoryLightningStore()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        arguments = self._noted.setdefault(name, set())
        if not inspect.iscoroutinefunction(method):
            return method
        signature = inspect.signature(method)

        async def call(*given: Any, **named: Any) -> Any:
            arguments.update(signature.bind(*given, **named).arguments)
            try:
                return await method(*given, **named)
            except self._refusals as error:
                if getattr(error, "status", 400) >= 500:
                    raise
                raise ValueError(str(error)) from error

        return call


def tests() -> dict[str, Callable[[Stage], Any]]:
    """All tests of the suite, by name."""
    found = {}
    for subject in SUBJECTS:
        module = importlib.import_module(f"tests.store.{subject}")
        found |= {f"{subject}.{k}": x for k, x in vars(module).items() if k.startswith("test_")}
    return found


def run(names: Any, connect: Callable[[], Any], wheel: Wheel) -> dict[str, str | None]:
    """For each test why it failed, None if it passed."""

    async def one(test: Callable[[Stage], Any]) -> None:
        client = connect()
        try:
            await asyncio.wait_for(test(Stage(client, names, wheel)), 60)
        finally:
            await client.close()

    results: dict[str, str | None] = {}
    for name, test in tests().items():
        wheel.reset()
        try:
            asyncio.run(one(test))
        except Exception as error:
            said = "".join(traceback.format_exception_only(error))
            results[name] = f"{said}\n{traceback.format_exc()[-1500:]}"
        else:
            results[name] = None
    return results
