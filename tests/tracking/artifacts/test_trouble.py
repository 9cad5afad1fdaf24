"""Trouble of ours never reaches the training; what is under way is waited for."""

import os
import subprocess
import sys
import threading
import time

import pytest

import nbtrack
from nbtrack.errors import StoreError
from nbtrack.tracking.artifacts import api, keeping

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mlp.pt"
    path.write_bytes(os.urandom(2 << 20))
    return path


def refused(*_):
    raise StoreError("mlp.pt cannot be kept: No space left on device.") from OSError(
        28, "No space left on device"
    )


def test_a_full_disk_is_one_line_and_the_next_try_is_made(
    run, file, capsys, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(type(run.store), "put_files", refused)
        logged = [run.log_artifact(file), run.log_artifact({"a": 1}, "x")]
    assert [each.is_kept for each in logged] == [False, False]
    assert logged[0].why == "No space left on device"
    assert capsys.readouterr().err.count("was not kept") == 1
    run.record()
    assert len(run.store.notices(run.id)) == 1
    assert run.log_artifact(file).ref == "mlp:v0"
    assert list(run.store.path.glob("tmp/*")) == []


LIMITED = """
import nbtrack, os, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with nbtrack.start("base") as run:
    run.log_artifact("small.txt", "small")
    run.record()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    logged = run.log_artifact("mlp.pt", "mlp")
    print(logged.is_kept, logged.why)
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    print(run.log_artifact("mlp.pt", "mlp").ref)
"""


def test_a_disk_that_fills_in_the_middle_leaves_nothing_half(file, store_path):
    file.with_name("small.txt").write_text("s")
    file.write_bytes(os.urandom(6 << 20))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=60
    )
    said = done.stdout.splitlines()
    assert (done.returncode, said) == (0, ["False File too large", "mlp:v0"]), done
    with nbtrack.open(store_path) as store:
        assert api.verify(store=store)
        assert [r.ref for r in store.artifact_versions()] == ["small:v0", "mlp:v0"]


def test_a_store_that_can_only_be_read_is_one_line(file, store_path, capsys):
    with nbtrack.start("base") as run:
        run.store.why_read_only = "the store is read-only"
        logged = run.log_artifact(file), run.log_artifact(file.as_uri(), "ref")
        run.store.why_read_only = None
    assert [each.why for each in logged] == ["the store is read-only"] * 2
    assert capsys.readouterr().err.count("was not kept") == 1


def test_whatever_else_goes_wrong_is_a_warning(run, file, capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(keeping, "_kept_files", broken)
    logged = run.log_artifact(file)
    assert (logged.is_kept, logged.ref) == (False, None)
    assert "of ours" in capsys.readouterr().err


def test_what_a_process_that_died_has_left_is_in_nobodys_way(run, file):
    left = run.store.path / "tmp" / "left"
    left.mkdir(parents=True)
    (left / "content.pt").write_bytes(b"half")
    os.utime(left, (1, 1))
    assert run.log_artifact({"a": 1}, "x").is_kept
    assert list(run.store.path.glob("tmp/*")) == []


def test_an_object_that_breaks_while_it_is_saved_breaks_nothing_else(run, capsys):
    pytest.importorskip("joblib")
    logged = run.log_artifact(Breaks(), "odd")
    assert not logged.is_kept
    assert "cannot be copied" in capsys.readouterr().err


class Breaks:
    def fit(self):
        """As estimators have it."""

    def get_params(self):
        """As estimators have it."""

    def __reduce__(self):
        raise RuntimeError("cannot be copied")


CHILD = """
import nbtrack, os, pathlib
with nbtrack.start("base") as run:
    run.log_artifact("mlp.pt", "mlp")
    run.record()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            logged = run.log_artifact("mlp.pt", "other")
            assert not logged.is_kept and "forked child" in logged.why, logged.why
            assert logged.ref is None
            assert run.use_artifact("mlp").read_bytes() == open("mlp.pt", "rb").read()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    os.environ.update(RANK="1", WORLD_SIZE="2")
    silent = nbtrack.start("second rank")
    logged = silent.log_artifact("mlp.pt", "other")
    assert not logged.is_kept and "not the first rank" in logged.why, logged.why
    assert silent.use_artifact("mlp").name == "mlp.pt"
    silent.finish()
"""


def test_a_forked_child_and_another_rank_keep_nothing_and_may_read(file, store_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", CHILD],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with nbtrack.open(store_path) as store:
        assert [r.ref for r in store.artifact_versions()] == ["mlp:v0"]
        assert [u.role for u in store.artifact_uses()] == ["output"]


def test_finish_waits_for_what_another_thread_logs(run, file, monkeypatch):
    begun = threading.Event()
    put_files = type(run.store).put_files

    def slow(store, paths):
        begun.set()
        time.sleep(0.3)
        return put_files(store, paths)

    monkeypatch.setattr(type(run.store), "put_files", slow)
    logged = []
    thread = threading.Thread(target=lambda: logged.append(run.log_artifact(file)))
    thread.start()
    assert begun.wait(10)
    run.finish()
    thread.join()
    assert logged[0].ref == "mlp:v0"
    assert run.record().status == "finished"


def test_ctrl_c_in_a_long_copy_keeps_no_version(run, file, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(keeping, "_apart", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.log_artifact(file)
    assert run.store.artifact_versions() == []
    assert keeping.settle(run, 0.0)


def test_threads_log_versions_side_by_side(run, file):
    def log(n):
        for at in range(5):
            assert run.log_artifact({"n": n, "at": at}, "x").is_kept

    threads = [threading.Thread(target=log, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.record()
    found = run.store.artifact_versions(name="x")
    assert [r.version for r in found] == list(range(20))
    assert api.verify().n_versions == 20
