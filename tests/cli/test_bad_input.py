import os
import subprocess
import sys

import pytest

from codemods import survey, transaction
from codemods.applying import RewriteError
from codemods.cli import rewriting
from codemods.names.module import Module
from codemods.rules.agl201_trainer_arguments import TrainerArguments
from tests.cli.conftest import LEGACY, MIGRATED, environment


@pytest.fixture
def beside(work):
    """A good file, which has to be migrated whatever else is there."""
    good = work / "good.py"
    good.write_text(LEGACY)
    yield good
    assert good.read_text() == MIGRATED


BAD_PYTHON = pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"import agentlightning\nx = (\n", 2, "syntax error"),
        (b"import agentlightning\nprint 'hello'\n", 2, "Python 2"),
        (b"import agentlightning\ntry:\n    x\nexcept E, e:\n    y\n", 4, "Python 2"),
        (b"import agentlightning\nx = 0777\n", 2, "Python 2"),
        (b"# coding: utf-9\nimport agentlightning\n", 1, "utf-9"),
        (b"# coding: ascii\nimport agentlightning\nx = '\xc3\xa4'\n", 3, "ascii"),
        (b"import agentlightning\nx = '\xff'\n", 2, "utf-8"),
        (b"import agentlightning\nx = '\0'\n", 2, "null byte"),
    ],
)


@BAD_PYTHON
def test_a_file_that_is_no_python_of_today(work, beside, invoke, data, line, words):
    (work / "bad.py").write_bytes(data)
    result = invoke("run")
    assert result.code == 2
    [complaint] = result.err.splitlines()
    assert complaint.startswith(f"bad.py:{line}: error: ")
    assert words in complaint
    assert (work / "bad.py").read_bytes() == data


@BAD_PYTHON
def test_check_tells_of_it_and_of_the_rest(work, invoke, data, line, words):
    (work / "bad.py").write_bytes(data)
    (work / "good.py").write_text(LEGACY)
    result = invoke("check")
    assert result.code == 2
    [complaint] = result.err.splitlines()
    assert complaint.startswith(f"bad.py:{line}: error: ")
    assert words in complaint
    assert result.out.startswith("good.py:3:19: AGL201")


def test_nesting_that_is_too_deep(work, beside, invoke):
    deep = "import agentlightning\nx = " + "[" * 2000 + "]" * 2000 + "\n"
    (work / "deep.py").write_text(deep)
    result = invoke("run")
    assert result.code == 2
    assert result.err.startswith("deep.py")
    assert "nested" in result.err


@pytest.mark.parametrize(
    "expression", ["+".join(["1"] * 2000), "x" + ".y" * 2000, "x" + "()" * 2000]
)
def test_nesting_that_python_can_parse(work, beside, invoke, expression):
    deep = f"{LEGACY}x = trainer\ny = {expression}\n"
    (work / "deep.py").write_text(deep)
    result = invoke("run")
    text = (work / "deep.py").read_text()
    if result.code == 2:  # said, and left alone
        assert result.err.startswith("deep.py: error: the code is nested too deeply")
        assert text == deep
    else:
        assert text == deep.replace("n_workers", "n_runners")


@pytest.mark.parametrize(
    "value",
    ["+".join(["1"] * 2000), "not " * 1500 + "1", "1 if x else " * 1500 + "2", "'a' " * 2000],
)
def test_nesting_inside_of_what_is_rewritten(work, beside, invoke, value):
    deep = f"from agentlightning import Trainer\n\nx = 1\nTrainer(n_workers={value})\n"
    (work / "deep.py").write_text(deep)
    result = invoke("run")
    if result.code == 0:
        assert (work / "deep.py").read_text() == deep.replace("n_workers", "n_runners")
    else:  # said, and left alone
        told = "deep.py: error: the code is nested too deeply" in result.err
        assert told or "deep.py:4:9: AGL201" in result.out
        assert (work / "deep.py").read_text() == deep


def test_a_long_chain_of_branches(work, beside, invoke):
    branches = "".join(f"elif x == {i}:\n    Trainer(n_workers={i})\n" for i in range(1000))
    text = f"from agentlightning import Trainer\n\nx = 1\nif x:\n    pass\n{branches}"
    (work / "chain.py").write_text(text)
    result = invoke("run")
    if result.code == 0:
        assert (work / "chain.py").read_text() == text.replace("n_workers", "n_runners")
    else:
        assert result.err.startswith("chain.py: error: the code is nested too deeply")


def test_a_generated_file_of_five_megabytes(work, beside, invoke):
    rows = "".join(f"    ({number}, 'row {number}'),\n" for number in range(200_000))
    text = f"{LEGACY}ROWS = [\n{rows}]\n"
    assert len(text) > 5_000_000
    (work / "big.py").write_text(text)
    assert invoke("run").code == 0
    assert (work / "big.py").read_text() == text.replace("n_workers", "n_runners")


def test_a_folder_with_the_name_of_a_file(work, beside, invoke):
    (work / "x.py").mkdir()
    (work / "x.py" / "inner.py").write_text(LEGACY)
    assert invoke("run").code == 0
    assert (work / "x.py" / "inner.py").read_text() == MIGRATED


def test_a_file_that_cannot_be_written(work, beside, invoke, monkeypatch):
    locked = work / "locked.py"
    locked.write_text(LEGACY)
    replace = os.replace

    def refuse(source, target):
        if os.path.basename(target) == "locked.py":
            raise PermissionError(13, "Permission denied", target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse)
    result = invoke("run")
    assert result.code == 2
    assert "locked.py: error: not written: permission denied" in result.err
    assert "Rewrote 1 legacy use in 1 file." in result.out
    assert locked.read_text() == LEGACY
    assert sorted(p.name for p in work.glob("*.py")) == ["good.py", "locked.py"]


def test_a_file_without_the_right_to_write(work, beside, command):
    locked = work / "locked.py"
    locked.write_text(LEGACY)
    locked.chmod(0o444)  # counts for root too, who could write it all the same
    result = command("run")
    assert result.code == 2
    assert result.err == (
        "locked.py: error: not written: the file is read-only; see to that and run again\n"
    )
    assert "Next: see to the errors below" in result.out
    assert locked.read_text() == LEGACY
    assert locked.stat().st_mode & 0o777 == 0o444


def test_a_file_that_goes_away_before_it_is_read(work, beside, invoke, monkeypatch):
    (work / "gone.py").write_text(LEGACY)
    real = survey.discover

    def then_delete(*arguments, **options):
        found = real(*arguments, **options)
        (work / "gone.py").unlink()
        return found

    monkeypatch.setattr(survey, "discover", then_delete)
    result = invoke("run")
    assert (result.code, result.err) == (2, "gone.py: error: not found\n")


def test_a_file_that_goes_away_during_the_run(work, beside, invoke, monkeypatch):
    (work / "gone.py").write_text(LEGACY)
    real = rewriting.work

    def then_delete(job):
        outcome = real(job)
        (work / "gone.py").unlink()
        return outcome

    monkeypatch.setattr(rewriting, "work", then_delete)
    result = invoke("run")
    assert result.code == 2
    assert "gone.py: error: not written: deleted while" in result.err
    assert not (work / "gone.py").exists()


def test_a_file_that_someone_changes_during_the_run(work, beside, invoke, monkeypatch):
    (work / "busy.py").write_text(LEGACY)
    real = rewriting.work

    def then_edit(job):
        outcome = real(job)
        (work / "busy.py").write_text(LEGACY + "# saved just now\n")
        return outcome

    monkeypatch.setattr(rewriting, "work", then_edit)
    result = invoke("run")
    assert result.code == 2
    assert "busy.py: error: not written: changed while" in result.err
    assert (work / "busy.py").read_text() == LEGACY + "# saved just now\n"


def test_a_dangling_link(work, beside, invoke):
    (work / "link.py").symlink_to("nowhere.py")
    result = invoke("run")
    assert result.code == 2
    assert result.err.startswith("link.py: error: ")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_folder_without_any_file(work, invoke, command):
    result = invoke(command)
    assert result.code == 2
    assert result.err.startswith(".: error: no file to look at")
    assert list(work.iterdir()) == []


def test_a_repository_without_a_commit_and_without_a_file(work, command, repository):
    result = command("run")
    assert result.code == 2
    assert result.err.startswith(".: error: no file to look at")
    assert [p.name for p in work.iterdir()] == [".git"]


def test_a_link_that_goes_round(work, beside, command):
    (work / "round.py").symlink_to("round.py")
    (work / "folder").symlink_to(".")
    result = command("run")
    assert result.code == 2
    [complaint] = result.err.splitlines()
    assert complaint.startswith("round.py: error: ")


def test_another_project_file_that_is_broken(work, beside, command):
    text = "[project\ndependencies = ['agentlightning==0.1.2']\n"
    (work / "inner").mkdir()
    (work / "inner" / "pyproject.toml").write_text(text)
    result = command("run")
    assert result.code == 2
    assert result.err.startswith("inner/pyproject.toml:1: error: not valid TOML: ")
    assert (work / "inner" / "pyproject.toml").read_text() == text


def test_a_path_that_is_not_there(work, beside, invoke):
    result = invoke("run", "nope", "good.py")
    assert result.code == 2
    assert "nope: error: not found" in result.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool]\n[tool.agl-migrate\n", "pyproject.toml:2: not valid TOML"),
        ("[tool.agl-migrate]\ntarget = 'pytorch'\n", "pyproject.toml:2: target is one of"),
        ("[tool.agl-migrate]\n\nselct = []\n", "pyproject.toml:3: unknown key 'selct'"),
        ("[tool.agl-migrate]\nselect = ['AGL999']\n", "pyproject.toml:2: unknown rule code"),
        ("[tool.agl-migrate]\nselect = 'AGL1'\n", "pyproject.toml:2: select has to be a list"),
        ("tool = {agl-migrate = 1}\n", "has to be a table"),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_settings_that_cannot_be_used(work, invoke, command, text, words):
    (work / "a.py").write_text(LEGACY)
    (work / "pyproject.toml").write_text(text)
    result = invoke(command)
    assert result.code == 2
    assert "pyproject.toml" in result.err
    assert words in result.err
    assert (work / "a.py").read_text() == LEGACY


def test_a_rule_that_fails_on_one_file(work, beside, invoke, monkeypatch):
    (work / "odd.py").write_text(LEGACY)
    check = TrainerArguments.check

    def fail(self, node, ctx):
        if ctx.module.path.endswith("odd.py"):
            raise KeyError("surprise")
        return check(self, node, ctx)

    monkeypatch.setattr(TrainerArguments, "check", fail)
    result = invoke("run")
    assert result.code == 2
    assert "odd.py: error: internal fault: KeyError: 'surprise'" in result.err
    assert "Traceback" not in result.err
    assert (work / "odd.py").read_text() == LEGACY


def test_an_index_that_fails_on_one_file(work, beside, invoke, monkeypatch):
    (work / "odd.py").write_text(LEGACY)
    prepare = Module.prepare

    def fail(self):
        if self.path.endswith("odd.py"):
            raise KeyError("surprise")
        prepare(self)

    monkeypatch.setattr(Module, "prepare", fail)
    result = invoke("run")
    assert result.code == 2
    assert "odd.py: error: internal fault: KeyError: 'surprise'" in result.err
    assert (work / "odd.py").read_text() == LEGACY


def test_a_rewrite_that_fails_on_one_file(work, beside, invoke, monkeypatch):
    (work / "odd.py").write_text(LEGACY)
    from codemods import workers

    apply = workers.apply

    def fail(ctx, *args, **options):
        if ctx.module.path.endswith("odd.py"):
            raise RewriteError("the rewritten text does not parse")
        return apply(ctx, *args, **options)

    monkeypatch.setattr(workers, "apply", fail)
    result = invoke("run")
    assert result.code == 2
    assert "odd.py: error: internal fault: the rewritten text does not parse" in result.err
    assert "odd.py:3:19: AGL201" in result.out
    assert (work / "odd.py").read_text() == LEGACY


def interrupt_at(name, error):
    def checkpoint(step):
        if step == name:
            raise error

    class Interrupted(transaction.Transaction):
        def __init__(self, root):
            super().__init__(root, checkpoint=checkpoint)

    return Interrupted


@pytest.mark.parametrize("step", ["backup 0", "write 0", "replace 1", "write 1"])
def test_ctrl_c_leaves_no_file_half_written(work, invoke, monkeypatch, step):
    for name in ("a.py", "b.py"):
        (work / name).write_text(LEGACY)
    monkeypatch.setattr(rewriting, "Transaction", interrupt_at(step, KeyboardInterrupt()))
    result = invoke("run")
    assert result.code == 130
    assert "Interrupted" in result.err
    for name in ("a.py", "b.py"):
        assert (work / name).read_text() == LEGACY
    assert sorted(p.name for p in work.iterdir() if p.is_file()) == [
        "a.py",
        "b.py",
    ]


KILLED = """
import os
from codemods import cli, transaction
from codemods.cli import rewriting

class Killed(transaction.Transaction):
    def __init__(self, root):
        super().__init__(root, checkpoint=lambda step: step == "write 1" and os._exit(9))

rewriting.Transaction = Killed
cli.main(["run"])
"""


@pytest.fixture
def killed(work):
    """Two files, and a run that was killed after it had written one of them."""
    for name in ("a.py", "b.py"):
        (work / name).write_text(LEGACY)
    done = subprocess.run([sys.executable, "-c", KILLED], env=environment(), check=False)
    assert done.returncode == 9
    texts = sorted((work / name).read_text() for name in ("a.py", "b.py"))
    assert texts == sorted([LEGACY, MIGRATED])


def test_a_killed_run_is_restored_by_the_next(work, killed, invoke):
    result = invoke("run", "--select", "AGL105")
    assert result.code == 0
    assert "restored after an interrupted run" in result.err
    for name in ("a.py", "b.py"):
        assert (work / name).read_text() == LEGACY


def test_a_killed_run_can_be_undone(work, killed, invoke):
    assert invoke("run", "--undo").code == 0
    for name in ("a.py", "b.py"):
        assert (work / name).read_text() == LEGACY


def test_no_patch_of_a_half_migrated_folder(work, killed, invoke):
    result = invoke("run", "--diff")
    assert result.code == 2
    assert "run --undo" in result.err


def test_a_reader_that_goes_away(work):
    for number in range(400):
        (work / f"a{number}.py").write_text(LEGACY * 10)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "agl_migrate", "check"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_another_format_that_cannot_be_read(work, beside, invoke):
    data = b"# agentlightning \xff\n"
    (work / "notes.md").write_bytes(data)
    result = invoke("run")
    assert result.code == 2
    assert result.err.startswith("notes.md:1: error: ")
    assert (work / "notes.md").read_bytes() == data
