"""A legacy program under the shim: its report names what it called, with its own lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """\
import asyncio
from agentlightning import DevTaskLoader, RolloutLegacy
loader = DevTaskLoader(tasks=["a", "b"], resources={})
for _ in range(3):
    task = loader.poll_next_task()
    loader.post_rollout(RolloutLegacy(rollout_id=task.rollout_id))
async def main():
    await loader.poll_next_task_async()
    await asyncio.create_task(loader.get_latest_resources_async())
asyncio.run(main())
from agentlightning import AgentLightningClient
client = AgentLightningClient("http://127.0.0.1:9", timeout=0.1)
print(client.get_latest_resources())
"""


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        check=False,
    )


def test_calls_of_legacy_methods_are_reported_at_the_users_lines(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    report = tmp_path / "usage.json"
    command = ["-m", "agentlightning_compat", "--as", "0.1", "script.py"]
    done = run(tmp_path, *command, AGL_MIGRATE_REPORT=str(report))
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
    uses: Counter[tuple[str, int]] = Counter()
    for line in report.read_text().splitlines():
        use = json.loads(line)
        assert Path(use["file"]).resolve() == tmp_path.resolve() / "script.py"
        uses[use["symbol"].removeprefix("agentlightning.client."), use["line"]] += use["count"]
    calls = {use: count for use, count in uses.items() if not use[0].startswith("agentlightning")}
    assert calls == {
        ("DevTaskLoader", 3): 1,
        ("DevTaskLoader.poll_next_task", 5): 3,
        ("DevTaskLoader.post_rollout", 6): 3,
        ("DevTaskLoader.poll_next_task_async", 8): 1,
        ("DevTaskLoader.get_latest_resources_async", 10): 1,
        ("AgentLightningClient", 12): 1,
        ("AgentLightningClient.get_latest_resources", 13): 1,
    }
    checked = run(
        tmp_path, str(ROOT / "agl_migrate.py"), "check", "script.py", "--usage", "usage.json"
    )
    assert checked.returncode == 1, checked.stderr
    assert "; ran once" in checked.stdout
