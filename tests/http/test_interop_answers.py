"""The same requests to the real server and to ours: the same answers, but for the differences."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from tests.http.real.asking import SCRIPT, answers
from tests.http.real.peers import OurServer

pytestmark = pytest.mark.oracle

REFUSED = (400, 422)


@pytest.fixture(scope="module")
def both(real_peer):
    """For each request of the script the answers of both."""
    real_peer.wheel.reset()
    real = answers(real_peer.url)
    server = OurServer()
    try:
        server.peer.wheel.reset()
        ours = answers(server.peer.url)
    finally:
        server.close()
    return list(zip(SCRIPT, real, ours, strict=True))


def same(real, ours):
    """Whether a client cannot tell them apart but by the words of a refusal."""
    if real[0] in REFUSED:
        return ours[0] in REFUSED and bool(ours[1]["detail"])
    return real == ours or (real[0] == ours[0] and real[0] >= 400)


def test_requests_have_the_same_answers(both):
    other = [
        f"{request} {json.dumps(body)}: {real} but {ours}"
        for (request, body, *difference), real, ours in both
        if not difference and not same(real, ours)
    ]
    assert other == []
    assert sum(real[0] < 300 for _, real, _ in both) > 60
    assert sum(real[0] in REFUSED for _, real, _ in both) > 40


def test_the_differences_are_there_and_told(both):
    text = resources.files("agentlightning_compat").joinpath("differences.toml").read_text("utf-8")
    for (request, body, *difference), real, ours in both:
        if difference:
            assert not same(real, ours), (request, body)
            assert f'name = "{difference[0]}"' in text
            assert ours[0] < 500


def test_a_health_says_what_else_the_server_can_do(both):
    (_, real, ours) = both[0]
    assert real[1] == {"status": "ok"}
    assert ours[1].pop("features")
    assert ours == real
