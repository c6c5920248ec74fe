"""Where runners find their store server, and that they do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agentlightning_compat.legacy import runner_strategy


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://localhost:9999/", "localhost", 9999),
        (" http://10.0.0.7:4747 ", "10.0.0.7", 4747),
        ("http://trainer", "trainer", 80),
        ("http://[::1]:4747", "[::1]", 4747),
        (SimpleNamespace(server_address_root="http://a:1"), "a", 1),
        (SimpleNamespace(endpoint="http://b:2/"), "b", 2),
    ],
)
def test_an_address_becomes_the_strategy_of_runners(url, host, port):
    strategy = runner_strategy(url)
    assert strategy["type"] == "cs"
    assert strategy["role"] == "runner"
    assert (strategy["server_host"], strategy["server_port"]) == (host, port)
    assert "n_runners" not in strategy


def test_the_number_of_runners_is_passed_on():
    assert runner_strategy("http://a:1", 8)["n_runners"] == 8


@pytest.mark.parametrize(
    ("url", "way_out"),
    [
        ("https://a:1", "proxy"),
        ("localhost:9999", "write http://host:port"),
        ("http://a:1/prefix", "LightningStoreClient"),
        ("http://me:secret@a:1", "user name"),
        ("http://a:1/?x=1", "query"),
        (SimpleNamespace(endpoint="local://"), "dev_tasks"),
    ],
)
def test_an_address_that_runners_cannot_use_names_the_way_out(url, way_out):
    with pytest.raises(ValueError, match=way_out):
        runner_strategy(url)


@pytest.mark.parametrize("url", [None, 8000, object()])
def test_no_address_at_all_names_the_likely_cause(url):
    with pytest.raises(TypeError, match="environment variable"):
        runner_strategy(url)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("case", "workers"),
    [
        ("two runners, given trainer", 2),
        ("one runner, given trainer", 1),
        ("two runners, own strategy", 2),
    ],
)
def test_a_fleet_works_off_the_tasks_of_a_server_elsewhere(real, case, workers):
    found = real("fleet")[case]
    assert found["found"] == {"rewards": [0.0, 2.0, 4.0, 6.0], "workers": workers}
    assert found["exit"] == 0


@pytest.mark.oracle
def test_a_legacy_server_is_told_apart_instead_of_waited_for(real):
    assert "is a legacy AgentLightningServer" in real("fleet")["legacy server"]


@pytest.mark.oracle
def test_real_clients_have_an_address(real):
    found = real("fleet")
    assert found["of a client"]["server_host"] == "somewhere"
    assert found["of a client"]["n_runners"] == 3
    assert found["of a legacy client"]["server_port"] == 9999
