"""The harness notices what it is there to notice."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.projects.openai_stub import UNKNOWN, openai_stub
from tests.projects.programs import Program, ProgramError
from tests.projects.running import Outcome, missing_lines
from tests.projects.test_projects import check

RULES = [
    {"when": "sum", "call": "add", "arguments": {"a": 1}, "then": "It is {}."},
    {"when": "hello", "say": "hi"},
]
TOOLS = [{"type": "function", "function": {"name": "add"}}]


def ask(address, messages, path="/chat/completions", **more):
    body = json.dumps({"model": "m", "messages": messages, **more}).encode()
    request = urllib.request.Request(address + path, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["choices"][0]


def user(text):
    return {"role": "user", "content": text}


def test_the_stub_answers_by_the_last_user_message():
    with openai_stub(RULES) as stub:
        earlier = [user("sum"), {"role": "assistant", "content": "2"}]
        assert ask(stub.address, [*earlier, user("hello!")])["message"]["content"] == "hi"
        assert ask(stub.address, [user("what?")])["message"]["content"] == UNKNOWN
        parts = {"role": "user", "content": [{"type": "text", "text": "hello"}]}
        assert ask(stub.address, [parts])["message"]["content"] == "hi"
        assert len(stub.requests) == 3


def test_the_stub_calls_a_tool_and_then_tells_its_result():
    with openai_stub(RULES) as stub:
        first = ask(stub.address, [user("the sum")], tools=TOOLS)
        call = first["message"]["tool_calls"][0]
        assert first["finish_reason"] == "tool_calls"
        assert call["function"] == {"name": "add", "arguments": '{"a": 1}'}
        result = {"role": "tool", "tool_call_id": call["id"], "content": "2"}
        last = ask(stub.address, [user("the sum"), first["message"], result], tools=TOOLS)
        assert last["message"]["content"] == "It is 2."


@pytest.mark.parametrize(
    ("path", "more"), [("/completions", {}), ("/chat/completions", {"stream": True})]
)
def test_the_stub_refuses_what_it_does_not_know(path, more):
    with openai_stub(RULES) as stub, pytest.raises(urllib.error.HTTPError, match="400"):
        ask(stub.address, [user("hello")], path, **more)


def program(folder, code):
    return Program([sys.executable, "-c", code], dict(os.environ), folder, folder / "run")


def test_a_program_is_stopped_with_its_children(tmp_path):
    code = "import os, time\npid = os.fork()\nif pid: print(pid, flush=True)\ntime.sleep(600)"
    with program(tmp_path, code) as running:
        child = int(running.line("", 30))
        assert running.wait(0) is None
    deadline = time.monotonic() + 30
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _lives(child)
    assert running.wait(0) == -signal.SIGKILL


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_line_that_never_comes_is_an_error_with_the_reason(tmp_path):
    failing = program(tmp_path, "raise SystemExit('broken')")
    with failing as running, pytest.raises(ProgramError, match="broken"):
        running.line("ready", 30)


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [(["a", "b"], []), (["b", "a"], ["a"]), (["a 1", "c"], ["c"]), (["b", "b"], ["b"])],
)
def test_lines_count_in_order_by_how_they_begin(wanted, missing):
    assert missing_lines("x\na 1: yes\n  b\n", wanted) == missing


WANTED = {
    "server": {"tasks": [{"input": 1}]},
    "programs": [{"command": [], "prints": ["done"]}],
    "rewards": [0.5],
}
GOOD = {"reward": 0.5, "triplets": [], "metadata": {}, "status": "succeeded"}


def outcome(**changes):
    return Outcome(**{"results": [GOOD], "outputs": ["done\n"], "logs": [""], **changes})


def test_what_came_out_as_wanted_passes():
    check(WANTED, outcome(), "here")


@pytest.mark.parametrize(
    "changes",
    [
        {"results": [{**GOOD, "reward": 1.0}]},
        {"results": [{**GOOD, "status": "failed"}]},
        {"results": [None]},
        {"results": []},
        {"outputs": ["nothing\n"]},
        {"undone": ["train.py did not end"]},
    ],
)
def test_anything_else_does_not(changes):
    with pytest.raises(AssertionError):
        check(WANTED, outcome(**changes), "here")


def test_requests_compare_without_their_order():
    one, two = ({"messages": [user(text)], "temperature": 0.5} for text in "ab")
    warm = {**two, "temperature": 1.0}
    assert Outcome(requests=[one, two]).same("questions") == Outcome(requests=[warm, one]).same(
        "questions"
    )
    assert Outcome(requests=[one, two]).same("temperatures") != Outcome(requests=[one, warm]).same(
        "temperatures"
    )
    assert Outcome(requests=[one]).same("questions") != Outcome(requests=[one, one]).same(
        "questions"
    )
