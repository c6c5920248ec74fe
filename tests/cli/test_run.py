import json
import subprocess
import sys

import pytest

from tests.cli.conftest import LEGACY, MANUAL, MIGRATED, environment


def test_run_rewrites_in_place_and_then_finds_nothing(work, invoke):
    (work / "a.py").write_text(LEGACY)
    assert invoke("run").code == 0
    assert (work / "a.py").read_text() == MIGRATED
    again = invoke("run")
    assert (again.code, again.out) == (0, "No legacy use in 1 file.\n")
    assert (work / "a.py").read_text() == MIGRATED


def test_the_summary_says_what_a_person_wants_to_know(work, invoke):
    (work / "a.py").write_text(LEGACY + MANUAL)
    result = invoke("run")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0] == "Rewrote 1 legacy use in 1 file."
    assert "  AGL201  Trainer argument was renamed      1" in lines
    review = lines.index("To review, since behaviour may differ:")
    assert lines[review + 1 : review + 3] == [
        "  AGL201  Trainer argument was renamed",
        "      a.py:3",
    ]
    left = lines.index("Left to you: 1 legacy use.")
    assert lines[left + 1].startswith("  a.py:4:40: AGL105 ")
    assert lines[left + 2].startswith("      ")
    assert lines[-2] == (
        "Next: read what changed, do by hand what is left (`agl-migrate explain AGL105` says more),"
        " run your tests."
    )
    assert "run --undo" in lines[-1]
    assert "agentlightning-compat" not in result.out


def test_what_is_left_to_a_person_exits_with_1(work, invoke):
    (work / "a.py").write_text(MANUAL)
    result = invoke("run")
    assert result.code == 1
    assert result.out.startswith("Nothing was rewritten.\n")
    assert (work / "a.py").read_text() == MANUAL


def test_safe_only_leaves_the_rest_and_says_so(work, invoke):
    moved = "from agentlightning.tracer.triplet import TripletExporter\n\nTripletExporter()\n"
    (work / "a.py").write_text(moved + LEGACY)
    result = invoke("run", "--safe-only", "--select", "AGL101,AGL201")
    assert result.code == 1
    text = (work / "a.py").read_text()
    assert "TracerTraceToTriplet()" in text
    assert "n_workers=4" in text
    assert "Left out by --safe-only" in result.out
    assert invoke("run").code == 0


def test_diff_is_a_patch_that_git_takes(work, invoke, repository):
    for name in ("a.py", "sub/b c.py"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_bytes(LEGACY.replace("\n", "\r\n").encode())
    result = subprocess.run(
        [sys.executable, "-m", "agl_migrate", "run", "--diff"],
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert result.returncode == 1
    assert (work / "a.py").read_bytes() == LEGACY.replace("\n", "\r\n").encode()
    repository("apply", data=result.stdout)
    for name in ("a.py", "sub/b c.py"):
        assert (work / name).read_bytes() == MIGRATED.replace("\n", "\r\n").encode()
    assert b"Would rewrite 2 legacy uses in 2 files." in result.stderr


def test_diff_exits_with_0_where_nothing_would_change(work, invoke):
    (work / "a.py").write_text(MANUAL)
    result = invoke("run", "--diff")
    assert (result.code, result.out) == (0, "")
    assert "AGL105" in result.err


def test_uncommitted_changes_are_refused(work, invoke, repository):
    (work / "clean.py").write_text(LEGACY)
    (work / "dirty.py").write_text(LEGACY)
    (work / "unrelated.py").write_text("x = 1\n")
    repository("add", ".")
    repository("commit", "-qm", "start")
    changed = LEGACY + "x = 1\n"
    (work / "dirty.py").write_text(changed)
    (work / "unrelated.py").write_text("x = 2\n")
    result = invoke("run")
    assert result.code == 2
    assert "dirty.py" in result.err
    assert "--allow-dirty" in result.err
    assert "clean.py" not in result.err
    assert (work / "clean.py").read_text() == LEGACY
    assert (work / "dirty.py").read_text() == changed
    assert invoke("run", "--diff").code == 1
    assert invoke("run", "--allow-dirty").code == 0
    assert (work / "dirty.py").read_text() == MIGRATED + "x = 1\n"


def test_changes_elsewhere_do_not_matter(work, invoke, repository):
    (work / "a.py").write_text(LEGACY)
    repository("add", ".")
    repository("commit", "-qm", "start")
    (work / "unrelated.py").write_text("x = 2\n")
    assert invoke("run").code == 0


def test_undo_gives_the_bytes_back(work, invoke):
    (work / "a.py").write_text(LEGACY)
    (work / "b.py").write_bytes(LEGACY.replace("\n", "\r\n").encode())
    invoke("run")
    result = invoke("run", "--undo")
    assert result.code == 0
    assert "a.py: restored" in result.out
    assert (work / "a.py").read_text() == LEGACY
    assert (work / "b.py").read_bytes() == LEGACY.replace("\n", "\r\n").encode()


def test_undo_finds_the_run_from_a_folder_below(work, invoke, monkeypatch):
    (work / "sub").mkdir()
    (work / "sub" / "a.py").write_text(LEGACY)
    invoke("run", "sub/a.py")
    monkeypatch.chdir(work / "sub")
    assert invoke("run", "--undo").code == 0
    assert (work / "sub" / "a.py").read_text() == LEGACY


def test_undo_without_a_run_is_an_error(work, invoke):
    result = invoke("run", "--undo")
    assert result.code == 2
    assert "no run to undo" in result.err


def test_undo_refuses_what_was_changed_since(work, invoke):
    (work / "a.py").write_text(LEGACY)
    invoke("run")
    (work / "a.py").write_text(MIGRATED + "# mine\n")
    result = invoke("run", "--undo")
    assert result.code == 2
    assert "a.py" in result.err
    assert (work / "a.py").read_text() == MIGRATED + "# mine\n"


def test_the_target_package(work, invoke):
    (work / "a.py").write_text("from agentlightning.tracer.triplet import TripletExporter\n")
    invoke("run", "--target", "agentlightning_compat", "--select", "AGL101")
    assert "from agentlightning_compat" in (work / "a.py").read_text()


def test_the_report_says_what_was_rewritten_and_what_remains(work, invoke):
    (work / "a.py").write_text(LEGACY + MANUAL)
    invoke("run", "--report", "out.json")
    report = json.loads((work / "out.json").read_text())
    assert report["command"] == "run"
    summary = report["summary"]
    assert (summary["fixed"], summary["remaining"], summary["files_changed"]) == (1, 1, 1)
    assert summary["needs_runtime"] is False
    [file] = report["files"]
    assert file["changed"] is True
    assert [(f["code"], f["fixed"]) for f in file["findings"]] == [
        ("AGL201", True),
        ("AGL105", False),
    ]


def test_places_are_those_of_the_rewritten_file(work, invoke):
    (work / "a.py").write_text("x = 1\n" + LEGACY + "\n" + MANUAL)
    result = invoke("run", "--todo", "--report", "out.json")
    text = (work / "a.py").read_text().splitlines()
    assert text[6] == MANUAL.rstrip()
    assert "  a.py:7:40: AGL105" in result.out
    assert "      a.py:4\n" in result.out
    [file] = json.loads((work / "out.json").read_text())["files"]
    assert [(f["line"], f["line_now"]) for f in file["findings"]] == [(4, 4), (6, 7)]


def test_a_report_that_cannot_be_written(work, invoke):
    (work / "a.py").write_text(LEGACY)
    result = invoke("run", "--report", "no/such/folder.json")
    assert result.code == 2
    assert "no/such/folder.json" in result.err
    assert (work / "a.py").read_text() == LEGACY


def test_a_report_is_not_looked_at_itself(work, invoke):
    (work / "a.py").write_text("from agentlightning.tracer.triplet import TripletExporter\n")
    invoke("run", "--report", "out.json")
    report = (work / "out.json").read_text()
    assert "agentlightning.tracer.triplet.TripletExporter" in report
    assert invoke("run").out == "No legacy use in 2 files.\n"
    assert (work / "out.json").read_text() == report


def test_standard_input_comes_out_rewritten(work):
    done = subprocess.run(
        [sys.executable, "-m", "agl_migrate", "run", "-"],
        input=LEGACY.replace("\n", "\r\n").encode(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == MIGRATED.replace("\n", "\r\n").encode()
    assert b"Rewrote 1 legacy use" in done.stderr


def test_standard_input_as_a_patch(work):
    done = subprocess.run(
        [sys.executable, "-m", "agl_migrate", "run", "--diff", "-"],
        input=LEGACY.encode(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        b"-trainer = Trainer(n_workers=4)",
        b"+trainer = Trainer(n_runners=4)",
    ]


@pytest.mark.parametrize("text", [LEGACY, "x = 1\n", "def f(:\n"])
def test_standard_input_comes_out_in_any_case(work, text):
    done = subprocess.run(
        [sys.executable, "-m", "agl_migrate", "run", "--ignore", "ALL", "-"],
        input=text.encode(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.stdout == text.encode()


def test_the_encoding_the_mark_and_the_mode_are_kept(work, invoke):
    latin = "# coding: latin-1\nname = 'größe'\n" + LEGACY
    (work / "a.py").write_bytes(latin.encode("latin-1"))
    (work / "b.py").write_bytes(b"\xef\xbb\xbf" + LEGACY.encode())
    (work / "a.py").chmod(0o750)
    assert invoke("run").code == 0
    expected = latin.replace("n_workers", "n_runners").encode("latin-1")
    assert (work / "a.py").read_bytes() == expected
    assert (work / "b.py").read_bytes() == b"\xef\xbb\xbf" + MIGRATED.encode()
    assert (work / "a.py").stat().st_mode & 0o777 == 0o750


def test_todo_marks_what_is_left_once(work, invoke):
    (work / "a.py").write_text(f"import os\n\nif os:\n    {MANUAL}    x = 1\n{LEGACY}")
    assert invoke("run", "--todo").code == 1
    text = (work / "a.py").read_text()
    lines = text.splitlines()
    assert lines[3].startswith("    # TODO(agl-migrate AGL105): ")
    assert lines[4] == "    " + MANUAL.rstrip()
    assert text.count("TODO") == 1
    assert "n_runners=4" in text
    assert invoke("run", "--todo").code == 1
    assert (work / "a.py").read_text() == text


def test_undo_takes_the_todo_lines_back(work, invoke):
    (work / "a.py").write_text(MANUAL)
    invoke("run", "--todo")
    assert "TODO" in (work / "a.py").read_text()
    invoke("run", "--undo")
    assert (work / "a.py").read_text() == MANUAL
