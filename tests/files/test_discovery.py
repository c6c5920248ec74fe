"""Which files are found, which are passed over, and which hold the literal."""

import os
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codemods.files import Discovery, discover, scan_literals


def _tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _found(root, *names, **options) -> Discovery:
    """Discover below a root, with paths relative to it."""
    found = discover([str(root / name) for name in names or ["."]], root=str(root), **options)
    strip = str(root) + "/"
    return Discovery(
        [path.removeprefix(strip) for path in found.python],
        [path.removeprefix(strip) for path in found.other],
        [problem._replace(path=problem.path.removeprefix(strip)) for problem in found.problems],
        [skipped._replace(path=skipped.path.removeprefix(strip)) for skipped in found.skipped],
    )


def _git(root, *arguments):
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


def test_finds_python_files_in_order(tmp_path):
    _tree(tmp_path, {"b/x.py": "", "a.py": "", "b/a.pyi": "", "notes.md": "", "b/c/d.py": ""})
    assert _found(tmp_path) == (["a.py", "b/a.pyi", "b/c/d.py", "b/x.py"], [], [], [])


def test_other_files_are_told_apart_by_suffix_and_by_name(tmp_path):
    _tree(tmp_path, {"a.py": "", "Makefile": "", "x.md": "", "sub/Dockerfile": "", "mdx": ""})
    found = _found(tmp_path, suffixes=(".py", ".md", "Makefile", "Dockerfile"))
    assert found.python == ["a.py"]
    assert found.other == ["Makefile", "sub/Dockerfile", "x.md"]


def test_paths_are_given_back_as_they_were_given(tmp_path, monkeypatch):
    _tree(tmp_path, {"pkg/a.py": "", "b.py": ""})
    monkeypatch.chdir(tmp_path)
    assert discover(["."]).python == ["b.py", "pkg/a.py"]
    assert discover(["./pkg/"]).python == ["pkg/a.py"]
    assert discover(["pkg/../b.py"]).python == ["b.py"]


def test_a_missing_path_is_a_problem_and_the_rest_is_found(tmp_path):
    _tree(tmp_path, {"a.py": ""})
    found = _found(tmp_path, "nowhere", "a.py")
    assert found.python == ["a.py"]
    assert found.problems == [("nowhere", "not found")]


def test_an_empty_folder_is_no_problem(tmp_path):
    assert _found(tmp_path) == ([], [], [], [])


def test_a_folder_called_like_a_file_is_walked(tmp_path):
    _tree(tmp_path, {"x.py/inner.py": ""})
    assert _found(tmp_path) == (["x.py/inner.py"], [], [], [])


def test_a_pipe_called_like_a_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    found = _found(tmp_path)
    assert found.python == []
    assert found.skipped == [("pipe.py", "not a regular file")]


@pytest.mark.parametrize("name", ["node_modules", ".venv", "site-packages", "x.egg-info", ".tox"])
def test_vendored_folders_are_passed_over_unless_named(tmp_path, name):
    _tree(tmp_path, {f"{name}/a.py": "", "b.py": ""})
    assert _found(tmp_path).python == ["b.py"]
    assert _found(tmp_path, name).python == [f"{name}/a.py"]


def test_a_virtual_environment_is_known_by_its_file_and_not_by_its_name(tmp_path):
    _tree(tmp_path, {"env/a.py": "", "mine/pyvenv.cfg": "", "mine/lib/a.py": ""})
    assert _found(tmp_path).python == ["env/a.py"]
    assert _found(tmp_path, "mine").python == ["mine/lib/a.py"]


def test_build_is_passed_over_only_where_git_ignores_it(tmp_path):
    _tree(tmp_path, {"build/a.py": "", "sub/build/b.py": "", "sub/.gitignore": "build/\n"})
    assert _found(tmp_path).python == ["build/a.py"]


def test_a_copy_of_the_framework_is_skipped_with_a_note(tmp_path):
    copy = "third_party/agentlightning"
    names = ["__init__.py", "client.py", "trainer/__init__.py"]
    _tree(tmp_path, {f"{copy}/{name}": "" for name in names} | {"mine.py": ""})
    found = _found(tmp_path)
    assert found.python == ["mine.py"]
    assert found.skipped == [(copy, "a copy of the framework itself")]
    assert len(_found(tmp_path, copy).python) == 3


def test_a_folder_that_only_has_the_name_of_the_framework_is_walked(tmp_path):
    _tree(tmp_path, {"agentlightning/__init__.py": "", "agentlightning/client.py": ""})
    assert len(_found(tmp_path).python) == 2


def test_an_unreadable_folder_is_a_problem(tmp_path):
    # A name that is too long for the system fails for any user, unlike a folder without rights.
    found = discover([str(tmp_path / ("n" * 300))])
    assert len(found.problems) == 1
    assert "too long" in found.problems[0].reason


class TestLinks:
    def test_a_dangling_link_is_a_problem(self, tmp_path):
        (tmp_path / "gone.py").symlink_to("nowhere.py")
        assert _found(tmp_path).problems == [("gone.py", "a link to a file that is not there")]
        assert len(_found(tmp_path, "gone.py").problems) == 1

    def test_a_link_to_itself_is_a_problem(self, tmp_path):
        (tmp_path / "loop.py").symlink_to("loop.py")
        assert len(_found(tmp_path).problems) == 1

    def test_the_lock_of_an_editor_is_none(self, tmp_path):
        (tmp_path / ".#a.py").symlink_to("me@host.1234")
        assert _found(tmp_path) == ([], [], [], [])

    def test_a_loop_of_folders_ends(self, tmp_path):
        _tree(tmp_path, {"a/x.py": ""})
        (tmp_path / "a/up").symlink_to("..")
        assert _found(tmp_path).python == ["a/x.py"]

    def test_a_linked_file_is_listed_once_as_itself(self, tmp_path):
        _tree(tmp_path, {"z/real.py": ""})
        (tmp_path / "a.py").symlink_to("z/real.py")
        assert _found(tmp_path) == (["z/real.py"], [], [], [])
        assert len(_found(tmp_path, "a.py", "z/real.py", ".").python) == 1

    def test_a_link_to_a_file_without_suffix_is_the_only_way_to_it(self, tmp_path):
        _tree(tmp_path, {"tool": ""})
        (tmp_path / "tool.py").symlink_to("tool")
        (tmp_path / "two.py").symlink_to("tool")
        assert len(_found(tmp_path).python) == 1

    def test_a_link_out_of_the_tree_is_noted(self, tmp_path):
        _tree(tmp_path, {"out/a.py": "", "in/b.py": ""})
        (tmp_path / "in/a.py").symlink_to("../out/a.py")
        (tmp_path / "in/folder").symlink_to("../out")
        found = _found(tmp_path, "in")
        assert found.python == ["in/b.py"]
        assert [path for path, _ in found.skipped] == ["in/a.py", "in/folder"]

    def test_a_link_that_is_named_is_followed(self, tmp_path):
        _tree(tmp_path, {"out/a.py": ""})
        (tmp_path / "link").symlink_to("out")
        assert _found(tmp_path, "link").python == ["link/a.py"]

    def test_overlapping_paths_give_each_file_once(self, tmp_path):
        _tree(tmp_path, {"a/x.py": "", "a/b/y.py": ""})
        (tmp_path / "again").symlink_to("a")
        assert _found(tmp_path, "a/b", "a", "again", "a/x.py").python == ["a/b/y.py", "a/x.py"]


class TestIgnored:
    def test_nested_files_win_over_outer_ones(self, tmp_path):
        _tree(
            tmp_path,
            {
                ".gitignore": "gen_*.py\n/top.py\n",
                "top.py": "",
                "sub/top.py": "",
                "sub/gen_a.py": "",
                "keep/.gitignore": "!gen_a.py\n",
                "keep/gen_a.py": "",
                "keep/gen_b.py": "",
            },
        )
        assert _found(tmp_path).python == ["keep/gen_a.py", "sub/top.py"]

    def test_a_line_for_all_below_a_folder_is_not_one_for_the_folder(self, tmp_path):
        _tree(tmp_path, {".gitignore": "a/**\n!keep.py\n", "a/keep.py": "", "a/b.py": ""})
        assert _found(tmp_path).python == ["a/keep.py"]

    def test_files_above_count_up_to_the_root_of_the_repository(self, tmp_path):
        _tree(
            tmp_path,
            {
                ".gitignore": "b.py\n",
                "repo/.gitignore": "src/a.py\n",
                "repo/.git/info/exclude": "/src/c.py\n",
                "repo/src/a.py": "",
                "repo/src/b.py": "",
                "repo/src/c.py": "",
            },
        )
        assert _found(tmp_path, "repo/src").python == ["repo/src/b.py"]
        assert _found(tmp_path, "repo").python == ["repo/src/b.py"]

    def test_files_above_do_not_count_outside_of_a_repository(self, tmp_path):
        _tree(tmp_path, {".gitignore": "a.py\n", "src/a.py": ""})
        assert _found(tmp_path, "src").python == ["src/a.py"]
        assert _found(tmp_path).python == []

    def test_a_repository_inside_another_has_its_own_rules(self, tmp_path):
        _tree(
            tmp_path,
            {
                ".git/HEAD": "",
                ".gitignore": "a.py\n",
                "inner/.git/info/exclude": "b.py\n",
                "inner/a.py": "",
                "inner/b.py": "",
            },
        )
        assert _found(tmp_path).python == ["inner/a.py"]

    def test_a_linked_work_tree_shares_the_excludes(self, tmp_path):
        _tree(tmp_path, {"main/a.py": ""})
        main = tmp_path / "main"
        _git(main, "init", "-q")
        _git(
            main, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-mx"
        )
        _git(main, "worktree", "add", "-q", "../linked")
        (main / ".git/info").mkdir(exist_ok=True)
        (main / ".git/info/exclude").write_text("secret.py\n")
        _tree(tmp_path, {"linked/secret.py": "", "linked/sub/secret.py": "", "linked/b.py": ""})
        assert _found(tmp_path, "linked").python == ["linked/b.py"]
        assert _found(tmp_path, "linked/sub").python == []

    def test_an_ignored_path_that_is_named_is_walked(self, tmp_path):
        _tree(tmp_path, {".git/HEAD": "", ".gitignore": "out/\n*.tmp.py\n", "out/in/a.py": ""})
        _tree(tmp_path, {"b.tmp.py": ""})
        assert _found(tmp_path).python == []
        assert _found(tmp_path, "out").python == ["out/in/a.py"]
        assert _found(tmp_path, "out/in").python == ["out/in/a.py"]
        assert _found(tmp_path, "b.tmp.py").python == ["b.tmp.py"]

    def test_a_file_with_a_mark_and_windows_newlines(self, tmp_path):
        _tree(tmp_path, {".gitignore": b"\xef\xbb\xbfa.py\r\nb.py  \r\n", "a.py": "", "b.py": ""})
        _tree(tmp_path, {"c.py": ""})
        assert _found(tmp_path).python == ["c.py"]

    def test_exclude_counts_from_the_root_that_is_given(self, tmp_path):
        _tree(
            tmp_path, {"src/vendor/a.py": "", "vendor/b.py": "", "src/c.py": "", "src/gen.py": ""}
        )
        found = _found(tmp_path, "src", exclude=("src/vendor/", "gen.py"))
        assert found.python == ["src/c.py"]

    def test_pathspec_is_not_imported_for_lines_that_cannot_match(self, tmp_path):
        _tree(tmp_path, {"a.py": "", ".gitignore": "*.py[cod]\n*.log\nbuild/\n/doc/*\n.env.*\n"})
        code = (
            "import sys; from codemods.files import discover; found = discover(['.']);"
            "print(found.python, 'pathspec' in sys.modules)"
        )
        run = [sys.executable, "-c", code]
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        out = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, check=True)
        assert out.stdout.decode().strip() == "['a.py'] False"


_NAMES = ["a", "b", "ab", "a.py", "b.py", "ab.py", "x[y].py", "a b.py"]
_LINES = st.one_of(
    st.sampled_from(
        ["*", "!*/", "*.py", "!*.py", "/*", "a", "a/", "!a", "/a", "a/b", "a/*", "**/b"]
    ),
    st.sampled_from(
        [
            "a/**",
            "!/a/b/",
            "[ab].py",
            "[!a]*",
            "a/**/",
            "!a/**",
            "**/a/**",
            "/**",
            "!**/",
            "a/*/",
            "?.py",
            "# no",
            "",
            "\\a.py",
            "a*",
            "*b*",
        ]
    ),
    st.sampled_from(
        ["!a.py", "a/a.py", "a/**/b.py", "*.p[xy]", "x\\[y\\].py", "a b.py", "b.py ", "!b"]
    ),
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    files=st.sets(
        st.lists(st.sampled_from(_NAMES[:3]), max_size=3).flatmap(
            lambda folders: st.sampled_from(_NAMES[3:]).map(lambda n: "/".join([*folders, n]))
        ),
        min_size=1,
        max_size=8,
    ),
    ignores=st.dictionaries(
        st.sampled_from(["", "a/", "a/b/", "b/"]), st.lists(_LINES, min_size=1, max_size=4)
    ),
)
def test_ignores_what_git_ignores(tmp_path_factory, files, ignores):
    root = tmp_path_factory.mktemp("repo")
    _git(root, "init", "-q")
    _tree(root, dict.fromkeys(files, ""))
    for folder, lines in ignores.items():
        _tree(root, {folder + ".gitignore": "\n".join(lines) + "\n"})
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard", "--", "*.py"],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout
    expected = sorted(os.fsdecode(name) for name in listed.split(b"\0") if name)
    assert _found(root).python == expected


class TestScan:
    def test_gives_hits_with_their_bytes(self, tmp_path):
        _tree(tmp_path, {"a.py": "import agentlightning\n", "b.py": "import lightning\n"})
        files = _found_paths(tmp_path)
        assert list(scan_literals(files)) == [(files[0], b"import agentlightning\n")]

    @pytest.mark.parametrize("before", [0, 65520, 65530, 65536, 200_000, 3_000_000])
    def test_finds_it_anywhere(self, tmp_path, before):
        data = b"#" * before + b"agentlightning"
        _tree(tmp_path, {"a.py": data})
        assert [found for _, found in scan_literals(_found_paths(tmp_path))] == [data]

    def test_what_the_file_before_left_behind_is_not_seen(self, tmp_path):
        _tree(tmp_path, {"a.py": "#" * 50 + "agentlightning", "b.py": "#" * 10, "c.py": ""})
        assert len(list(scan_literals(_found_paths(tmp_path)))) == 1

    def test_any_of_several_literals(self, tmp_path):
        _tree(tmp_path, {"a.py": "one", "b.py": "two", "c.py": "three"})
        found = scan_literals(_found_paths(tmp_path), (b"one", b"three"))
        assert [data for _, data in found] == [b"one", b"three"]

    def test_a_file_that_is_gone_is_a_problem_and_the_rest_is_read(self, tmp_path):
        _tree(tmp_path, {"a.py": "agentlightning", "b.py": "agentlightning"})
        files = _found_paths(tmp_path)
        (tmp_path / "a.py").unlink()
        problems = []
        assert [path for path, _ in scan_literals(files, problems=problems)] == files[1:]
        assert problems == [(files[0], "not found")]

    def test_a_file_that_became_a_folder_is_a_problem(self, tmp_path):
        problems = []
        assert list(scan_literals([str(tmp_path)], problems=problems)) == []
        assert len(problems) == 1

    def test_a_pipe_does_not_block(self, tmp_path):
        os.mkfifo(tmp_path / "p.py")
        reader = threading.Thread(
            target=lambda: list(scan_literals([str(tmp_path / "p.py")], problems=[])), daemon=True
        )
        reader.start()
        reader.join(10)
        assert not reader.is_alive()

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(
        contents=st.lists(
            st.text("agentlighn x", max_size=40) | st.just("agentlightning"), max_size=5
        )
    )
    def test_agrees_with_reading_each_file(self, tmp_path_factory, contents):
        root = tmp_path_factory.mktemp("scan")
        _tree(root, {f"{number}.py": text for number, text in enumerate(contents)})
        expected = [text.encode() for text in contents if "agentlightning" in text]
        assert [data for _, data in scan_literals(_found_paths(root))] == expected


def _found_paths(root):
    return discover([str(root)]).python
