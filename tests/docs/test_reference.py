"""MIGRATION.md says what the rules and the API map say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codemods import api_map, reference
from codemods.registry import all_rules

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "MIGRATION.md"


def test_generated_parts_are_up_to_date() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert reference.rendered(text) == text


def test_every_rule_and_every_changed_name_is_in_it() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for rule in all_rules():
        assert f"#### {rule.code}\n" in text
    for symbol in api_map.load().symbols:
        if symbol.change != "same" and not symbol.foreign:
            assert f"| `{symbol.path}` |" in text


def test_a_change_is_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "GUIDE.md"
    copy.write_text(GUIDE.read_text(encoding="utf-8").replace("| safe |", "| unsafe |", 1))
    command = [sys.executable, "-m", "codemods.reference", str(copy)]
    stale = subprocess.run(
        [*command, "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert stale.returncode == 1
    assert "out of date" in stale.stderr
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    assert copy.read_text(encoding="utf-8") == GUIDE.read_text(encoding="utf-8")


def test_missing_markers_are_an_error() -> None:
    with pytest.raises(reference.MarkerError, match="generated: rules"):
        reference.rendered("# nothing here\n")
