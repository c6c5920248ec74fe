"""`[tool.agl-migrate]` and the options, through the command."""

import json

import pytest

from tests.cli.conftest import LEGACY, MANUAL, MIGRATED

MOVED = "from agentlightning.tracer.triplet import TripletExporter\n\nTripletExporter()\n"
FIT = (
    "from agentlightning import LitAgent, Trainer\n\n\n"
    "class Agent(LitAgent):\n    def rollout(self, task, resources, rollout):\n        return 1.0\n\n\n"
    'Trainer(n_workers=2).fit(Agent(), "http://localhost:9999")\n'
)


@pytest.fixture
def configure(work):
    """Write the table of the project's pyproject.toml."""

    def write(table):
        (work.parent / "pyproject.toml").write_text(f"[tool.agl-migrate]\n{table}\n")

    return write


def test_the_table_is_read_and_options_go_over_it(work, invoke, configure):
    configure("select = ['AGL101']")
    (work / "a.py").write_text(LEGACY + MOVED)
    assert {line.split()[1] for line in invoke("check").out.splitlines()[:-2]} == {"AGL101"}
    assert "AGL101" not in invoke("check", "--select", "AGL201").out


def test_exclude_keeps_folders_out(work, invoke, configure):
    configure("exclude = ['work/old/']")
    (work / "old").mkdir()
    (work / "old" / "a.py").write_text(LEGACY)
    (work / "a.py").write_text(LEGACY)
    assert invoke("run").code == 0
    assert (work / "old" / "a.py").read_text() == LEGACY
    assert (work / "a.py").read_text() == MIGRATED


def test_codes_for_some_files_only(work, invoke, configure):
    configure("per-file-ignores = {'work/b.py' = ['AGL201']}")
    for name in ("a.py", "b.py"):
        (work / name).write_text(LEGACY)
    assert invoke("run").code == 0
    assert [(work / name).read_text() for name in ("a.py", "b.py")] == [MIGRATED, LEGACY]


def test_the_target_of_the_table(work, invoke, configure):
    configure("target = 'agentlightning_compat'")
    (work / "a.py").write_text(MOVED)
    invoke("run")
    assert "agentlightning_compat" in (work / "a.py").read_text()


@pytest.mark.parametrize("by_table", [False, True])
def test_the_old_server_stays(work, invoke, configure, by_table):
    (work / "a.py").write_text(FIT)
    if by_table:
        configure("server = 'legacy'")
        invoke("run")
    else:
        invoke("run", "--server", "legacy")
    assert ".fit_v0(" in (work / "a.py").read_text()


def test_without_it_the_address_is_a_store_server(work, invoke):
    (work / "a.py").write_text(FIT)
    invoke("run")
    text = (work / "a.py").read_text()
    assert "fit_v0" not in text
    assert '"role": "runner"' in text


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_code_that_does_not_exist_writes_nothing(work, invoke, option):
    (work / "a.py").write_text(LEGACY)
    result = invoke("run", option, "AGL201,AGL999")
    assert result.code == 2
    assert "AGL999" in result.err
    assert (work / "a.py").read_text() == LEGACY


def test_select_and_ignore_on_run(work, invoke):
    (work / "a.py").write_text(LEGACY + MOVED)
    invoke("run", "--select", "agl2", "--ignore", "AGL101")
    text = (work / "a.py").read_text()
    assert "n_runners" in text
    assert "TripletExporter" in text


def test_jobs_give_what_one_process_gives(work, invoke):
    for number in range(6):
        (work / f"a{number}.py").write_text(LEGACY)
    assert invoke("run", "--jobs", "3").code == 0
    assert {path.read_text() for path in work.glob("*.py")} == {MIGRATED}
    assert invoke("run", "--jobs", "0").code == 2


def test_the_time_of_a_run(work, invoke):
    (work / "a.py").write_text(LEGACY)
    lines = invoke("run", "--timings").err.splitlines()
    assert [line.split()[0] for line in lines[5:7]] == ["rewrite", "write"]
    assert all(line.endswith(" ms") and float(line.split()[1]) >= 0 for line in lines)


def test_a_report_of_what_went_wrong_and_of_what_would_change(work, invoke):
    (work / "a.py").write_text(LEGACY)
    (work / "bad.py").write_text("import agentlightning\nx = (\n")
    result = invoke("run", "--diff", "--report", "report.json")
    assert result.code == 2
    report = json.loads((work / "report.json").read_text())
    assert report["options"]["dry_run"] is True
    assert report["summary"]["errors"] == 1
    assert [(e["path"], e["line"]) for e in report["errors"]] == [("bad.py", 2)]
    assert [f["path"] for f in report["files"]] == ["a.py"]
    assert (work / "a.py").read_text() == LEGACY


def test_a_file_that_could_not_be_written_is_no_rewrite_in_the_report(work, invoke):
    (work / "a.py").write_text(LEGACY)
    (work / "a.py").chmod(0o444)
    assert invoke("run", "--report", "report.json").code == 2
    report = json.loads((work / "report.json").read_text())
    [file] = report["files"]
    assert file["changed"] is False
    assert [f["fixed"] for f in file["findings"]] == [False]
    assert report["summary"]["files_changed"] == 0


def test_todo_alone_is_said(work, invoke):
    (work / "a.py").write_text(MANUAL)
    would = invoke("run", "--todo", "--diff")
    assert would.code == 1
    assert would.err.startswith("Would write TODO comments into 1 file, and nothing else.\n")
    result = invoke("run", "--todo")
    assert result.out.startswith("Wrote TODO comments into 1 file, and nothing else.\n")


def test_the_summary_names_the_folder_where_it_is_not_this_one(work, invoke, monkeypatch, tmp_path):
    (work / "a b").mkdir()
    (work / "a b" / "pyproject.toml").write_text("")
    (work / "a b" / "a.py").write_text(LEGACY)
    result = invoke("run", "a b")
    assert "`agl-migrate run --undo 'a b'` takes it all back." in result.out
    assert invoke("run", "--undo", "a b").code == 0
    assert (work / "a b" / "a.py").read_text() == LEGACY
    assert "`agl-migrate run 'a b'` rewrites all of them." in invoke("check", "a b").out


def test_the_summary_knows_git(work, invoke, repository):
    (work / "a.py").write_text(LEGACY)
    repository("add", ".")
    repository("commit", "-qm", "start")
    assert "Next: read `git diff`, run your tests." in invoke("run").out


@pytest.mark.parametrize("has_requirements", [False, True])
def test_the_summary_says_where_the_helpers_are_required(work, invoke, has_requirements):
    (work / "a.py").write_text(FIT.replace('"http://localhost:9999"', "input()"))
    if has_requirements:
        (work / "requirements.txt").write_text("agentlightning>=0.1.2\n")
    out = invoke("run").out
    start = out.index("To review, with helpers that agentlightning-compat has at run time:")
    told = out[start:].splitlines()
    assert told[1] == "  AGL210  `fit` with the address of a server"
    if has_requirements:
        assert "agentlightning-compat" in (work / "requirements.txt").read_text()
        assert told[3] == "  The requirement is added to requirements.txt."
    else:
        assert told[3] == "  Your project needs agentlightning-compat as a requirement for them."
