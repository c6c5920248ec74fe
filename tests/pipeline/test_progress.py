import io
import sys

import pytest

from codemods import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """Go through some items with a terminal to draw on; what was drawn."""

    def run(items):
        stream = Terminal()
        with monkeypatch.context() as patch:  # pytest sets streams itself before the test
            patch.setattr(sys, "stderr", stream)
            patch.setenv("TERM", "xterm")
            assert list(progress.track("Reading", items, len(items))) == list(items)
        return stream.getvalue()

    return run


def test_no_bar_where_there_is_no_terminal(monkeypatch):
    items = [1, 2]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert progress.track("Reading", items, 2) is items


def test_no_bar_while_nobody_would_wonder(on_terminal):
    assert on_terminal(range(5)) == ""


def test_a_bar_once_it_takes_long(on_terminal, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    drawn = on_terminal(range(5))
    assert "Reading" in drawn
    assert "100%" in drawn


def test_nothing_to_do(on_terminal, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    assert on_terminal([]) == ""
