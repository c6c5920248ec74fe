"""All files of a run change, or come back; whenever it is cut off."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codemods.journal import FOLDER
from codemods.transaction import Transaction, TransactionError, is_interrupted, undo

_FILE_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.rmdir", "os.truncate"}


def _files(root):
    """Everything below a root but the tool's own folder: bytes and modes."""
    return {
        str(path.relative_to(root)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in sorted(root.rglob("*"))
        if path.is_file() and FOLDER not in path.relative_to(root).parts
    }


def _contents(root):
    return {name: data for name, (data, _) in _files(root).items()}


def _make(root, contents):
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _write(root, contents, checkpoint=None):
    """Change the files to these contents in one run."""
    with Transaction(root, checkpoint=checkpoint) as transaction:
        for name, after in contents.items():
            transaction.add(str(root / name), (root / name).read_bytes(), after)
        return transaction.commit()


def _forked(action):
    """Run an action in a child process, and give its status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


def _killed_at(step, action):
    """Run an action in a child that is killed before its nth change of a file.

    Tells whether it was killed.
    """

    def watched():
        left = step

        def hook(event, arguments):
            nonlocal left
            if event in _FILE_EVENTS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        action()

    status = _forked(watched)
    return os.WIFSIGNALED(status)


BEFORE = {"a.py": b"a = 1\n", "sub/b.py": b"\xef\xbb\xbfb\r\n", "sub/c.py": b"c\xe9"}
AFTER = {"a.py": b"a = 2\n", "sub/b.py": b"", "sub/c.py": b"other\n"}


class TestCommit:
    def test_writes_all_files_and_keeps_their_modes(self, tmp_path):
        _make(tmp_path, BEFORE)
        os.chmod(tmp_path / "a.py", 0o750)
        os.chmod(tmp_path / "sub/b.py", 0o600)
        outcome = _write(tmp_path, AFTER)
        assert outcome == ([str(tmp_path / name) for name in AFTER], [])
        assert _contents(tmp_path) == AFTER
        assert _files(tmp_path)["a.py"][1] == 0o750
        assert _files(tmp_path)["sub/b.py"][1] == 0o600

    def test_what_is_kept_is_not_for_git(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        assert (tmp_path / FOLDER / ".gitignore").read_text() == "*\n"

    def test_a_run_without_changes_leaves_nothing(self, tmp_path):
        _make(tmp_path, BEFORE)
        assert _write(tmp_path, {}) == ([], [])
        assert _write(tmp_path, BEFORE) == ([], [])
        assert not (tmp_path / FOLDER).exists()

    def test_a_run_without_changes_is_not_the_last_run(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        _write(tmp_path, AFTER)
        undo(tmp_path)
        assert _contents(tmp_path) == BEFORE

    def test_a_link_stays_a_link(self, tmp_path):
        _make(tmp_path, {"real.py": b"a"})
        (tmp_path / "link.py").symlink_to("real.py")
        _write(tmp_path, {"link.py": b"b"})
        assert (tmp_path / "link.py").is_symlink()
        assert (tmp_path / "real.py").read_bytes() == b"b"
        undo(tmp_path)
        assert (tmp_path / "real.py").read_bytes() == b"a"

    def test_a_file_outside_of_the_root(self, tmp_path):
        _make(tmp_path, {"root/a.py": b"a", "out.py": b"a"})
        _write(tmp_path / "root", {"../out.py": b"b"})
        assert (tmp_path / "out.py").read_bytes() == b"b"
        undo(tmp_path / "root")
        assert (tmp_path / "out.py").read_bytes() == b"a"

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
    def test_the_owner_is_kept(self, tmp_path):
        _make(tmp_path, {"a.py": b"a"})
        os.chown(tmp_path / "a.py", 1234, 4321)
        _write(tmp_path, {"a.py": b"b"})
        status = (tmp_path / "a.py").stat()
        assert (status.st_uid, status.st_gid) == (1234, 4321)

    def test_odd_names(self, tmp_path):
        name = os.fsdecode(b"\xff \n'\".py")
        _make(tmp_path, {name: b"a"})
        _write(tmp_path, {name: b"b"})
        undo(tmp_path)
        assert _contents(tmp_path) == {name: b"a"}


class TestOneBadFile:
    def _changing(self, root, change):
        """A run where something happens to `a.py` between reading and writing."""
        _make(root, BEFORE)
        with Transaction(root) as transaction:
            for name, after in AFTER.items():
                transaction.add(str(root / name), BEFORE[name], after)
            change(root / "a.py")
            return transaction.commit()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda path: path.write_bytes(b"mine"), "changed while the run was under way"),
            (lambda path: path.unlink(), "deleted while the run was under way"),
            (lambda path: path.chmod(0o444), "the file is read-only"),
            (lambda path: (path.unlink(), path.mkdir()), "is a directory"),
        ],
    )
    def test_does_not_stop_the_others(self, tmp_path, change, reason):
        outcome = self._changing(tmp_path, change)
        assert outcome.problems == [(str(tmp_path / "a.py"), reason)]
        assert len(outcome.written) == 2
        contents = _contents(tmp_path)
        assert contents.get("a.py") != AFTER["a.py"]
        assert {name: contents[name] for name in ("sub/b.py", "sub/c.py")} == {
            name: AFTER[name] for name in ("sub/b.py", "sub/c.py")
        }
        assert undo(tmp_path).problems == []
        assert _contents(tmp_path)["sub/b.py"] == BEFORE["sub/b.py"]

    def test_a_change_at_the_last_moment_is_seen(self, tmp_path):
        _make(tmp_path, BEFORE)

        def checkpoint(name):
            if name == "replace 1":
                (tmp_path / "sub/b.py").write_bytes(b"mine")

        outcome = _write(tmp_path, AFTER, checkpoint)
        assert outcome.problems == [
            (str(tmp_path / "sub/b.py"), "changed while the run was under way")
        ]
        assert _contents(tmp_path) == AFTER | {"sub/b.py": b"mine"}
        undo(tmp_path)
        assert _contents(tmp_path) == BEFORE | {"sub/b.py": b"mine"}

    def test_a_read_only_folder(self):
        """In a process without root's rights; a file there can neither be made nor replaced."""
        code = (
            "from codemods.transaction import Transaction\n"
            "with Transaction('.') as t:\n"
            "    for name in ('shut/a.py', 'open/a.py'): t.add(name, b'a', b'b')\n"
            "    print(t.commit())"
        )
        # pytest's own folders are closed to other users
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            _make(root, {"shut/a.py": b"a", "open/a.py": b"a"})
            for path in (root, *root.rglob("*")):
                path.chmod(0o777 if path.is_dir() else 0o666)
            (root / "shut").chmod(0o555)
            out = _as_nobody(code, root)
            (root / "shut").chmod(0o755)
            assert "written=['open/a.py']" in out
            assert "path='shut/a.py', reason='no right to write in the folder'" in out
            assert _contents(root) == {"shut/a.py": b"a", "open/a.py": b"b"}

    def test_a_root_that_cannot_be_written_is_clear(self, tmp_path):
        _make(tmp_path, {"a.py": b"a", FOLDER: b"a file where the folder should be"})
        with Transaction(tmp_path) as transaction:
            assert transaction.commit() == ([], [])
            transaction.add(str(tmp_path / "a.py"), b"a", b"b")
            with pytest.raises(TransactionError, match="nothing was changed"):
                transaction.commit()
        assert (tmp_path / "a.py").read_bytes() == b"a"


def _as_nobody(code, folder):
    """Run code in a folder as a user with no rights of its own, and give its output."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "1"}
    program = f"import os; os.chdir({str(folder)!r})\n"
    if os.getuid() == 0:
        imports = "import codemods.transaction, hashlib, shutil, json, fcntl\n"
        program += imports + "os.setgid(65534); os.setuid(65534)\n"
    run = [sys.executable, "-c", program + code]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestUndo:
    def test_gives_back_the_original_bytes(self, tmp_path):
        _make(tmp_path, BEFORE)
        before = _files(tmp_path)
        _write(tmp_path, AFTER)
        restored = undo(tmp_path)
        assert sorted(restored.files) == [str(tmp_path / name) for name in BEFORE]
        assert restored.problems == []
        assert _files(tmp_path) == before
        assert not (tmp_path / FOLDER).exists()

    def test_only_the_last_run(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        _write(tmp_path, {"a.py": b"a = 3\n"})
        undo(tmp_path)
        assert _contents(tmp_path) == AFTER
        with pytest.raises(TransactionError, match="no run to undo"):
            undo(tmp_path)

    def test_nothing_to_undo(self, tmp_path):
        with pytest.raises(TransactionError, match="no run to undo"):
            undo(tmp_path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("change", [lambda p: p.write_bytes(b"mine"), lambda p: p.unlink()])
    def test_refuses_for_files_that_were_changed(self, tmp_path, change):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        change(tmp_path / "sub/b.py")
        now = _contents(tmp_path)
        with pytest.raises(TransactionError, match=r"sub/b\.py") as caught:
            undo(tmp_path)
        assert "a.py" not in str(caught.value)
        assert _contents(tmp_path) == now
        undo(tmp_path, force=True)
        assert _contents(tmp_path) == BEFORE

    def test_a_file_that_was_put_back_by_hand_is_no_hindrance(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        (tmp_path / "a.py").write_bytes(BEFORE["a.py"])
        undo(tmp_path)
        assert _contents(tmp_path) == BEFORE

    def test_a_damaged_copy_is_not_put_back(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        [copy] = (tmp_path / FOLDER).glob("backup-*/0000*")
        copy.write_bytes(b"damaged")
        restored = undo(tmp_path)
        assert [path for path, _ in restored.problems] == [str(tmp_path / "a.py")]
        assert _contents(tmp_path) == BEFORE | {"a.py": AFTER["a.py"]}

    def test_a_journal_that_makes_no_sense(self, tmp_path):
        _make(tmp_path, BEFORE)
        _write(tmp_path, AFTER)
        for text in ("{", "[]", "{}", json.dumps({"version": 99})):
            (tmp_path / FOLDER / "journal.json").write_text(text)
            with pytest.raises(TransactionError, match=r"journal\.json"):
                undo(tmp_path)
            with pytest.raises(TransactionError, match=r"journal\.json"):
                _write(tmp_path, {"a.py": b"x"})
        assert _contents(tmp_path) == AFTER


class TestLock:
    def test_two_runs_at_once(self, tmp_path):
        _make(tmp_path, BEFORE)
        with Transaction(tmp_path):
            with pytest.raises(TransactionError, match=f"process {os.getpid()}"):
                _write(tmp_path, AFTER)
            assert _contents(tmp_path) == BEFORE
        assert len(_write(tmp_path, AFTER).written) == 3

    def test_the_lock_of_a_dead_process_is_taken_over(self, tmp_path):
        _make(tmp_path, BEFORE)

        def die_with_the_lock():
            with Transaction(tmp_path):
                os.kill(os.getpid(), signal.SIGKILL)

        assert os.WIFSIGNALED(_forked(die_with_the_lock))
        assert (tmp_path / FOLDER / "lock").exists()
        assert len(_write(tmp_path, AFTER).written) == 3


class TestInterrupted:
    def test_killed_at_every_step(self, tmp_path):
        """Whenever it is killed, the next run starts from the old bytes or from the new ones."""
        recovered = 0
        for step in range(1000):
            root = tmp_path / str(step)
            _make(root, BEFORE)
            before = _files(root)
            was_killed = _killed_at(step, lambda root=root: _write(root, AFTER))
            interrupted = is_interrupted(root)
            with Transaction(root) as transaction:
                assert interrupted == (transaction.recovered is not None)
                recovered += interrupted
            if interrupted or _contents(root) == BEFORE:
                assert _files(root) == before
            else:
                assert _contents(root) == AFTER
                undo(root)
                assert _files(root) == before
            assert not (root / FOLDER).exists()
            if not was_killed:
                break
        assert not was_killed
        assert recovered >= 9

    def test_killed_at_every_step_of_a_second_run(self, tmp_path):
        """The run before is the last one again, and can be undone."""
        for step in range(1000):
            root = tmp_path / str(step)
            _make(root, BEFORE)
            _write(root, AFTER)
            second = {"a.py": b"a = 3\n", "sub/c.py": b"third"}
            was_killed = _killed_at(step, lambda root=root, new=second: _write(root, new))
            with Transaction(root):
                now = _contents(root)
            assert now in (AFTER, AFTER | second)
            undo(root)
            assert _contents(root) == (BEFORE if now == AFTER else AFTER)
            if not was_killed:
                break
        assert not was_killed

    @pytest.mark.parametrize("changed", [False, True])
    def test_killed_at_every_step_of_an_undo(self, tmp_path, changed):
        for step in range(1000):
            root = tmp_path / str(step)
            _make(root, BEFORE)
            _write(root, AFTER)
            if changed:
                (root / "a.py").write_bytes(b"mine")
                (root / "sub/b.py").unlink()
            now = _contents(root)
            was_killed = _killed_at(step, lambda root=root: undo(root, force=changed))
            with Transaction(root):
                pass
            if _contents(root) == now:
                undo(root, force=changed)
            assert _contents(root) == BEFORE
            if not was_killed:
                break
        assert not was_killed

    def test_killed_at_every_step_of_the_recovery(self, tmp_path):
        for step in range(1000):
            root = tmp_path / str(step)
            _make(root, BEFORE)
            self._interrupt(root)

            def recover(root=root):
                with Transaction(root):
                    pass

            was_killed = _killed_at(step, recover)
            with Transaction(root):
                assert _contents(root) == BEFORE
            if not was_killed:
                break
        assert not was_killed

    def _interrupt(self, root, at="done"):
        def checkpoint(name):
            if name == at:
                os.kill(os.getpid(), signal.SIGKILL)

        assert os.WIFSIGNALED(_forked(lambda: _write(root, AFTER, checkpoint)))
        assert is_interrupted(root)

    @pytest.mark.parametrize("at", ["write 0", "replace 1", "replace 2", "done"])
    def test_recovery_is_told(self, tmp_path, at):
        _make(tmp_path, BEFORE)
        self._interrupt(tmp_path, at)
        with Transaction(tmp_path) as transaction:
            done = {"write 0": 0, "replace 1": 1, "replace 2": 2, "done": 3}[at]
            assert len(transaction.recovered.files) == done
        assert _contents(tmp_path) == BEFORE
        assert not is_interrupted(tmp_path)

    def test_undo_restores_the_interrupted_run_and_nothing_else(self, tmp_path):
        _make(tmp_path, dict.fromkeys(BEFORE, b"oldest"))
        _write(tmp_path, BEFORE)
        self._interrupt(tmp_path)
        assert len(undo(tmp_path).files) == 3
        assert _contents(tmp_path) == BEFORE

    def test_an_edit_after_the_interruption_is_kept_and_so_is_the_original(self, tmp_path):
        _make(tmp_path, BEFORE)
        self._interrupt(tmp_path)
        (tmp_path / "a.py").write_bytes(b"mine")
        with Transaction(tmp_path) as transaction:
            [problem] = transaction.recovered.problems
        assert problem.path == str(tmp_path / "a.py")
        assert _contents(tmp_path) == BEFORE | {"a.py": b"mine"}
        [kept] = (tmp_path / FOLDER).glob("kept-*")
        assert str(kept) in problem.reason
        assert (kept / "0000.original").read_bytes() == BEFORE["a.py"]
        assert not is_interrupted(tmp_path)

    def test_an_exception_rolls_back_at_once(self, tmp_path):
        _make(tmp_path, BEFORE)

        def checkpoint(name):
            if name == "replace 2":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            _write(tmp_path, AFTER, checkpoint)
        assert _contents(tmp_path) == BEFORE
        assert not (tmp_path / FOLDER).exists()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    files=st.dictionaries(
        st.sampled_from(["a.py", "b.py", "c/d.py"]),
        st.tuples(
            st.binary(max_size=300), st.binary(max_size=300), st.sampled_from([0o644, 0o600, 0o755])
        ),
        min_size=1,
    )
)
def test_write_and_undo_give_the_same_bytes_and_modes(tmp_path_factory, files):
    root = tmp_path_factory.mktemp("files")
    _make(root, {name: before for name, (before, _, _) in files.items()})
    for name, (_, _, mode) in files.items():
        os.chmod(root / name, mode)
    before = _files(root)
    changed = [name for name, (old, new, _) in files.items() if old != new]
    assert len(_write(root, {name: after for name, (_, after, _) in files.items()}).written) == len(
        changed
    )
    assert _files(root) == {name: (after, mode) for name, (_, after, mode) in files.items()}
    if changed:
        undo(root)
    assert _files(root) == before
