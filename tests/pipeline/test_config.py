import pytest

from codemods.config import ConfigError, Settings, load
from codemods.pipeline import Job, run
from codemods.timings import Timings

LEGACY = "from agentlightning import Trainer\n\nTrainer(n_workers=4)\n"


@pytest.fixture
def work(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "a.py").write_text(LEGACY)
    return folder


def found(work, table):
    (work / "pyproject.toml").write_text(table)
    outcome = run(Job(load("."), (".",), Timings()))
    return [(f.path, f.code) for f in outcome.findings()]


def test_every_key(work):
    (work / "pyproject.toml").write_text(
        "[tool.agl-migrate]\n"
        "select = ['AGL1', 'AGL2']\n"
        "ignore = ['AGL105']\n"
        "exclude = ['build/']\n"
        "target = 'agentlightning_compat'\n"
        "server = 'legacy'\n"
        "[tool.agl-migrate.per-file-ignores]\n"
        "'tests/*' = ['AGL201']\n"
    )
    assert load(".") == Settings(
        root=".",
        select=("AGL1", "AGL2"),
        ignore=("AGL105",),
        exclude=("build/",),
        target="agentlightning_compat",
        server="legacy",
        per_file_ignores=(("tests/*", ("AGL201",)),),
    )


def test_the_nearest_file_upwards_counts(work):
    (work / "pyproject.toml").write_text("[tool.agl-migrate]\nselect = ['AGL1']\n")
    (work / "sub" / "deep").mkdir(parents=True)
    assert load("sub/deep").select == ("AGL1",)
    (work / "sub" / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load("sub/deep").select == ()


def test_the_command_line_goes_over_it():
    settings = Settings(select=("AGL1",), target="agentlightning_compat")
    assert settings.override(select=("AGL2",), target=None) == Settings(
        select=("AGL2",), target="agentlightning_compat"
    )


def test_without_a_table_the_defaults_hold(work):
    assert found(work, "[tool.ruff]\nline-length = 100\n") == [("a.py", "AGL201")]


def test_ignore(work):
    assert found(work, "[tool.agl-migrate]\nignore = ['AGL2']\n") == []


def test_exclude_is_relative_to_the_file(work, monkeypatch):
    (work / "old").mkdir()
    (work / "old" / "b.py").write_text(LEGACY)
    table = "[tool.agl-migrate]\nexclude = ['/old/']\n"
    assert found(work, table) == [("a.py", "AGL201")]


def test_codes_for_some_files_only(work):
    (work / "tests").mkdir()
    (work / "tests" / "b.py").write_text(LEGACY)
    table = "[tool.agl-migrate.per-file-ignores]\n'tests/' = ['AGL2']\n'x.py' = ['ALL']\n"
    assert found(work, table) == [("a.py", "AGL201")]
    assert found(work, table.replace("x.py", "a.py")) == []


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ("[tool.agl-migrate.per-file-ignores]\n'a' = 'AGL1'\n", 2, "list of strings"),
        ("[tool.agl-migrate.per-file-ignores]\n'a' = ['AGL999']\n", 2, "AGL999"),
        ("[tool.agl-migrate]\nper-file-ignores = 1\n", 2, "table of patterns"),
        ("[tool.other]\nserver = 1\n[tool.agl-migrate]\nserver = 1\n", 4, "server is one of"),
    ],
)
def test_the_message_names_file_and_line(work, table, line, words):
    (work / "pyproject.toml").write_text(table)
    with pytest.raises(ConfigError, match=words) as caught:
        load(".")
    assert str(caught.value).startswith(f"pyproject.toml:{line}: ")
