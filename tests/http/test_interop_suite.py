"""The conformance suite of stores across the wire: our client on the real server, and the real
client on ours.
"""

from __future__ import annotations

import pytest

import agentlightning_compat.model as names
from agentlightning_compat import LightningStoreClient
from tests.http.real import suite
from tests.http.real.peers import ROOT, OurServer
from tests.oracles import run_in_oracle
from tests.store.differences import DIFFERENCES

pytestmark = pytest.mark.oracle

# What a client of 0.3 cannot do, whatever the server is: it has to fail.
OF_THE_REAL_CLIENT = {
    "test_arguments.test_names_that_mean_something_in_an_address": "does not quote names",
    "test_queries.test_questions_without_meaning": "sends no order without a field to sort by",
    "test_spans.test_many_spans_are_all_stored_or_none": "sends spans one by one",
    "test_spans.test_unknown_rollouts_have_no_numbers": "asks for numbers one by one",
    "test_spans.test_spans_come_by_their_numbers": "cannot ask for spans as they came",
    "test_waiting.test_unknown_ids_are_not_waited_for": "waits for at most 0.1 s",
    "test_waiting.test_a_waiter_is_woken_by_the_last_report": "waits for at most 0.1 s",
    "test_waiting.test_a_waiter_is_woken_by_a_cancellation": "waits for at most 0.1 s",
    "test_waiting.test_many_wait_for_the_same": "waits for at most 0.1 s",
    "test_waiting.test_a_rollout_that_started_again_is_waited_for_again": "waits for 0.1 s",
    "test_workers.test_questions": "pages of workers are ignored",
}
# What a server of 0.3 cannot do besides the differences of its store.
OF_THE_REAL_SERVER = {
    "test_attempts.test_other_fields_change_too": "takes no null for the metadata of an attempt",
}
# Differences that cannot be seen from afar: objects are copied by the wire, and our client asks
# for what the server refuses, or in another way.
NOT_SEEN_FROM_AFAR = {
    "snapshots",
    "queries-are-checked",
    "refused-before-written",
    "duplicates-only-are-left-out",
}

_REAL_CLIENT = """
import inspect, json, logging, sys, warnings
root, url, steering = json.load(sys.stdin)
sys.path.insert(0, root)
import agentlightning.types as names
from agentlightning import LightningStore, LightningStoreClient
from aiohttp import ClientResponseError
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
from tests.http.real import suite
from tests.http.real.steering import Wheel

noted = {}
def connect():
    client = LightningStoreClient(url, retry_delays=(), health_retry_delays=())
    return suite.Noted(client, noted, ClientResponseError)

results = suite.run(names, connect, Wheel(steering))
methods = {
    name: list(inspect.signature(method).parameters)[1:]
    for name, method in inspect.getmembers(LightningStore, inspect.iscoroutinefunction)
}
answer([results, {name: sorted(arguments) for name, arguments in noted.items()}, methods])
"""


def failures(results):
    return {name: why for name, why in results.items() if why is not None}


def unexpected(results, expected):
    return [f"{k}: {why}" for k, why in failures(results).items() if k not in expected]


@pytest.fixture(scope="module")
def from_ours(real_peer):
    noted: dict[str, set[str]] = {}

    def connect():
        return suite.Noted(LightningStoreClient(real_peer.url, retry_delays=()), noted)

    return suite.run(names, connect, real_peer.wheel), noted


@pytest.fixture(scope="module")
def from_theirs():
    server = OurServer()
    try:
        asked = [str(ROOT), server.peer.url, server.peer.steering]
        return run_in_oracle("0.3.0", _REAL_CLIENT, asked)
    finally:
        server.close()


def test_the_real_client_on_our_server(from_theirs):
    results, *_ = from_theirs
    assert len(results) > 100
    assert unexpected(results, OF_THE_REAL_CLIENT) == []
    assert set(failures(results)) == set(OF_THE_REAL_CLIENT)


def test_our_client_on_the_real_server(from_ours):
    results, _ = from_ours
    of_the_store = {k for k, name in DIFFERENCES.items() if name not in NOT_SEEN_FROM_AFAR}
    assert len(results) > 100
    assert unexpected(results, of_the_store | set(OF_THE_REAL_SERVER)) == []


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_every_method_was_called_with_every_argument(whose, from_ours, from_theirs):
    noted = {"ours": from_ours, "theirs": from_theirs}[whose][1]
    methods = {name: set(known) for name, known in from_theirs[2].items()}
    methods["query_rollouts"] -= {"status", "rollout_ids"}  # passed on under their new names
    assert len(methods) > 25
    left = {name: sorted(known - set(noted.get(name, ()))) for name, known in methods.items()}
    assert {name: rest for name, rest in left.items() if rest} == {}
    assert {*methods, "capabilities", "otlp_traces_endpoint"} <= set(noted)
