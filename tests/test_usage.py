"""Which legacy names ran, from where, how often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import warnings
from collections import Counter
from pathlib import Path

import pytest

from agentlightning_compat import usage

ROOT = Path(__file__).parent.parent


@pytest.fixture
def noted():
    uses = usage.start()
    yield uses
    usage.stop()


@pytest.fixture
def inside(monkeypatch):
    """`old` called from a line of this package."""
    code = compile("def call(f, *a):\n    f(*a)\n", usage._OURS + "inner.py", "exec")
    space: dict = {"__name__": "agentlightning_compat.inner"}
    exec(code, space)
    return space["call"]


def test_a_use_is_warned_about_once_at_the_users_line(noted, inside):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            inside(usage.note, "agentlightning.x", "Use y.")
        inside(usage.note, "agentlightning.x", "Use y.")
    assert [(w.category, w.filename) for w in caught] == [(DeprecationWarning, __file__)] * 2
    assert caught[1].lineno == caught[0].lineno + 1
    assert str(caught[0].message).startswith("agentlightning.x is of")
    assert str(caught[0].message).endswith("Use y.")
    assert sorted(noted.counts().values()) == [1, 3]


def test_nothing_is_noted_unless_asked_for(inside):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside(usage.note, "agentlightning.x")


def run(tmp_path, text, *arguments):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    report = tmp_path / "usage.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "REPORT": str(report)}
    subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *arguments],
        env=environment,
        check=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    total: Counter[tuple[str, str, int]] = Counter()
    for line in lines:
        total[line["symbol"], line["file"], line["line"]] += line["count"]
    return dict(total), str(script)


def test_the_report_has_all_uses_with_their_counts(tmp_path):
    found, script = run(
        tmp_path,
        """\
        import os
        from agentlightning_compat import usage
        usage.start(os.environ["REPORT"])
        for _ in range(5):
            usage.note("a")
        usage.note("b")
        """,
    )
    assert found == {("a", script, 5): 5, ("b", script, 6): 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_every_process_of_a_program_adds_to_the_report(tmp_path):
    found, script = run(
        tmp_path,
        """\
        import multiprocessing, os
        from agentlightning_compat import usage
        usage.start(os.environ["REPORT"])
        def work():
            for _ in range(4):
                usage.note("child")
        usage.note("parent")
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=work) for _ in range(3)]
        for child in children: child.start()
        for child in children: child.join()
        """,
    )
    assert found == {("parent", script, 7): 1, ("child", script, 6): 12}


def test_a_process_that_is_killed_has_told_what_it_used(tmp_path):
    found, script = run(
        tmp_path,
        """\
        import os, signal, subprocess, sys
        if len(sys.argv) == 1:
            child = subprocess.run([sys.executable, __file__, "child"])
            assert child.returncode == -signal.SIGKILL
        else:
            from agentlightning_compat import usage
            usage.start(os.environ["REPORT"])
            usage.note("a")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert found == {("a", script, 8): 1}
