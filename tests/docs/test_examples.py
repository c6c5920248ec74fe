"""The programs in README.md and MIGRATION.md do what they are there for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agentlightning_compat import SqliteLightningStore, find_final_reward

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"<!-- example: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
EXAMPLES = {
    name: text
    for page in ("README.md", "MIGRATION.md")
    for name, text in MARKED.findall((ROOT / page).read_text(encoding="utf-8"))
}
# What each prints, all of it.
PRINTED = {
    "train": "",
    "algorithm": "why succeeded 4.0\nhow succeeded 4.0\n",
    "runner": "100 succeeded, 0 failed, 0 running, mean reward 0.5\n",
    "migrated": "",
    "bridge": "[1.0, 1.0, 1.0]\n",
    "helpers": "{'x': 1, 'y': 2} val agentlightning_compat\n",
}


def test_all_that_run_this_package_are_marked() -> None:
    assert set(EXAMPLES) == set(PRINTED)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert {one for one in programs if "agentlightning_compat" in one} <= set(EXAMPLES.values())


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_an_example_runs(name, tmp_path) -> None:
    done = run(name, tmp_path)
    assert (done.returncode, done.stdout) == (0, PRINTED[name]), done.stderr
    assert "Traceback" not in done.stderr


async def test_the_first_one_leaves_its_rollouts_in_the_file(tmp_path) -> None:
    assert run("train", tmp_path).returncode == 0
    async with SqliteLightningStore(tmp_path / "rollouts.db") as store:
        found = await store.query_rollouts()
        rewards = [find_final_reward(await store.query_spans(one.rollout_id)) for one in found]
    assert [one.status for one in found] == ["succeeded"] * 2
    assert rewards == [1.0, 0.0]


def run(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = folder / f"{name}.py"
    program.write_text(EXAMPLES[name], encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(program)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AGL_SPOOL": str(folder / "spool")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
