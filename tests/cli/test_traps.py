"""What tools of this kind get wrong, through the real command."""

import os

import pytest

from tests.cli.conftest import LEGACY, MIGRATED

ODD = {
    "newline.py": (LEGACY.rstrip("\n"), MIGRATED.rstrip("\n")),
    "crlf.py": (LEGACY.replace("\n", "\r\n"), MIGRATED.replace("\n", "\r\n")),
    "carriage.py": (LEGACY.replace("\n", "\r"), MIGRATED.replace("\n", "\r")),
    "größe und ähnliches.py": (LEGACY + "x = 'ü'\n", MIGRATED + "x = 'ü'\n"),
    "form\x0cfeed.py": (LEGACY + "x = 1\x0c\n", MIGRATED + "x = 1\x0c\n"),
    "mark.py": ("\ufeff" + LEGACY, "\ufeff" + MIGRATED),
    "markup.py": (
        LEGACY.replace("4)", "4)  # [bold]not markup[/bold] " + "wide " * 60),
        MIGRATED.replace("4)", "4)  # [bold]not markup[/bold] " + "wide " * 60),
    ),
    "separators.py": (
        LEGACY + "x = '''\u2028\x85\x1c'''\n",
        MIGRATED + "x = '''\u2028\x85\x1c'''\n",
    ),
}


@pytest.fixture
def odd_files(work):
    for name, (before, _) in ODD.items():
        (work / name).write_bytes(before.encode())


def contents(work):
    return {p.name: p.read_bytes().decode() for p in work.iterdir() if p.suffix == ".py"}


def test_git_takes_the_patch_of_odd_files(work, odd_files, command, repository):
    done = command("run", "--diff")
    assert done.code == 1
    assert contents(work) == {name: before for name, (before, _) in ODD.items()}
    repository("apply", data=done.out.encode())
    assert contents(work) == {name: after for name, (_, after) in ODD.items()}


def test_odd_files_are_rewritten_in_place_and_come_back(work, odd_files, command):
    assert command("run").code == 0
    assert contents(work) == {name: after for name, (_, after) in ODD.items()}
    assert command("run", "--undo").code == 0
    assert contents(work) == {name: before for name, (before, _) in ODD.items()}


def test_a_patch_for_a_person_has_colours(work, invoke, monkeypatch):
    (work / "a.py").write_text(LEGACY)
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = invoke("run", "--diff").out
    assert "\x1b[31m-trainer = Trainer(n_workers=4)\x1b[0m" in shown
    assert "\x1b[32m+trainer = Trainer(n_runners=4)\x1b[0m" in shown


@pytest.mark.parametrize("arguments", [("check",), ("run", "--diff"), ("run", "--undo")])
def test_nothing_is_left_behind_by_what_writes_nothing(work, invoke, arguments):
    (work / "a.py").write_text(LEGACY)
    invoke(*arguments)
    assert [p.name for p in work.parent.rglob("*") if p.is_file()] == ["pyproject.toml", "a.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (  # LibCST loses the blank in front of a colon, and the parentheses of a target
            "import agentlightning as agl\n"
            "try:\n    (x): int = 1\n    agl.Trainer( n_workers = 4 )\n"
            "except ValueError :\n    pass\n",
            "import agentlightning as agl\n"
            "try:\n    (x): int = 1\n    agl.Trainer( n_runners = 4 )\n"
            "except ValueError :\n    pass\n",
        ),
        (
            "import agentlightning as agl\n"
            "class A(agl.LitAgent):\n"
            "    def training_rollout(self, task, rollout_id, resources) :\n"
            "        try: (x): float = 1.0\n"
            "        except ValueError : raise\n"
            "        return x\n",
            "import agentlightning as agl\n"
            "class A(agl.LitAgent):\n"
            "    def rollout(self, task, resources, rollout) :\n"
            "        try: (x): float = 1.0\n"
            "        except ValueError : raise\n"
            "        return x\n",
        ),
        (
            "from typing import Literal\n\nfrom agentlightning import Trainer as T\n\n"
            "x: Literal['and', 'Trainer(n_workers=4)', 'not code ('] = 'and'\n"
            "T(n_workers=3)\n",
            "from typing import Literal\n\nfrom agentlightning import Trainer as T\n\n"
            "x: Literal['and', 'Trainer(n_workers=4)', 'not code ('] = 'and'\n"
            "T(n_runners=3)\n",
        ),
        (
            "from agentlightning import Trainer as T\n"
            "from agentlightning.tracer.triplet import TripletExporter as E\n\n"
            "T(n_workers=len([T(max_tasks=1)]), triplet_exporter=E())\n",
            "from agentlightning import TracerTraceToTriplet as E, Trainer as T\n\n"
            "T(n_runners=len([T(max_rollouts=1)]), adapter=E())\n",
        ),
    ],
)
def test_one_run_is_enough_and_touches_nothing_else(work, command, before, after):
    (work / "a.py").write_text(before)
    command("run")
    text = (work / "a.py").read_text()
    assert text.replace("rollout: agl.Rollout", "rollout") == after
    command("run")
    assert (work / "a.py").read_text() == text


def test_folders_that_are_not_the_users(work, command, repository):
    for name in ("node_modules", "site-packages", ".venv", "ignored", "env", "src"):
        (work / name).mkdir()
        (work / name / "a.py").write_text(LEGACY)
    (work / "env" / "pyvenv.cfg").write_text("")
    (work / ".gitignore").write_text("/ignored\n")
    (work / "src" / "loop").symlink_to("..")
    (work / "src" / "self").symlink_to("self")
    (work / "src" / "stub.pyi").write_text(LEGACY)
    repository("add", "src", ".gitignore")
    repository("commit", "-qm", "start")
    done = command("run")
    assert (done.code, done.err) == (0, "")
    changed = {str(p.relative_to(work)) for p in work.rglob("*.py*") if p.read_text() == MIGRATED}
    assert changed == {os.path.join("src", "a.py"), os.path.join("src", "stub.pyi")}


def test_a_vendored_fork_is_left_alone(work, command):
    fork = work / "agentlightning"
    fork.mkdir()
    for name in ("__init__", "trainer", "litagent", "client", "server", "types", "runner"):
        (fork / f"{name}.py").write_text("import agentlightning\n" + LEGACY)
    (work / "a.py").write_text(LEGACY)
    done = command("run")
    assert "agentlightning: skipped: a copy of the framework itself" in done.err
    assert (fork / "client.py").read_text() == "import agentlightning\n" + LEGACY
    assert (work / "a.py").read_text() == MIGRATED


def test_look_alikes_are_left_alone(work, command):
    text = (
        "import agentlightning\n"
        "import lightning\n\n"
        "class Trainer:\n    def __init__(self, n_workers=1):\n        self.n_workers = n_workers\n\n"
        "class Plain:\n    def training_rollout(self, task, steps):\n        return 1\n\n"
        "def reward(x):\n    return x\n\n"
        "Trainer(n_workers=3)\n"
        "lightning.Trainer(max_epochs=3).fit(Plain(), 'http://localhost')\n"
        "print(reward(1), 'n_workers', Plain().training_rollout(1, 2))\n"
    )
    (work / "a.py").write_text(text)
    done = command("run")
    assert (done.code, done.out) == (0, "No legacy use in 1 file.\n")
    assert (work / "a.py").read_text() == text


def test_an_agent_over_three_files(work, command):
    (work / "base.py").write_text(
        "import agentlightning as agl\n\nclass Base(agl.LitAgent):\n    pass\n"
    )
    (work / "middle.py").write_text("from base import Base\n\nclass Middle(Base):\n    pass\n")
    (work / "leaf.py").write_text(
        "from middle import Middle\n\n"
        "class Leaf(Middle):\n"
        "    def training_rollout(self, task, rollout_id, resources):\n"
        "        return 1.0\n"
    )
    assert command("run").code == 0
    assert "def rollout(self, task, resources, rollout" in (work / "leaf.py").read_text()
