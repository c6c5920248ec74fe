"""The tool without its command: `codemods.lint_source`, `codemods.fix_source`, LibCST's own tool."""

import subprocess
import sys

import pytest

import codemods
from codemods.registry import UnknownRule
from tests.cli.conftest import LEGACY, MANUAL, MIGRATED, environment


def test_lint_source_gives_findings_with_their_places():
    [finding] = codemods.lint_source(LEGACY, path="pkg/a.py")
    assert (finding.code, finding.path, finding.line, finding.column) == (
        "AGL201",
        "pkg/a.py",
        3,
        19,
    )
    assert (finding.fixable, finding.fixed) == (True, False)
    assert codemods.lint_source("import os\n") == ()


def test_fix_source_gives_the_text_and_what_became_of_each_finding():
    fixed = codemods.fix_source(LEGACY + MANUAL)
    assert fixed.code == MIGRATED + MANUAL
    assert [(f.code, f.fixed) for f in fixed.findings] == [("AGL201", True), ("AGL105", False)]
    assert codemods.fix_source(fixed.code).code == fixed.code


def test_text_is_kept_where_nothing_is_legacy():
    text = "x =  1\r\ny = '''\x0c'''\r"
    assert codemods.fix_source(text).code == text


@pytest.mark.parametrize("chosen", [{"ignore": ["AGL201"]}, {"select": ["AGL1"]}])
def test_rules_are_chosen_by_code(chosen):
    assert codemods.lint_source(LEGACY, **chosen) == ()
    assert codemods.fix_source(LEGACY, **chosen) == codemods.Fixed(LEGACY, ())


@pytest.mark.parametrize("function", [codemods.lint_source, codemods.fix_source])
def test_what_cannot_be_done_is_an_error(function):
    with pytest.raises(UnknownRule, match="AGL999"):
        function(LEGACY, select=["AGL999"])
    with pytest.raises(SyntaxError):
        function("x = (\n")


def test_safe_only_and_the_other_target():
    moved = "from agentlightning.tracer.triplet import TripletExporter as T\n"
    safe = codemods.fix_source(moved + LEGACY, safe_only=True).code
    assert "import TracerTraceToTriplet as T" in safe
    assert "n_workers=4" in safe
    other = codemods.fix_source(moved, target="agentlightning_compat").code
    assert other == "from agentlightning_compat import TracerTraceToTriplet as T\n"


def test_other_files_are_known_and_not_rewritten():
    agent = "class A(Base):\n    def training_rollout(self, task, rollout_id, resources):\n        return 1.0\n"
    base = "from agentlightning import LitAgent\n\nclass Base(LitAgent):\n    pass\n"
    fixed = codemods.fix_source("from base import Base\n\n" + agent, others={"base.py": base})
    assert "def rollout(self, task, resources, rollout" in fixed.code


@pytest.mark.parametrize(
    "comment", ["# agl-migrate: ignore", "# agl-migrate: ignore[AGL201]", "# noqa: AGL201"]
)
def test_comments_are_heeded(comment):
    assert codemods.lint_source(LEGACY.replace("4)", f"4)  {comment}")) == ()


def test_a_file_that_is_to_be_skipped(work, invoke):
    text = "# agl-migrate: skip-file\n" + LEGACY
    (work / "a.py").write_text(text)
    assert invoke("run").code == 0
    assert (work / "a.py").read_text() == text
    assert codemods.fix_source(text).code == text


def libcst_tool(*arguments):
    command = ["-m", "libcst.tool", "codemod", "-x", "agl_migrate.MigrateCommand", "--no-format"]
    return subprocess.run(
        [sys.executable, *command, *arguments], env=environment(), capture_output=True, check=False
    )


def test_the_tool_of_libcst_does_a_folder_and_warns_of_what_is_left(work):
    (work / "a.py").write_text(LEGACY)
    (work / "b.py").write_text(MANUAL)
    done = libcst_tool("--jobs", "2", ".")
    assert done.returncode == 0
    assert (work / "a.py").read_text() == MIGRATED
    assert (work / "b.py").read_text() == MANUAL
    assert b"WARNING: 1:40: AGL105 " in done.stderr


def test_the_tool_of_libcst_takes_our_options(work):
    moved = "from agentlightning.tracer.triplet import TripletExporter as T\n"
    (work / "a.py").write_text(moved + LEGACY)
    done = libcst_tool("--jobs", "1", "--safe-only", "--target", "agentlightning_compat", "a.py")
    assert done.returncode == 0
    text = (work / "a.py").read_text()
    assert "n_workers=4" in text
    assert "from agentlightning_compat import TracerTraceToTriplet as T, Trainer\n" in text
