"""Files that are no Python, through the command: written, undone, chosen by rule, passed over."""

from __future__ import annotations

import json

import pytest

from codemods import source
from tests.cli.conftest import LEGACY

SHIM = "from agentlightning import Trainer\nTrainer().fit(agent, url)\n"
SCRIPT = b"python train.py --trainer.n-workers 4  # agentlightning\r\n"
README = b"# Use\n\n```python\nfrom agentlightning import Trainer\nTrainer(n_workers=8)\n```\n"


def notebook(*cells: str) -> bytes:
    document = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": 1,
                "metadata": {"b": 1, "a": 2},
                "outputs": [{"text": ["n_workers\n"]}],
                "source": cell.splitlines(keepends=True),
            }
            for cell in cells
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1).encode()


@pytest.fixture
def files(work):
    """One legacy file of each kind; the bytes before and after a run, by name."""
    cells = ("from agentlightning import Trainer", "trainer = Trainer(n_workers=8)")
    before = {
        "nb.ipynb": notebook(*cells),
        "README.md": README,
        "train.sh": SCRIPT,
        "conf.yaml": b"_target_: agentlightning.Trainer\nn_workers: 8\n",
        "requirements.txt": b"agentlightning==0.1.2\n",
    }
    for name, data in before.items():
        (work / name).write_bytes(data)
    after = {
        name: data.replace(b"Trainer(n_workers", b"Trainer(n_runners")
        .replace(b"--trainer.n-workers", b"--trainer.n-runners")
        .replace(b"\nn_workers:", b"\nn_runners:")
        .replace(b"==0.1.2", b">=0.3,<1.0")
        for name, data in before.items()
    }
    return before, after


def test_run_and_undo(work, files, invoke):
    before, after = files
    assert invoke("run", ".").code == 0
    assert {name: (work / name).read_bytes() for name in before} == after
    again = invoke("run", ".")
    assert again.code == 0
    assert {name: (work / name).read_bytes() for name in before} == after
    assert invoke("run", "--undo").code == 0
    assert {name: (work / name).read_bytes() for name in before} == before


def test_check_and_diff_write_nothing(work, files, invoke):
    before, _ = files
    checked = invoke("check", ".")
    assert checked.code == 1
    assert checked.out.count("[*]") == 5
    shown = invoke("run", "--diff", ".")
    assert shown.out.count("\n--- a/") == 5
    assert {name: (work / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("option", "names"),
    [
        (("--select", "AGL125"), {"train.sh"}),
        (("--select", "AGL201"), {"nb.ipynb", "README.md"}),
        (("--ignore", "AGL201,AGL124,AGL125"), {"conf.yaml"}),
        (("--safe-only",), {"train.sh"}),
    ],
)
def test_rules_are_chosen(work, files, invoke, option, names):
    before, _ = files
    invoke("run", *option, ".")
    assert {name for name, data in before.items() if (work / name).read_bytes() != data} == names


def test_rules_that_are_ignored_in_some_files(work, files, invoke):
    before, _ = files
    settings = '[tool.agl-migrate.per-file-ignores]\n"*.md" = ["AGL201"]\n"*.sh" = ["ALL"]\n'
    (work / "pyproject.toml").write_text(settings)
    invoke("run", ".")
    kept = {name for name, data in before.items() if (work / name).read_bytes() == data}
    assert kept == {"README.md", "train.sh"}


@pytest.mark.parametrize("code", ["train.py", "train.ipynb"])
def test_code_that_calls_helpers_requires_the_runtime(work, invoke, code):
    data = SHIM.encode() if code.endswith(".py") else notebook(SHIM)
    (work / code).write_bytes(data)
    (work / "requirements.txt").write_text("agentlightning>=0.3,<1.0\n")
    assert invoke("run", ".").code in (0, 1)
    assert b"agentlightning_compat" in (work / code).read_bytes()
    listed = (work / "requirements.txt").read_text()
    assert listed == "agentlightning>=0.3,<1.0\nagentlightning-compat\n"


def test_a_script_that_needs_the_runtime_too_is_named(work, invoke):
    (work / "train.py").write_text(SHIM)
    (work / "setup.py").write_text('setup(install_requires=["agentlightning==0.1.2"])\n')
    alone = invoke("run", "--diff", ".").err
    assert "Your project needs agentlightning-compat" in alone
    (work / "requirements.txt").write_text("agentlightning>=0.3,<1.0\n")
    shown = invoke("run", ".").out
    assert "is added to requirements.txt." in shown
    assert "Add it by hand to setup.py." in shown


def test_files_without_a_word_of_it_are_not_decoded(work, invoke, monkeypatch):
    (work / "a.md").write_bytes(b"# nothing \xff here\n")
    (work / "b.ipynb").write_bytes(b"{ not JSON")
    decoded = []

    def watched(path, data, **options):
        decoded.append(path)
        return original(path, data, **options)

    original = source.decode
    monkeypatch.setattr("codemods.formats.scan.decode", watched)
    assert invoke("check", ".").code == 0
    assert decoded == []
    (work / "c.sh").write_bytes(SCRIPT)
    assert invoke("check", ".").code == 1
    assert decoded == ["c.sh"]


def test_a_notebook_that_is_broken_spoils_no_other_file(work, invoke):
    (work / "b.ipynb").write_bytes(b'{"cells": [\n"agentlightning",\n}')
    (work / "x.py").write_text(LEGACY)
    result = invoke("run", ".")
    assert result.code == 2
    assert "b.ipynb:3" in result.err
    assert "n_runners" in (work / "x.py").read_text()


def test_names_are_resolved_into_the_project(work, invoke):
    (work / "agents.py").write_text(
        "from agentlightning import Trainer\nclass MyTrainer(Trainer):\n    pass\n"
    )
    cells = ("# agentlightning\nfrom agents import MyTrainer", "MyTrainer(n_workers=3)")
    (work / "nb.ipynb").write_bytes(notebook(*cells))
    invoke("run", ".")
    assert b"MyTrainer(n_runners=3)" in (work / "nb.ipynb").read_bytes()
