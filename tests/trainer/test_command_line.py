"""Objects from the command line."""

from __future__ import annotations

import sys
from typing import Any, Literal, Optional

import pytest

import agentlightning_compat as agl


class Part:
    def __init__(  # noqa: PLR0917
        self,
        size: int,
        rate: float = 0.5,
        name: Optional[str] = None,  # noqa: UP045, as many write it
        loud: bool = False,
        tags: list[int] | None = None,
        mode: Literal["fast", "slow"] = "fast",
        limit: int | None = 3,
        spec: str | dict[str, Any] | None = None,
        plain="x",
        *rest: Any,
        **more: Any,
    ) -> None:
        self.more = (rest, more)
        self.given = {
            "size": size,
            "rate": rate,
            "name": name,
            "loud": loud,
            "tags": tags,
            "mode": mode,
            "limit": limit,
            "spec": spec,
            "plain": plain,
        }


class Other:
    def __init__(self, size: int = 1) -> None:
        self.size = size


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["program", *arguments])


def test_what_is_not_given_is_the_default(monkeypatch) -> None:
    call(monkeypatch, "--part.size", "4")
    assert agl.lightning_cli(Part).given == {
        "size": 4,
        "rate": 0.5,
        "name": None,
        "loud": False,
        "tags": None,
        "mode": "fast",
        "limit": 3,
        "spec": None,
        "plain": "x",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("rate", ["2"], 2.0),
        ("name", ["none"], None),
        ("name", ["Ada"], "Ada"),
        ("loud", ["yes"], True),
        ("loud", ["FALSE"], False),
        ("tags", ["1", "2"], [1, 2]),
        ("tags", [], []),
        ("mode", ["slow"], "slow"),
        ("limit", ["null"], None),
        ("limit", ["7"], 7),
        ("spec", ["a.b.C"], "a.b.C"),
        ("spec", ['{"type": "a.b.C", "n": 1}'], {"type": "a.b.C", "n": 1}),
        ("plain", ["3"], "3"),
    ],
)
def test_values(monkeypatch, name, text, value) -> None:
    call(monkeypatch, "--part.size", "1", f"--part.{name}", *text)
    assert agl.lightning_cli(Part).given[name] == value


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "required: --part.size"),
        (["--part.size", "many"], "many"),
        (["--part.size", "1", "--part.loud", "maybe"], "neither yes nor no"),
        (["--part.size", "1", "--part.mode", "odd"], "none of fast, slow"),
        (["--part.size", "1", "--part.spec", "{oops"], "no JSON"),
        (["--part.size", "1", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_what_makes_no_sense(monkeypatch, capsys, arguments, text) -> None:
    call(monkeypatch, *arguments)
    with pytest.raises(SystemExit) as ended:
        agl.lightning_cli(Part)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_several_classes(monkeypatch) -> None:
    call(monkeypatch, "--part.size", "4", "--other.size", "5")
    part, other = agl.lightning_cli(Part, Other)
    assert (part.given["size"], other.size) == (4, 5)
    assert agl.lightning_cli() == ()


def test_a_trainer(monkeypatch) -> None:
    call(
        monkeypatch,
        *["--trainer.n-runners", "2", "--trainer.strategy", "shm", "--trainer.max-rollouts", "3"],
        *["--trainer.tracer", "agentlightning.DummyTracer"],
        *["--trainer.adapter", '{"agent_match": "solver"}'],
    )
    made = agl.lightning_cli(agl.Trainer)
    assert (made.n_runners, made.max_rollouts, made.strategy.alias) == (2, 3, "shm")
    assert made.adapter.agent_match == "solver"


def test_help_names_all(monkeypatch, capsys) -> None:
    call(monkeypatch, "--help")
    with pytest.raises(SystemExit) as ended:
        agl.lightning_cli(Part, Other)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"--part.{name}" in shown for name in ("size", "tags", "mode", "plain"))
    assert "--other.size" in shown
