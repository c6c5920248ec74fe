"""The error tree: what callers catch, what crosses a wire."""

from __future__ import annotations

import pickle

import pytest

from agentlightning_compat import errors

KINDS = list(errors.tree())


def test_codes_are_told_apart():
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_wire_and_a_pickle(kind):
    error = kind("what happened")
    sent = errors.to_wire(error)
    back = errors.from_code(sent["code"], sent["detail"])
    assert type(back) is kind
    assert back.message == "what happened"
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is kind
    assert copied.args == error.args


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_has_an_http_status(kind):
    assert 400 <= kind.status < 600


def test_an_unknown_code_is_told_as_it_came():
    error = errors.from_code("from_the_future", "no idea")
    assert type(error) is errors.InternalError
    assert error.message == "from_the_future: no idea"


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        (errors.RolloutNotFoundError, ValueError),
        (errors.AttemptNotFoundError, ValueError),
        (errors.InvalidRequestError, ValueError),
        (errors.SpansEvictedError, RuntimeError),
        (errors.UnsupportedError, NotImplementedError),
    ],
)
def test_code_that_catches_what_agentlightning_raises_keeps_working(kind, old):
    with pytest.raises(old):
        raise kind("x")


def test_only_what_may_pass_by_itself_invites_a_retry():
    inviting = {kind.__name__ for kind in KINDS if kind.retry_may_help}
    assert inviting == {"StoreUnavailableError", "StoreBusyError"}
