"""A callback hears of new versions and aliases, whoever makes them, and only of new."""

import os
import queue
import subprocess
import sys
import time

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.tracking.artifacts import api, watching

pytestmark = pytest.mark.usefixtures("plain_surroundings")
WAIT_S = 20.0


@pytest.fixture
def told():
    """What was heard: (reference, what, detail)."""
    heard = queue.Queue()
    heard.tell = lambda record, event: heard.put((record.ref, event.what, event.detail))
    return heard


def nothing_more(told):
    time.sleep(2.5 * watching.POLL_S)
    return told.empty()


def test_new_versions_and_aliases_are_told_once_and_earlier_ones_never(run, told):
    run.log_artifact({"n": 0}, "mlp", aliases="old")
    with api.on("ml*", told.tell) as watch:
        assert watch.is_on
        run.log_artifact({"n": 1}, "mlp", aliases="new")
        run.log_artifact({"n": 1}, "mlp")  # the same version again
        run.log_artifact({"n": 1}, "other")
        heard = [told.get(timeout=WAIT_S) for _ in range(2)]
        assert heard == [("mlp:v1", "version", ""), ("mlp:v1", "alias", "new")]
        api.alias("mlp:v0", "new")
        assert told.get(timeout=WAIT_S) == ("mlp:v0", "alias", "new")
        assert nothing_more(told)
    run.log_artifact({"n": 2}, "mlp")
    assert nothing_more(told)
    assert not watch.is_on


def test_versions_of_another_process_are_told(run, told, store_path):
    script = (
        "import nbtrack\nwith nbtrack.start() as r: r.log_artifact({'n': 1}, 'mlp')"
    )
    with api.on("mlp", told.tell, "version"):
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
        assert told.get(timeout=WAIT_S) == ("mlp:v0", "version", "")


def test_a_callback_that_raises_is_one_line_and_stops_nobody(run, told, capsys):
    def broken(record, event):
        raise ValueError("in the callback")

    with api.on("mlp", broken), api.on("mlp", told.tell, "version"):
        for n in range(3):
            run.log_artifact({"n": n}, "mlp")
            assert told.get(timeout=WAIT_S)[0] == f"mlp:v{n}"
    assert capsys.readouterr().err.count("in the callback") == 1


def test_a_callback_may_stop_itself_and_log(run, told):
    """Evaluating new models automatically."""

    def evaluate(record, event):
        with nbtrack.start("evaluation", parent="") as evaluation:
            evaluation.use_artifact(record.ref)
            evaluation.log(acc=0.9)
        told.tell(record, event)
        watch.stop()

    watch = api.on("mlp", evaluate, "version")
    run.log_artifact({"n": 1}, "mlp")
    assert told.get(timeout=WAIT_S)[0] == "mlp:v0"
    run.log_artifact({"n": 2}, "mlp")
    assert nothing_more(told)
    [edge] = run.store.artifact_uses(role="input")
    assert (edge.run_name, edge.name) == ("evaluation", "mlp")


def test_what_cannot_happen_is_refused_with_a_hint(run, told):
    with pytest.raises(OptionError, match="Did you mean version"):
        api.on("mlp", told.tell, "versoin")


def test_edits_and_deletions_are_told_where_asked(run, told):
    run.log_artifact({"n": 0}, "mlp")
    run.log_artifact({"n": 1}, "mlp")
    with api.on("mlp", told.tell, ["edited", "deleted"]):
        api.edit("mlp:v0", description="x")
        api.delete("mlp:v0")
        heard = [told.get(timeout=WAIT_S)[1] for _ in range(2)]
    assert heard == ["edited", "deleted"]


FORKED = """
import nbtrack, os, time
heard = []
with nbtrack.start("base") as run:
    watch = nbtrack.artifacts.on("mlp", lambda r, e: heard.append(r.ref), "version")
    run.log_artifact({"n": 0}, "mlp")
    while not heard:
        time.sleep(0.01)
    if (pid := os.fork()) == 0:
        code = 1
        try:
            assert not watch.is_on
            watch.stop()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert watch.is_on
    run.log_artifact({"n": 1}, "mlp")
    while len(heard) < 2:
        time.sleep(0.01)
"""


def test_a_forked_child_hears_nothing_and_the_parent_goes_on(store_path):
    """And a process ends though somebody still listens."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED],
        env={**os.environ}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_thread_ends_with_the_last_watch(run, told):
    import threading

    def there():
        names = {thread.name for thread in threading.enumerate()}
        return "nbtrack-artifact-watch" in names

    watch = api.on("mlp", told.tell)
    assert there()
    watch.stop()
    until = time.monotonic() + WAIT_S
    while there() and time.monotonic() < until:
        time.sleep(0.02)
    assert not there()
