"""Run the two commands that README.md promises, just as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commands() -> list[str]:
    """The fenced shell blocks that are marked as the README's commands."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"<!-- command -->\s*```(?:sh|bash)\n(.*?)```", text, flags=re.DOTALL)


def main() -> int:
    """Run each; the tests' own exit code decides."""
    found = commands()
    assert len(found) == 2, "README.md has to show two commands"
    for command in found:
        print(f"\n== {command.strip()}", flush=True)
        code = subprocess.run(["bash", "-euc", command], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
