import json

import pytest

from tests.cli.conftest import LEGACY, MANUAL


def test_a_clean_folder_exits_with_0(work, invoke):
    (work / "a.py").write_text("import os\n")
    result = invoke("check")
    assert (result.code, result.out) == (0, "No legacy use in 1 file.\n")


def test_a_finding_is_one_line_with_its_place(work, invoke):
    (work / "a.py").write_text(LEGACY)
    result = invoke("check")
    assert result.code == 1
    first = result.out.splitlines()[0]
    assert first.startswith("a.py:3:19: AGL201 [*] `Trainer(n_workers=)`")


def test_what_run_leaves_has_no_star_and_a_reason(work, invoke):
    (work / "a.py").write_text(MANUAL)
    result = invoke("check")
    assert result.code == 1
    line = result.out.splitlines()[0]
    assert line.startswith("a.py:1:40: AGL105 `agentlightning.tracer.http.HttpTracer`")
    assert "[*]" not in line
    assert "agl-migrate run" not in result.out


def test_check_writes_nothing(work, invoke):
    (work / "a.py").write_text(LEGACY)
    before = sorted(work.rglob("*"))
    invoke("check")
    assert sorted(work.rglob("*")) == before
    assert (work / "a.py").read_text() == LEGACY


def test_files_come_in_the_order_of_their_paths(work, invoke):
    for name in ("b.py", "a.py", "c/a.py"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text(LEGACY)
    places = [line.split(":")[0] for line in invoke("check").out.splitlines()[:3]]
    assert places == ["a.py", "b.py", "c/a.py"]


def test_an_absolute_path_is_shown_relative_to_the_current_folder(work, invoke):
    (work / "a.py").write_text(LEGACY)
    assert invoke("check", str(work)).out.startswith("a.py:3:19:")


def test_a_path_given_twice_is_read_once(work, invoke):
    (work / "a.py").write_text(LEGACY)
    assert "Found 1 legacy use in 1 file." in invoke("check", "a.py", ".", str(work)).out


def test_select_and_ignore(work, invoke):
    (work / "a.py").write_text(MANUAL + LEGACY)
    assert "AGL201" not in invoke("check", "--select", "agl105").out
    assert "AGL201" not in invoke("check", "--ignore", "AGL2").out
    both = invoke("check", "--select", "AGL105,AGL201")
    assert "AGL105" in both.out
    assert "AGL201" in both.out
    assert invoke("check", "--ignore", "AGL105", "--ignore", "AGL201").code == 0


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_code_is_an_error_even_where_nothing_is_legacy(work, invoke, option):
    (work / "a.py").write_text("")
    result = invoke("check", option, "AGL999")
    assert result.code == 2
    assert "AGL999" in result.err
    assert "agl-migrate rules" in result.err


def test_an_unknown_format_is_an_error(work, invoke):
    result = invoke("check", "--output-format", "pigeon")
    assert result.code == 2
    assert "pigeon" in result.err


def test_json_has_every_key_of_the_schema(work, invoke):
    (work / "a.py").write_text(LEGACY)
    (work / "b.py").write_text("agentlightning = (\n")
    result = invoke("check", "--output-format", "json")
    assert result.code == 2
    report = json.loads(result.out)
    assert list(report) == [
        "schema",
        "tool",
        "command",
        "options",
        "summary",
        "files",
        "errors",
        "skipped",
    ]
    assert report["schema"] == 1
    assert report["command"] == "check"
    summary = report["summary"]
    assert summary["rules"] == {
        "AGL201": {"title": "Trainer argument was renamed", "findings": 1, "fixed": 0}
    }
    assert (summary["files_scanned"], summary["findings"], summary["errors"]) == (2, 1, 1)
    [file] = report["files"]
    assert (file["path"], file["changed"]) == ("a.py", False)
    [finding] = file["findings"]
    assert finding.keys() == {
        *("code", "message", "line", "column", "end_line", "end_column", "line_now"),
        *("applicability", "fixable", "fixed", "reason", "symbol", "ran"),
    }
    assert (finding["line"], finding["column"], finding["end_column"]) == (3, 19, 30)
    [error] = report["errors"]
    assert error.keys() == {"path", "line", "message", "advice"}
    assert error["path"] == "b.py"


def test_no_colour_where_nobody_looks(work, invoke):
    (work / "a.py").write_text(LEGACY)
    assert "\x1b" not in invoke("check").out


def test_colour_on_demand_and_never_with_no_color(work, invoke, monkeypatch):
    (work / "a.py").write_text(LEGACY)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31mAGL201\x1b[0m" in invoke("check").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in invoke("check").out


def test_standard_input(work, command, monkeypatch):
    import subprocess
    import sys

    from tests.cli.conftest import environment

    done = subprocess.run(
        [sys.executable, "-m", "agl_migrate", "check", "-"],
        input=LEGACY.encode(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(b"-:3:19: AGL201")


def test_standard_input_goes_alone(work, invoke):
    result = invoke("check", "-", "a.py")
    assert result.code == 2
    assert "standard input" in result.err


def test_an_output_that_is_not_unicode(work, command):
    (work / "größe.py").write_text(LEGACY)
    result = command("check", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.code == 1
    assert result.out.startswith("gr\\xf6\\xdfe.py:3:19: AGL201")


def test_the_time_of_each_step_and_rule(work, invoke):
    (work / "a.py").write_text(LEGACY)
    names = [line.split()[0] for line in invoke("check", "--timings").err.splitlines()]
    steps = ["discover", "read", "parse", "index", "detect", "rewrite", "write"]
    assert names[:7] == steps
    assert "AGL201" in names[7:]


def test_a_comment_makes_the_tool_pass_over_a_line(work, invoke):
    (work / "a.py").write_text(LEGACY.replace("4)", "4)  # agl-migrate: ignore[AGL201]"))
    assert invoke("check").code == 0


def test_a_mere_mention_is_no_finding(work, invoke):
    (work / "a.py").write_text("# we once tried agentlightning\nx = 'agentlightning'\n")
    assert invoke("check").code == 0
