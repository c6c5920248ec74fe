import json
import os
import re
import subprocess
import sys

import pytest

from tests.cli.conftest import LEGACY, MIGRATED, REPOSITORY, environment

SCRIPT = "import sys\nfrom agl_migrate import main\nsys.exit(main())\n"


@pytest.fixture
def own_codemods(work):
    """A repository whose own package `codemods` must be neither used nor in the way."""
    (work / "codemods").mkdir()
    (work / "codemods" / "__init__.py").write_text("raise ImportError('not this one')\n")
    (work / "codemods" / "cli.py").write_text("raise ImportError('not this one')\n")
    for number in range(3):
        (work / f"a{number}.py").write_text(LEGACY)
    return f".{os.pathsep}{REPOSITORY}"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_repository_with_a_package_of_the_same_name(work, own_codemods, command, jobs):
    result = command("run", "--jobs", jobs, PYTHONPATH=own_codemods)
    assert (result.code, result.err) == (0, "")
    assert (work / "a2.py").read_text() == MIGRATED


def test_the_console_script(work, own_codemods, tmp_path):
    script = tmp_path / "agl-migrate"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), "check", "a0.py"],
        env=environment(PYTHONPATH=own_codemods),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(b"a0.py:3:19: AGL201")


SPAWNED = """
import agl_migrate
from codemods import cli, workers

if __name__ == "__main__":
    workers._start_method = lambda: "spawn"
    raise SystemExit(cli.main(["run", "--jobs", "2"]))
"""


def test_processes_that_start_from_nothing(work, own_codemods, tmp_path):
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED)
    done = subprocess.run(
        [sys.executable, str(script)],
        env=environment(PYTHONPATH=own_codemods),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    for number in range(3):
        assert (work / f"a{number}.py").read_text() == MIGRATED


def test_a_package_of_that_name_that_is_loaded_already(work, own_codemods):
    (work / "codemods" / "__init__.py").write_text("")
    (work / "codemods" / "cli.py").write_text("def main(arguments): return 77\n")
    code = "import codemods.cli, agl_migrate, sys; sys.argv[1:] = ['check']; agl_migrate.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(PYTHONPATH=own_codemods), check=False
    )
    assert done.returncode == 1


def loaded_by(work, *arguments):
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: json.dump(sorted(sys.modules), sys.__stderr__))\n"
        "import agl_migrate\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "agl_migrate.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, check=False
    )
    return set(json.loads(done.stderr))


def test_help_imports_next_to_nothing(work):
    loaded = loaded_by(work, "--help")
    assert "click" in loaded
    ours = {name for name in loaded if name.startswith("codemods")}
    output = {"codemods.output", "codemods.output.console"}
    assert ours <= {"codemods", "codemods.cli", "codemods.cli.app", *output}
    assert not loaded & {"pydantic", "libcst", "pathspec", "multiprocessing", "concurrent.futures"}


def test_check_of_files_that_are_not_legacy_imports_no_rule(work):
    (work / "a.py").write_text("import os\n")
    loaded = loaded_by(work, "check", "a.py")
    assert not loaded & {"pydantic", "libcst", "multiprocessing", "codemods.registry", "click"}


def test_check_never_imports_libcst(work):
    (work / "a.py").write_text(LEGACY)
    loaded = loaded_by(work, "check", "a.py")
    assert "codemods.registry" in loaded
    assert not loaded & {"libcst", "multiprocessing"}


def test_without_a_command_the_help_is_shown(work, command):
    result = command()
    assert "Usage: agl-migrate" in result.out + result.err


@pytest.mark.parametrize("name", ["run", "check", "rules", "explain", "serve", "exec"])
def test_every_command_has_help_and_is_listed(work, command, name):
    result = command(name, "--help")
    assert result.code == 0
    assert result.out.lower().startswith(f"usage: agl-migrate {name}")
    assert re.search(rf"^ +{name}  +[A-Z]", command("--help").out, re.MULTILINE)


def test_the_formats_are_listed_in_the_help(work, command):
    assert "[json|text" in command("check", "--help").out


def test_an_option_that_does_not_exist(work, command):
    result = command("run", "--frobnicate")
    assert result.code == 2
    assert "--frobnicate" in result.err


def test_as_a_command_of_libcst(work, own_codemods):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "libcst.tool", "codemod", "-x", "agl_migrate.MigrateCommand"),
            *("--no-format", "--jobs", "1", "--select", "AGL201", "a0.py"),
        ],
        env=environment(PYTHONPATH=own_codemods),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (work / "a0.py").read_text() == MIGRATED
