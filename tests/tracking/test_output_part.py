"""What is printed while a run lives is kept with it; the user sees what they would."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import time

import pytest

import nbtrack
from nbtrack.analysis.system_view import logs
from nbtrack.capture import output
from nbtrack.capture.printed import PrintedText
from nbtrack.tracking import output_part
from nbtrack.tracking.background import background

KEY = "sk-ant-api03-" + "aB3dE5fG7h" * 3


def test_what_is_printed_is_shown_and_kept(store_path, capsys):
    print("before")
    with nbtrack.start("base"):
        print("loss", 0.5)
        print("careful", file=sys.stderr)
    print("after")
    said = logs("last")
    assert (said.stdout, said.stderr) == ("loss 0.5\n", "careful\n")
    assert said == "loss 0.5\ncareful\n"
    assert said.left_out is None
    shown = capsys.readouterr()
    assert shown.out == "before\nloss 0.5\nafter\n"
    assert "careful\n" in shown.err


def test_afterwards_the_streams_are_as_they_were(store_path):
    before = [vars(stream).get("write") for stream in (sys.stdout, sys.stderr)]
    with nbtrack.start("base"), nbtrack.start("inner"):
        assert "write" in vars(sys.stdout)
    after = [vars(stream).get("write") for stream in (sys.stdout, sys.stderr)]
    assert after == before


def test_nested_runs_each_keep_what_is_printed_while_they_live(store_path):
    with nbtrack.start("outer"):
        print("one")
        with nbtrack.start("inner"):
            print("two")
        print("three")
    assert logs("outer").stdout == "one\ntwo\nthree\n"
    assert logs("inner").stdout == "two\n"


def test_runs_that_overlap_hear_their_own_time(store_path):
    first = nbtrack.start("first")
    print("one")
    second = nbtrack.start("second")
    print("two")
    first.finish()
    print("three")
    second.finish()
    assert logs("first").stdout == "one\ntwo\n"
    assert logs("second").stdout == "two\nthree\n"


def test_prints_of_threads_and_a_stream_that_is_both(store_path, monkeypatch):
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    with nbtrack.start("base"):
        thread = threading.Thread(target=print, args=("in a thread",))
        thread.start()
        thread.join()
        print("as error", file=sys.stderr)
    said = logs("last")
    assert (said.stdout, said.stderr) == ("in a thread\nas error\n", "")


def test_nothing_is_kept_where_nothing_was_printed(store_path):
    with nbtrack.start("base") as run:
        pass
    background.settle(5.0)
    run.record()
    assert run.store.texts(run.id, "stdout") == []


def test_the_feature_can_be_switched_off(store_path):
    with nbtrack.start("base", off="output"):
        print("secret plans")
    assert logs("last") == ""


def test_a_secret_cut_across_two_writes_is_not_kept(store_path, capsys):
    with nbtrack.start("base") as run:
        for part in ("key ", KEY[:9], KEY[9:20], KEY[20:], "\n"):
            print(part, end="", file=sys.stdout)
    said = logs("last")
    assert said.stdout == "key [redacted]\n"
    (text,) = run.store.texts(run.id, "stdout")
    assert text.n_redacted == 1
    assert KEY in capsys.readouterr().out


def test_half_a_secret_is_not_kept_while_the_rest_may_come(store_path, monkeypatch):
    monkeypatch.setattr(output_part, "EVERY_S", 0.05)
    with nbtrack.start("base") as run:
        print("the key is", KEY[:20], end="")
        time.sleep(0.4)
        run.record()
        (text,) = run.store.texts(run.id, "stdout")
        assert text.body == "the key is "
        print(KEY[20:])
    assert logs("last").stdout == "the key is [redacted]\n"
    kept = b"".join(path.read_bytes() for path in store_path.rglob("*.db*"))
    assert KEY[:20].encode() not in kept


KILLED = """
import os, signal, time, nbtrack
nbtrack.start("killed")
for i in range(40):
    print("line", i, flush=True)
    time.sleep(0.1)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.faults
def test_a_killed_process_leaves_most_of_what_it_said(store_path):
    subprocess.run([sys.executable, "-c", KILLED], capture_output=True, check=False)
    lines = logs("last").stdout.splitlines()
    assert nbtrack.open().run("last").status == "crashed"
    assert len(lines) >= 25  # of 40: about the last second is lost
    assert lines == [f"line {i}" for i in range(len(lines))]


def test_a_long_text_is_cut_and_that_is_said(store_path, capsys):
    with nbtrack.start("base"):
        for i in range(60_000):
            print("a line of some length, number", i)
    said = logs("last")
    assert len(said.stdout.encode()) <= 1 << 20
    assert "bytes of the middle were left out" in said.left_out
    assert said.stdout.startswith("a line of some length, number 0\n")
    assert said.stdout.endswith("number 59999\n")
    assert capsys.readouterr().out.count("\n") == 60_000


class Slotted:
    __slots__ = ()

    def write(self, text):
        return len(text)

    def flush(self):
        pass


def test_a_stream_that_cannot_be_heard_is_a_fact(store_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Slotted())
        with nbtrack.start("base"):
            print("unheard")
    assert "Slotted lets nobody hear" in logs("last").left_out


def test_a_stream_that_is_put_in_place_later_still_leads_to_ours(store_path, capsys):
    class Tee(io.TextIOBase):
        def __init__(self, to):
            self.to, self.own = to, []

        def write(self, text):
            self.own.append(text)
            return self.to.write(text)

    with nbtrack.start("base"):
        real, sys.stdout = sys.stdout, Tee(sys.stdout)
        print("by way of a tee")
        sys.stdout = real
    assert logs("last").stdout == "by way of a tee\n"


def test_a_terminal_of_ipython_hears_over_several_cells(shell):
    shell.run_cell("import nbtrack; run = nbtrack.start('long'); print('one')")
    output_part._streams._tick()
    shell.run_cell("print('two')")
    output_part._streams._tick()
    shell.run_cell("print('three'); run.finish(); print('after')")
    assert logs("long").stdout == "one\ntwo\nthree\n"


def _broken(*_, **__):
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (output.StreamTap, "__init__"),
        (output.StreamTap, "take"),
        (output.StreamTap, "last_words"),
        (PrintedText, "feed"),
        (PrintedText, "whole"),
        (output_part._Listener, "due"),
        (output_part._Listener, "keep_all"),
    ],
)
def test_what_breaks_of_ours_loses_and_doubles_nothing(
    store_path, monkeypatch, capsys, where, what
):
    monkeypatch.setattr(where, what, _broken)
    with nbtrack.start("base") as run:
        for i in range(100):
            print("line", i)
        run.log(loss=0.5)
    background.settle(5.0)
    print("after")
    shown = capsys.readouterr()
    lines = [f"line {i}" for i in range(100)]
    assert shown.out.splitlines() == [*lines, "after"]
    assert shown.err.count("output failed and was left out") == 1
    assert run.record().metrics["loss"].last == 0.5
    assert "write" not in vars(sys.stdout)


def test_a_full_disk_costs_the_log_and_nothing_else(store_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with nbtrack.start("base") as run:
        monkeypatch.setattr(type(run), "log_texts", full)
        print("line")
    background.settle(5.0)
    shown = capsys.readouterr()
    assert shown.out == "line\n"
    assert shown.err.count("output failed") == 1
    assert run.record().status == "finished"


def test_a_forked_child_prints_and_keeps_nothing_of_it(store_path, capfd):
    with nbtrack.start("base"):
        print("parent", flush=True)
        if (child := os.fork()) == 0:
            print("child", flush=True)
            heard = list(output_part._streams._listeners)
            os._exit(3 if "write" in vars(sys.stdout) or heard else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert logs("last").stdout == "parent\n"
    assert "child\n" in capfd.readouterr().out
