"""Strategies in this process: arguments, variables, events, and what bundles do to each other."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import threading

import pytest

import agentlightning_compat as agl
from agentlightning_compat.errors import InvalidRequestError

SAFETY = 60.0


class Sides:
    """An algorithm and runners that note what happens to them."""

    def __init__(self, algorithm="", runner="") -> None:
        self.kinds = {"algorithm": algorithm, "runner": runner}
        self.notes = []
        self.threads = {}
        self.stores = []
        self.all_in = threading.Barrier(3, timeout=SAFETY)

    async def algorithm(self, store, event) -> None:
        self.stores.append(store)
        await self._do("algorithm", event)

    async def runner(self, store, worker_id, event) -> None:
        self.stores.append(store)
        await self._do(f"runner-{worker_id}", event)

    async def _do(self, name, event) -> None:
        self.threads[name] = threading.current_thread()
        try:
            match self.kinds[name.partition("-")[0]]:
                case "fails":
                    raise LookupError(name)
                case "interrupts":
                    raise KeyboardInterrupt
                case "waits":
                    while not event.is_set():
                        await asyncio.sleep(0.01)
                case "hangs":
                    await asyncio.Event().wait()
                case "meets":
                    await asyncio.to_thread(self.all_in.wait)
        except asyncio.CancelledError:
            self.notes.append(f"{name} cancelled")
            raise
        self.notes.append(name)


def shm(**settings):
    return agl.SharedMemoryExecutionStrategy(**{"graceful_delay": 0.1, **settings})


def run(strategy, sides, store=None) -> None:
    strategy.execute(sides.algorithm, sides.runner, store or agl.InMemoryLightningStore())


@pytest.mark.parametrize("main", ["algorithm", "runner"])
def test_who_is_on_the_main_thread(main) -> None:
    sides = Sides("meets", "meets")
    run(shm(n_runners=2, main_thread=main), sides)
    assert sorted(sides.notes) == ["algorithm", "runner-0", "runner-1"]
    here = {name for name, thread in sides.threads.items() if thread is threading.main_thread()}
    assert here == {"algorithm" if main == "algorithm" else "runner-0"}


def test_the_runners_stop_when_the_algorithm_is_done() -> None:
    for main in ("algorithm", "runner"):
        sides = Sides("", "waits")
        run(shm(n_runners=2, main_thread=main, graceful_delay=SAFETY), sides)
        assert sorted(sides.notes) == ["algorithm", "runner-0", "runner-1"]


def test_the_algorithm_goes_on_when_the_runners_are_done(caplog) -> None:
    done = threading.Event()

    async def algorithm(store, event) -> None:
        await asyncio.to_thread(done.wait, SAFETY)
        assert not event.is_set()

    async def runner(store, worker_id, event) -> None:
        return

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "all runners have ended" in record.getMessage():
                done.set()

    handler = Heard()
    logger = logging.getLogger("agentlightning_compat.execution")
    logger.addHandler(handler)
    try:
        shm().execute(algorithm, runner, agl.InMemoryLightningStore())
    finally:
        logger.removeHandler(handler)
    assert done.is_set()


@pytest.mark.parametrize("main", ["algorithm", "runner"])
@pytest.mark.parametrize("bad", ["algorithm", "runner"])
def test_an_error_stops_all_and_is_raised(main, bad) -> None:
    sides = Sides(**{"algorithm": "waits", "runner": "waits", bad: "fails"})
    with pytest.raises(LookupError, match=bad):
        run(shm(main_thread=main, graceful_delay=SAFETY), sides)
    assert len(sides.notes) == 1


@pytest.mark.parametrize("main", ["algorithm", "runner"])
def test_an_interrupt_on_the_main_thread_stops_all_and_is_no_error(main) -> None:
    sides = Sides(**{"algorithm": "waits", "runner": "waits", main: "interrupts"})
    run(shm(main_thread=main, graceful_delay=SAFETY), sides)
    assert len(sides.notes) == 1


def test_who_does_not_look_at_the_event_is_cancelled() -> None:
    sides = Sides("", "hangs")
    run(shm(n_runners=2, main_thread="algorithm"), sides)
    assert sorted(sides.notes) == ["algorithm", "runner-0 cancelled", "runner-1 cancelled"]


def test_what_cannot_be_ended_is_left_behind(caplog) -> None:
    release = threading.Event()

    async def runner(store, worker_id, event) -> None:
        release.wait(SAFETY)

    async def algorithm(store, event) -> None:
        return

    shm(main_thread="algorithm", join_timeout=0.1).execute(
        algorithm, runner, agl.InMemoryLightningStore()
    )
    left = [thread for thread in threading.enumerate() if thread.name == "runner-0"]
    assert "left behind: runner-0" in caplog.text
    release.set()
    for thread in left:
        thread.join(SAFETY)
    assert len(left) == 1


def test_a_managed_store_is_safe_for_threads(monkeypatch) -> None:
    store = agl.InMemoryLightningStore()
    sides = Sides()
    run(shm(), sides, store)
    assert all(isinstance(given, agl.LightningStoreThreaded) for given in sides.stores)
    assert all(given.capabilities["thread_safe"] for given in sides.stores)
    monkeypatch.setenv("AGL_MANAGED_STORE", "no")
    sides = Sides()
    run(shm(), sides, store)
    assert all(given is store for given in sides.stores)


def test_variables_are_what_was_not_given(monkeypatch) -> None:
    monkeypatch.setenv("AGL_CURRENT_ROLE", "runner")
    monkeypatch.setenv("AGL_SERVER_HOST", "example.org")
    monkeypatch.setenv("AGL_SERVER_PORT", "1234")
    monkeypatch.setenv("AGL_MANAGED_STORE", "0")
    made = agl.ClientServerExecutionStrategy()
    assert (made.role, made.server_host, made.server_port) == ("runner", "example.org", 1234)
    assert made.managed_store is False
    made = agl.ClientServerExecutionStrategy("both", "localhost", 1, managed_store=True)
    assert (made.role, made.server_host, made.server_port) == ("both", "localhost", 1)
    assert made.managed_store is True


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"role": "king"}, "role must be one of 'algorithm', 'runner', 'both'"),
        ({"main_process": "x"}, "main_process must be"),
        ({"main_process": "runner", "role": "runner"}, "is for role='both'"),
        ({"main_process": "runner", "n_runners": 2}, "requires n_runners to be 1"),
        ({"n_runners": 0}, "n_runners is at least 1"),
    ],
)
def test_what_makes_no_sense_between_processes(settings, text) -> None:
    with pytest.raises(InvalidRequestError, match=text):
        agl.ClientServerExecutionStrategy(**settings)


@pytest.mark.parametrize("settings", [{"main_thread": "x"}, {"n_runners": 0}])
def test_what_makes_no_sense_between_threads(settings) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        agl.SharedMemoryExecutionStrategy(**settings)


@pytest.mark.parametrize("name", ["AGL_SERVER_PORT", "AGL_MANAGED_STORE"])
def test_a_variable_that_makes_no_sense_is_named(monkeypatch, name) -> None:
    monkeypatch.setenv(name, "perhaps")
    with pytest.raises(ValueError, match=f"{name} must be .*'perhaps'"):
        agl.ClientServerExecutionStrategy()


@pytest.mark.parametrize(
    "event",
    [
        agl.ThreadingEvent(),
        agl.MultiprocessingEvent(),
        agl.MultiprocessingEvent(ctx=multiprocessing.get_context("spawn")),
    ],
    ids=["threads", "processes", "spawned"],
)
def test_events(event) -> None:
    assert not event.is_set()
    assert event.wait(0) is False
    event.set()
    event.set()
    assert event.is_set()
    assert event.wait() is True
    event.clear()
    assert event.wait(0.01) is False


def test_a_strategy_of_ones_own_has_to_say_how() -> None:
    with pytest.raises(NotImplementedError, match="Mine has no execute"):
        type("Mine", (agl.ExecutionStrategy,), {})().execute(None, None, None)
