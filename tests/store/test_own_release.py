"""The conformance suite on the real in-memory store of agentlightning 0.3.0."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracles import run_in_oracle
from tests.store.differences import DIFFERENCES

pytestmark = pytest.mark.oracle

HERE = Path(__file__).parent
SUBJECTS = sorted(
    path.stem for path in HERE.glob("test_*.py") if not path.stem.startswith("test_own_")
)

_RUN = """
import asyncio, importlib, inspect, json, logging, sys, time, traceback, warnings
folder, subjects = json.load(sys.stdin)
sys.path.insert(0, folder)
import agentlightning.types as names
from agentlightning.store.memory import InMemoryLightningStore
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
from tests.store.stage import Stage

class Clock:
    def __init__(self):
        self.time = 1_000_000.0
    def now(self):
        return self.time
    def advance(self, seconds):
        self.time += seconds
        return self.time

async def run(test, clock):
    store = InMemoryLightningStore(scan_debounce_seconds=0)
    await asyncio.wait_for(test(Stage(store, names, clock)), 30)

results = {}
for subject in subjects:
    module = importlib.import_module("tests.store." + subject)
    for name, test in vars(module).items():
        if not name.startswith("test_"):
            continue
        clock = Clock()
        time.time = clock.now  # the real store reads no other clock
        try:
            asyncio.run(run(test, clock))
        except BaseException as error:
            results[subject + "." + name] = "".join(traceback.format_exception_only(error)) + (
                traceback.format_exc()[-600:])
        else:
            results[subject + "." + name] = None
answer(results)
"""


@pytest.fixture(scope="module")
def results(request) -> dict[str, str | None]:
    """For every test of the suite: why it failed on the real store, None if it passed."""
    asked = [str(request.config.rootpath), SUBJECTS]
    found: dict[str, str | None] = run_in_oracle("0.3.0", _RUN, asked, timeout=600)
    return found


def test_the_suite_holds_but_for_the_differences(results):
    unexpected = {
        name: why for name, why in results.items() if why is not None and name not in DIFFERENCES
    }
    assert len(results) > 100
    assert not unexpected, "\n".join(f"{name}: {why}" for name, why in unexpected.items())


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_one(results, name):
    assert name in results, "there is no such test"
    assert results[name] is not None, "the real store does the same by now"
    assert DIFFERENCES[name]
