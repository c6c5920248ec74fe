"""Which files hold something that git could not give back."""

import os
import subprocess

import pytest

from codemods.vcs import VcsError, dirty

_IDENTITY = ["-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always"]


def _git(root, *arguments):
    subprocess.run(["git", *_IDENTITY, *arguments], cwd=root, check=True, capture_output=True)


def _repository(root, *names):
    """A repository with some committed files."""
    root.mkdir(parents=True, exist_ok=True)
    _git(root, "init", "-q")
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"old\n")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "--allow-empty", "-m", "one")
    return root


def _dirty(root, *names):
    found = dirty([str(root / name) for name in names])
    return {name for name in names if str(root / name) in found}


def test_outside_of_a_repository_nothing_is_dirty(tmp_path):
    (tmp_path / "a.py").write_text("a")
    assert dirty([str(tmp_path / "a.py")]) == set()


def test_no_files(tmp_path):
    assert dirty([]) == set()


def test_a_committed_file_is_clean_and_a_changed_one_is_not(tmp_path):
    root = _repository(tmp_path, "clean.py", "changed.py", "staged.py", "both.py", "sub/a.py")
    for name in ("changed.py", "staged.py", "both.py"):
        (root / name).write_text("new\n")
    _git(root, "add", "staged.py", "both.py")
    (root / "both.py").write_text("newer\n")
    names = ("clean.py", "changed.py", "staged.py", "both.py", "sub/a.py")
    assert _dirty(root, *names) == {"changed.py", "staged.py", "both.py"}


def test_only_the_files_that_are_asked_for(tmp_path):
    root = _repository(tmp_path, "a.py", "b.py")
    (root / "b.py").write_text("new\n")
    assert _dirty(root, "a.py") == set()


def test_untracked_files_are_dirty_also_when_ignored(tmp_path):
    root = _repository(tmp_path, "a.py")
    (root / ".gitignore").write_text("out/\nb.py\n")
    for name in ("new/x/n.py", "out/x/o.py", "b.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("new\n")
    names = ("a.py", "new/x/n.py", "out/x/o.py", "b.py")
    assert _dirty(root, *names) == {"new/x/n.py", "out/x/o.py", "b.py"}


def test_a_repository_without_a_commit(tmp_path):
    _git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a")
    assert _dirty(tmp_path, "a.py") == {"a.py"}


def test_a_renamed_file_is_dirty(tmp_path):
    root = _repository(tmp_path, "a.py", "b.py")
    _git(root, "mv", "a.py", "c.py")
    assert _dirty(root, "b.py", "c.py") == {"c.py"}


@pytest.mark.parametrize(
    "name",
    [b"a b.py", b"a\"'b.py", b"a\nb.py", b"\xff\xfe.py", "é.py".encode(), b"[ab]*.py", b":(x)a.py"],
)
def test_odd_names(tmp_path, name):
    name = os.fsdecode(name)
    root = _repository(tmp_path, name, "a.py", "b.py")
    (root / "a.py").write_text("new\n")
    assert _dirty(root, name, "b.py") == set()
    (root / name).write_text("new\n")
    assert _dirty(root, name, "b.py") == {name}


def test_a_name_that_looks_like_an_option(tmp_path, monkeypatch):
    root = _repository(tmp_path, "--help.py", "-a.py")
    (root / "-a.py").write_text("new\n")
    monkeypatch.chdir(root)
    assert dirty(["--help.py", "-a.py"]) == {"-a.py"}


def test_paths_are_given_back_as_named(tmp_path, monkeypatch):
    root = _repository(tmp_path / "repo", "sub/a.py")
    (root / "sub/a.py").write_text("new\n")
    (tmp_path / "link.py").symlink_to("repo/sub/a.py")
    monkeypatch.chdir(root / "sub")
    named = ["a.py", "../sub/a.py", "../../link.py"]
    assert dirty(named) == set(named)


def test_several_repositories_and_one_in_another(tmp_path):
    outer = _repository(tmp_path / "outer", "a.py", "b.py")
    _repository(outer / "inner", "c.py", "d.py")
    _repository(tmp_path / "other", "e.py")
    for name in ("outer/a.py", "outer/inner/c.py", "other/e.py"):
        (tmp_path / name).write_text("new\n")
    names = ("outer/a.py", "outer/b.py", "outer/inner/c.py", "outer/inner/d.py", "other/e.py")
    assert _dirty(tmp_path, *names) == {"outer/a.py", "outer/inner/c.py", "other/e.py"}


def test_submodules_and_linked_work_trees(tmp_path):
    library = _repository(tmp_path / "library", "x.py", "y.py")
    root = _repository(tmp_path / "root", "a.py")
    _git(root, "submodule", "--quiet", "add", str(library), "sub")
    _git(root, "commit", "-q", "-m", "two")
    _git(root, "worktree", "add", "-q", "../linked")
    assert _dirty(tmp_path, "root/sub/x.py", "root/sub/y.py", "linked/a.py") == set()
    for name in ("root/sub/x.py", "linked/a.py"):
        (tmp_path / name).write_text("new\n")
    names = ("root/sub/x.py", "root/sub/y.py", "linked/a.py", "root/a.py")
    assert _dirty(tmp_path, *names) == {"root/sub/x.py", "linked/a.py"}


def test_inside_a_hook_of_another_repository(tmp_path, monkeypatch):
    root = _repository(tmp_path / "root", "a.py", "b.py")
    other = _repository(tmp_path / "other", "c.py")
    (root / "a.py").write_text("new\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    monkeypatch.setenv("GIT_PREFIX", "sub/")
    assert _dirty(root, "a.py", "b.py") == {"a.py"}


def test_settings_of_the_user_do_not_hide_anything(tmp_path):
    root = _repository(tmp_path, "a.py")
    _git(root, "config", "status.showUntrackedFiles", "no")
    _git(root, "config", "status.relativePaths", "true")
    _git(root, "config", "color.ui", "always")
    (root / "n.py").write_text("new\n")
    assert _dirty(root, "a.py", "n.py") == {"n.py"}


def test_more_files_than_fit_a_command_line(tmp_path):
    names = [f"{'long' * 40}/{'name' * 40}-{number}.py" for number in range(500)]
    root = _repository(tmp_path, *names)
    changed = {names[0], names[250], names[-1]}
    for name in changed:
        (root / name).write_text("new\n")
    assert _dirty(root, *names) == changed


def test_git_is_not_installed(tmp_path, monkeypatch):
    root = _repository(tmp_path, "a.py")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VcsError, match="git is not installed"):
        dirty([str(root / "a.py")])


def test_a_folder_that_only_looks_like_a_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.py").write_text("a")
    with pytest.raises(VcsError, match=r"uncommitted changes \(fatal: not a git repository"):
        dirty([str(tmp_path / "a.py")])
