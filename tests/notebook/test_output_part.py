"""Real kernels: a tracked cell prints what it would print, and its run keeps it."""

from __future__ import annotations

import os

import pytest
from jupyter_client.manager import start_new_kernel

from nbtrack.store import Store

TALK = """
import contextlib, io, logging, sys, threading
print("plain", 1, end="; "); print("same line")
print("é\\u2588", file=sys.stderr)
for i in range(3): print(f"step {i}", end="\\r")
print()
thread = threading.Thread(target=print, args=("in a thread",)); thread.start()
thread.join()
with contextlib.redirect_stdout(io.StringIO()) as taken: print("led away")
assert taken.getvalue() == "led away\\n"
sys.stdout.writelines(["a\\n", "b\\n"])
log = logging.getLogger("talk"); log.addHandler(logging.StreamHandler())
log.warning("logged"); log.handlers.clear()
get_ipython().run_line_magic("system", "echo unseen")
get_ipython().system("echo from a shell")
"""
BAR = """
from tqdm import tqdm
for epoch in tqdm(range(2), desc="epochs", mininterval=0, ascii=True):
    for batch in tqdm(range(50), desc="batches", mininterval=0, ascii=True):
        pass
"""


def texts(store, run: str) -> dict[str, str]:
    found = store.run(run)
    printed = [*store.texts(found.id, "stdout"), *store.texts(found.id, "stderr")]
    return {text.role: text.body for text in printed if text.body}


@pytest.fixture
def kept(kernel, kernel_store):
    """What a run of the kernel kept of what it printed."""

    def read(run: str) -> dict[str, str]:
        kernel.run(
            "from nbtrack.tracking.background import background\n"
            "background.settle(10.0); nbtrack.open().journal.flush()"
        )
        return texts(kernel_store, run)

    return read


def test_a_cell_prints_the_same_with_and_without_tracking(kernel, kept):
    kernel.run("import nbtrack")
    plain, tracked = kernel.run(TALK), kernel.run(f"%%track talk{TALK}")
    assert (plain.status, tracked.status) == ("ok", "ok")
    assert tracked.stdout == plain.stdout
    assert tracked.stderr == plain.stderr
    assert kept("talk") == {
        "stdout": plain.stdout.replace("step 0\rstep 1\r", "").replace("\r", ""),
        "stderr": plain.stderr,
    }


def test_bars_are_shown_as_ever_and_kept_as_their_last_line(kernel, kept):
    plain, tracked = kernel.run(BAR), kernel.run(f"%%track bars{BAR}")
    assert tracked.status == "ok"
    assert plain.stderr.count("\r") > 50
    assert abs(tracked.stderr.count("\r") - plain.stderr.count("\r")) < 20
    lines = [line for line in kept("bars")["stderr"].splitlines() if line.strip()]
    assert len(lines) <= 3
    assert any(line.startswith("epochs: 100%") for line in lines)


def test_what_is_printed_before_an_exception_stays(kernel, kept):
    answer = kernel.run('%%track broken\nprint("so far")\n1 / 0')
    assert answer.error == "ZeroDivisionError: division by zero"
    assert "output.py" not in answer.traceback
    assert kept("broken")["stdout"] == "so far\n"


def test_a_streams_own_error_shows_no_line_of_ours_but_its_own(kernel, kept):
    plain = kernel.run("import sys; sys.stdout.write(b'bytes')")
    tracked = kernel.run("%%track slip\nimport sys; sys.stdout.write(b'bytes')")
    assert tracked.error == plain.error != ""


@pytest.mark.parametrize("order", ["track\n%%capture taken", "capture taken\n%%track"])
def test_captured_output_is_captured_as_ever(kernel, kept, order):
    name = f"captured-{order[:2]}"
    answer = kernel.run(f"%%{order} {name}\nprint('quiet')".replace(
        "track\n%%capture taken captured-tr", "track captured-tr\n%%capture taken"
    ))  # fmt: skip
    assert (answer.status, answer.stdout) == ("ok", "")
    assert kernel.run("taken.stdout").result == repr("quiet\n")


def test_afterwards_nobody_hears_any_more(kernel):
    kernel.run("%%track clean\nprint('x')")
    hooks = "import sys, threading; done = threading.Event()\nfound = []\n"
    look = "lambda: (found.extend(sys.stdout._hooks), done.set())"
    kernel.run(f"{hooks}sys.stdout.pub_thread.schedule({look}); done.wait(5)")
    assert kernel.run("found").result == "[]"
    assert kernel.run("print('not kept')").stdout == "not kept\n"


def test_a_run_over_several_cells_hears_them_all(kernel, kept):
    kernel.run("print('before'); run = nbtrack.start('long'); print('one')")
    kernel.run("print('two')")
    kernel.run("import sys; print('careful', file=sys.stderr)")
    kernel.run("print('three'); run.finish(); print('after')")
    assert kept("long") == {"stdout": "one\ntwo\nthree\n", "stderr": "careful\n"}


def test_other_cells_of_the_session_are_not_kept(kernel, kept):
    kernel.run("print('before')")
    kernel.run("%%track mine\nprint('mine')")
    kernel.run("print('after')")
    assert kept("mine") == {"stdout": "mine\n"}


def test_switched_off_keeps_nothing(kernel, kept):
    answer = kernel.run("%%track quiet --off output\nprint('private')")
    assert answer.stdout == "private\n"
    assert kept("quiet") == {}


C_CODE = """
import ctypes, os, time
ctypes.CDLL(None).puts(b"from C"); ctypes.CDLL(None).fflush(None)
os.write(2, b"to the descriptor\\n")
time.sleep(0.3)
"""


def test_what_c_code_prints_in_a_kernel_is_kept_too(tmp_path):
    env = {**os.environ, "NBTRACK_STORE": str(tmp_path / ".nbtrack")}
    # ipykernel does not watch the descriptors where it finds itself under pytest.
    env.pop("PYTEST_CURRENT_TEST", None)
    manager, client = start_new_kernel(env=env, cwd=str(tmp_path), startup_timeout=60)
    try:
        for code in (
            "%load_ext nbtrack\nimport nbtrack",
            f"%%track native{C_CODE}",
            "from nbtrack.tracking.background import background; "
            "background.settle(10.0); nbtrack.open().journal.flush()",
        ):
            client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    with Store.open(tmp_path / ".nbtrack") as store:
        found = texts(store, "native")
    assert found["stdout"] == "from C\n"
    assert "to the descriptor\n" in found["stderr"]
