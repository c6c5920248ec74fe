"""Diffs are patches: what git and patch make of them is the new file, byte for byte."""

import difflib
import os
import subprocess
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codemods.output.diff import _few, colour, unified_diff

_TOOLS = {
    "git": ["git", "apply", "--whitespace=nowarn", "--unsafe-paths", "-"],
    "patch": ["patch", "-p1", "--force", "--silent", "--no-backup-if-mismatch"],
}


def _apply(folder, tool, name, before, after):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(before)
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(
        _TOOLS[tool],
        cwd=folder,
        input=unified_diff(name, before, after),
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return path.read_bytes() if path.exists() else None


def test_no_change_is_no_diff():
    assert unified_diff("a.py", b"a\n", b"a\n") == b""


def test_looks_as_a_person_expects():
    before = "".join(f"line {n}\n" for n in range(1, 21))
    after = before.replace("line 3\n", "LINE 3\nmore\n").replace("line 18\n", "")
    assert unified_diff("pkg/a.py", before, after).decode().splitlines() == [
        "diff --git a/pkg/a.py b/pkg/a.py",
        "--- a/pkg/a.py",
        "+++ b/pkg/a.py",
        "@@ -1,6 +1,7 @@",
        " line 1",
        " line 2",
        "-line 3",
        "+LINE 3",
        "+more",
        " line 4",
        " line 5",
        " line 6",
        "@@ -15,6 +16,5 @@",
        " line 15",
        " line 16",
        " line 17",
        "-line 18",
        " line 19",
        " line 20",
    ]


def test_changes_that_are_near_share_a_hunk():
    lines = [f"{n}\n" for n in range(20)]
    near, far = lines.copy(), lines.copy()
    near[2] = near[9] = "x\n"
    far[2] = far[10] = "x\n"
    assert unified_diff("a", "".join(lines), "".join(near)).count(b"@@ -") == 1
    assert unified_diff("a", "".join(lines), "".join(far)).count(b"@@ -") == 2


def test_long_lines_and_markup_are_kept():
    line = "x = '[bold]" + "long " * 100 + "[/bold]'\n"
    assert f"+{line}".encode() in unified_diff("a.py", "", line)


def test_a_missing_last_newline_is_told():
    assert unified_diff("a.py", "a", "a\n").endswith(b"-a\n\\ No newline at end of file\n+a\n")


@pytest.mark.parametrize("tool", _TOOLS)
@pytest.mark.parametrize(
    "name",
    [
        b"a b.py",
        b"a  b c.py",
        "é→.py".encode(),
        b"a\tb.py",
        b'a"b.py',
        b"a\\b.py",
        b"a\x07\x1b\x7fb.py",
        b"\xff.py",
        b'a "b".py',
        b"sub dir/a.py",
    ],
)
def test_odd_names(tmp_path, tool, name):
    assert _apply(tmp_path, tool, os.fsdecode(name), b"a\nb\n", b"a\nc\n") == b"a\nc\n"


@pytest.mark.parametrize("tool", _TOOLS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"a\n"),
        (b"", b"a"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"a\r\nb", b"a\nb\r\n"),
        (b"a\rb\nc", b"a\rx\nc"),
        (b"a\x0cb\x1cc\n\xe2\x80\xa8\n", b"a\x0cB\x1cc\n\xe2\x80\xa8\n"),
        (b"x = '\xe9'\n", b"y = '\xe9'\n"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
        (b"--- a\n+++ b\n@@ -1 +1 @@\n", b"-- a\n++ b\n@@ -1 +1 @@\n\n"),
    ],
)
def test_bytes_that_tools_get_wrong(tmp_path, tool, before, after):
    assert _apply(tmp_path, tool, "a.py", before, after) == after


def test_an_emptied_file(tmp_path):
    assert _apply(tmp_path, "git", "a.py", b"a\n", b"") == b""


_PIECES = ["a", "b", "c\n", "\n", "\r\n", "\r", "\x0c", "\x1c", "\x85", "-", "+", "\\", " ", "é"]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=_TEXTS, after=_TEXTS, encoding=st.sampled_from(["utf-8", "latin-1"]))
def test_git_makes_the_new_file_of_any_texts(tmp_path_factory, before, after, encoding):
    old, new = before.encode(encoding), after.encode(encoding)
    if old != new:
        assert _apply(tmp_path_factory.mktemp("git"), "git", "a.py", old, new) == new


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lines=st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "d\n"]), min_size=1, max_size=60),
    edits=st.lists(
        st.tuples(st.integers(0, 59), st.sampled_from(["", "x\n", "a\nb\n"])), max_size=4
    ),
)
@pytest.mark.parametrize("tool", _TOOLS)
def test_edits_of_a_file_with_many_equal_lines(tmp_path_factory, tool, lines, edits):
    changed = lines.copy()
    for place, text in edits:
        changed[place % len(lines)] = text
    before, after = "".join(lines).encode(), "".join(changed).encode()
    if before != after and after:
        assert _apply(tmp_path_factory.mktemp("any"), tool, "a.py", before, after) == after


def test_a_large_file_is_no_burden():
    lines = [f"x{n % 50} = {n % 7}\n" for n in range(100_000)]
    changed = lines.copy()
    for place in (0, 50_000, 99_999):
        changed[place] = "other\n"
    start = time.process_time()
    diff = unified_diff("a.py", "".join(lines), "".join(changed))
    assert time.process_time() - start < 2
    assert diff.count(b"\n+other\n") == 3


_FEW = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=25)


@given(old=_FEW, new=_FEW)
def test_the_search_for_few_changes_finds_the_fewest(old, new):
    blocks = _few(old, new)
    result, at = [], 0
    for block in blocks:
        result += old[at : block.start] + new[block.new_start : block.new_end]
        at = block.end
    assert result + old[at:] == new
    changed = sum(b.end - b.start + b.new_end - b.new_start for b in blocks)
    matches = difflib.SequenceMatcher(None, old, new).get_matching_blocks()
    assert changed <= len(old) + len(new) - 2 * sum(match.size for match in matches)


@pytest.mark.parametrize("tool", _TOOLS)
def test_a_long_file_with_few_and_with_many_changes(tmp_path, tool):
    lines = [f"x{n % 50}\n" for n in range(3000)]
    for every in (500, 10):
        changed = [f"y{n}\n" if n % every == 0 else line for n, line in enumerate(lines)]
        before, after = "".join(lines).encode(), "".join(changed).encode()
        assert _apply(tmp_path, tool, "a.py", before, after) == after


class TestColour:
    def test_taking_the_colours_away_gives_the_diff(self):
        diff = unified_diff("a.py", "-- a\r\nb\n@@ x\n", "++ a\r\nb\n@@ y")
        plain = colour(diff)
        for code in (b"\x1b[0m", b"\x1b[1m", b"\x1b[31m", b"\x1b[32m", b"\x1b[36m"):
            assert code in plain
            plain = plain.replace(code, b"")
        assert plain == diff

    def test_lines_that_look_like_a_head_are_coloured_as_what_they_are(self):
        diff = colour(unified_diff("a.py", "-- x\n", "++ y\n"))
        assert b"\x1b[31m--- x\x1b[0m\n" in diff
        assert b"\x1b[32m+++ y\x1b[0m\n" in diff

    def test_a_carriage_return_is_outside_of_the_colour(self):
        assert b"\x1b[32m+b\x1b[0m\r\n" in colour(unified_diff("a.py", "a\r\n", "b\r\n"))
