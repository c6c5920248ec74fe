"""`agl-migrate check --usage`: what ran, merged with what is seen."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import LEGACY

DYNAMIC = "import mine\n\nfor _ in range(3):\n    mine.call()\n"


def write(work, *uses, name="usage.json"):
    lines = [
        json.dumps({"symbol": s, "file": str(work / f), "line": n, "count": c})
        for s, f, n, c in uses
    ]
    (work / name).write_text("\n".join(lines) + "\n")
    return name


def test_a_finding_says_how_often_it_ran(work, invoke):
    (work / "a.py").write_text(LEGACY)
    name = write(
        work, ("agentlightning.Trainer", "a.py", 3, 2), ("agentlightning.Trainer", "a.py", 3, 5)
    )
    plain = invoke("check").out.splitlines()
    told = invoke("check", "--usage", name)
    assert told.code == 1
    lines = told.out.splitlines()
    assert "; ran 7 times" in lines[0]
    assert lines[0].replace("; ran 7 times", "") == plain[0]
    assert lines[1:] == plain[1:]


def test_a_use_without_a_finding_is_one_of_its_own(work, invoke):
    (work / "a.py").write_text(DYNAMIC)
    name = write(work, ("agentlightning.AgentRunner", "a.py", 4, 3))
    assert invoke("check").code == 0
    result = invoke("check", "--usage", name)
    assert result.code == 1
    assert result.out.splitlines()[0] == (
        "a.py:4:5: AGL401 `agentlightning.AgentRunner` is legacy; ran 3 times"
        " (only seen when running)"
    )


def test_the_json_output_has_them(work, invoke):
    (work / "a.py").write_text(LEGACY)
    (work / "b.py").write_text(DYNAMIC)
    name = write(work, ("agentlightning.Trainer", "a.py", 3, 1), ("agentlightning.x", "b.py", 4, 2))
    result = invoke("check", "--usage", name, "--output-format", "json")
    report = json.loads(result.out)
    assert result.code == 1
    assert [file["path"] for file in report["files"]] == ["a.py", "b.py"]
    (seen,) = report["files"][1]["findings"]
    assert (seen["code"], seen["symbol"], seen["line"]) == ("AGL401", "agentlightning.x", 4)
    assert (seen["fixable"], seen["reason"]) == (False, "only seen when running")
    assert report["files"][0]["findings"][0]["message"].endswith("; ran once")
    assert [[f["ran"] for f in file["findings"]] for file in report["files"]] == [
        [1, *[None] * (len(report["files"][0]["findings"]) - 1)],
        [2],
    ]
    assert report["summary"]["rules"]["AGL401"]["findings"] == 1


def test_an_empty_report_changes_nothing(work, invoke):
    (work / "a.py").write_text(DYNAMIC)
    (work / "usage.json").write_text("")
    assert invoke("check", "--usage", "usage.json").code == 0


@pytest.mark.parametrize("options", [["--ignore", "AGL401"], ["--select", "AGL101"]])
def test_the_code_can_be_left_out(work, invoke, options):
    (work / "a.py").write_text(DYNAMIC)
    name = write(work, ("agentlightning.AgentRunner", "a.py", 4, 3))
    assert invoke("check", "--usage", name, *options).code == 0


@pytest.mark.parametrize(
    "text",
    [
        DYNAMIC.replace("call()", "call()  # agl-migrate: ignore[AGL401]"),
        f"{DYNAMIC}# agl-migrate: skip-file\n",
    ],
)
def test_a_comment_keeps_it_quiet(work, invoke, text):
    (work / "a.py").write_text(text)
    name = write(work, ("agentlightning.AgentRunner", "a.py", 4, 3))
    assert invoke("check", "--usage", name).code == 0


def test_settings_keep_a_file_quiet(work, invoke):
    (work.parent / "pyproject.toml").write_text(
        '[tool.agl-migrate.per-file-ignores]\n"work/a.py" = ["AGL401"]\n'
    )
    (work / "a.py").write_text(DYNAMIC)
    name = write(work, ("agentlightning.AgentRunner", "a.py", 4, 3))
    assert invoke("check", "--usage", name).code == 0


def test_uses_in_other_files_are_mentioned(work, invoke):
    (work / "part").mkdir()
    (work / "part" / "a.py").write_text("import os\n")
    (work / "b.py").write_text(DYNAMIC)
    name = write(work, ("agentlightning.x", "b.py", 4, 2), ("agentlightning.x", "gone.py", 1, 2))
    result = invoke("check", "part", "--usage", name)
    assert result.code == 0
    assert "b.py: skipped: ran 1 use of the legacy API" in result.err
    assert "gone.py: skipped: ran 1 use of the legacy API" in result.err


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "usage.json:1: this line of the usage report is no JSON"),
        ("[]", "no sound 'symbol'"),
        ('{"symbol": "x", "file": "a.py", "line": true, "count": 1}', "no sound 'line'"),
        ('{"symbol": "x", "file": "a.py", "line": 1, "count": 0}', "no sound 'count'"),
        (b"\xff\xfe", "it is not UTF-8"),
        (None, "usage.json: the usage report cannot be read"),
    ],
)
def test_a_report_that_is_none_is_an_error_in_one_line(work, invoke, text, what):
    (work / "a.py").write_text(LEGACY)
    if text is not None:
        (work / "usage.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = invoke("check", "--usage", "usage.json")
    assert (result.code, result.out) == (2, "")
    assert what in result.err
    assert len(result.err.splitlines()) == 1
