"""The bar on a terminal: what else is written stays whole, and nothing of the bar is left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

import agentlightning_compat as agl
from agentlightning_compat.trainer.progress import Progress, State

ROOT = Path(__file__).parents[2]
COLUMNS = 80
_CONTROL = re.compile(r"\x1b\[\??([0-9;]*)([A-Za-z])|(.)", re.DOTALL)

_PROGRAM = """
import logging, sys
from agentlightning_compat import setup_logging
from agentlightning_compat.trainer.progress import State
from agentlightning_compat.trainer.terminal_bar import shown

if "rich" in sys.argv:
    setup_logging("INFO")
else:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("agentlightning_compat.test")
log.info("logged before")
with shown() as bar:
    assert (bar is None) == ("plain" in sys.argv)
    state = State(queued=1200, running=64, succeeded=10_000, failed=321, rewards=[-0.12345], rate=123.4)
    for number in range(3):
        log.info("logged %d", number)
        print("printed", number, flush=True)
        if bar is not None:
            bar.update(state.done, 11_585, state.short())
log.info("logged after")
"""


def screen(data: str) -> list[str]:
    """The lines that a terminal shows after these bytes."""
    lines, row, column = [""], 0, 0
    for found in _CONTROL.finditer(data):
        amount, action, sign = found.groups()
        if action == "A":
            row = max(row - int(amount or 1), 0)
        elif action == "K":
            lines[row] = ""
        elif sign == "\r":
            column = 0
        elif sign == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif sign:
            before = lines[row].ljust(column)
            lines[row] = before[:column] + sign + before[column + 1 :]
            column += 1
    return lines


def on_terminal(*arguments: str, printed_elsewhere: bool = False) -> tuple[str, str]:
    """What the program writes to its terminal, and to a pipe that is its standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if printed_elsewhere else theirs,
        stderr=theirs,
        env={**clean, "TERM": "xterm", "PYTHONPATH": str(ROOT)},
    )
    os.close(theirs)
    parts = []
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
        while part := os.read(ours, 65536):
            parts.append(part)
    os.close(ours)
    printed = process.communicate(timeout=60)[0] or b""
    shown = b"".join(parts).decode()
    assert process.returncode == 0, shown
    return shown, printed.decode()


LINES = ["logged before", *(f"{w} {n}" for n in range(3) for w in ("logged", "printed"))]
LINES.append("logged after")


def test_what_is_written_meanwhile_stays_and_the_bar_goes() -> None:
    shown, _ = on_terminal()
    assert "10321/11585 done" in shown
    assert [line for line in screen(shown) if line] == LINES


def test_the_bar_and_its_text_fit_into_eighty_columns() -> None:
    frames = re.findall(r"[^\r\n]*10321/11585 done[^\r\n]*", on_terminal()[0])
    assert frames
    for frame in frames:
        (line,) = (line for line in screen(frame) if "done" in line)
        assert "mean reward -0.123, 123/s" in line
        assert len(line) <= COLUMNS


def test_records_of_richs_own_handler() -> None:
    shown, _ = on_terminal("rich")
    found = [line for line in screen(shown) if line]
    assert len(found) == len(LINES)
    assert all(wanted in line for wanted, line in zip(LINES, found, strict=True))


def test_what_is_printed_to_a_pipe_goes_there() -> None:
    shown, printed = on_terminal(printed_elsewhere=True)
    assert printed.splitlines() == ["printed 0", "printed 1", "printed 2"]
    assert [line for line in screen(shown) if line] == [x for x in LINES if "printed" not in x]


def test_no_bar_without_a_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "plain"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
    )
    assert done.stderr.splitlines() == [line for line in LINES if "logged" in line]


async def test_a_reward_that_cannot_be_read_ends_no_telling() -> None:
    store = agl.InMemoryLightningStore()
    progress = Progress(store)
    await progress.begin()
    made = await store.start_rollout(1)
    key = made.rollout_id, made.attempt.attempt_id
    core = agl.emit_annotation({"agentlightning.reward.0.value": 1.0}, propagate=False)
    ids = {"rollout_id": key[0], "attempt_id": key[1], "sequence_id": 1}
    await store.add_span(agl.Span.from_core_fields(core, **ids))
    await store.update_attempt(*key, status="succeeded")
    state = await progress.look()
    assert (state.done, state.rewards) == (1, [])


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (State(queued=3), "0/3 done, 0 running, 0/s"),
        (
            State(running=2, succeeded=5, failed=1, rate=0.256),
            "6/8 done, 1 failed, 2 running, 0.256/s",
        ),
        (
            State(succeeded=1, rewards=[0.5, 1.0], rate=2),
            "1/1 done, 0 running, mean reward 0.75, 2/s",
        ),
    ],
)
def test_the_text_of_the_bar(state, text) -> None:
    assert state.short() == text
