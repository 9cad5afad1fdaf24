"""A script under `nbtrack run` is the script under `python`: all that it can tell."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap

import pytest
from click.testing import CliRunner
from scripts_folder import COMMAND

from nbtrack.cli import command
from nbtrack.scripts.asked import Asked

pytestmark = [pytest.mark.reproduce, pytest.mark.usefixtures("plain_surroundings")]

LOOKS = """
    import json, os, sys, __main__
    names = [n for n in vars(__main__) if n[:2] == "__" and "nbtrack" not in n]
    said = sys.stdin.read()
    origin = getattr(__spec__, "origin", None)
    print(json.dumps([__name__, __file__, __package__, origin, __doc__, sys.argv,
                      sys.orig_argv, sys.path, os.getcwd(), said, sorted(names),
                      type(__loader__).__name__, sys.flags.safe_path]))
    """
ODD = ["--lr", "0.1", "", "--", "two words", "e\x1b[31m\u202e;$(x)\n", "-p", "--json"]


FORMS = [
    "script.py",
    "-m",
    pytest.param("./deep/../script.py", marks=pytest.mark.faults),
    pytest.param("link.py", marks=pytest.mark.faults),
]


@pytest.mark.parametrize("form", FORMS)
def test_it_finds_everything_as_python_has_it(folder, form):
    folder.write("script.py", LOOKS)
    folder.write("deep/inner.py", LOOKS)
    os.symlink("deep/inner.py", folder.path / "link.py")
    called = ["-m", "deep.inner"] if form == "-m" else [form]
    plain = folder.plainly(*called, *ODD, given="typed\n")
    tracked = folder.tracked(*called, *ODD, given="typed\n")
    assert json.loads(tracked.out) == json.loads(plain.out)
    assert (tracked.code, tracked.own) == (plain.code, plain.err) == (0, "")


ENDINGS = {
    "an error in a function": """
        def divide(n):
            for i in range(3):
                loss = 1 / (n - i)
            return loss
        try:
            divide(1)
        except ZeroDivisionError as exc:
            raise ValueError("no luck") from exc
        """,
    "a status": "import sys; print('out'); sys.exit(7)",
    "a text": "import sys; sys.exit('no data')",
    "a slip of syntax": "x = 1\nif x\n    y = 2\n",
    "a text that is no UTF-8": "x = '\udce9'\n",
    "an interrupt of its own": "raise KeyboardInterrupt",
    "a warning of the compiler": "import sys\nx = 3\nprint(x is 3)\n'\\d'\nsys.exit(4)",
    "a hook of its own": """
        import sys
        sys.excepthook = lambda kind, error, trace: print("mine", kind.__name__,
                                                          trace.tb_lineno)
        loss = 1 / 0
        """,
    "errors that go through us": """
        import argparse, numpy as np, traceback
        def kind(text):
            raise RuntimeError(text)
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float)
        parser.add_argument("--opt", type=kind)
        for call in (lambda: np.save("nowhere/x.npy", [1]),
                     lambda: np.load("nowhere.npy"),
                     lambda: open("nowhere.csv"),
                     lambda: parser.parse_args(["--opt", "adam"])):
            try:
                call()
            except Exception:
                traceback.print_exc()
        parser.parse_args(["--lr", "high"])
        """,
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "at once": "import os; print('bye', flush=True); os._exit(5)",
}


OFTEN = {
    "an error in a function",
    "a status",
    "a slip of syntax",
    "an interrupt of its own",
    "errors that go through us",
}


@pytest.mark.parametrize(
    "ending",
    [pytest.param(e, marks=[] if e in OFTEN else pytest.mark.faults) for e in ENDINGS],
)
def test_it_ends_as_under_python(folder, ending):
    folder.write("script.py", ENDINGS[ending])
    plain, tracked = folder.plainly("script.py"), folder.tracked("script.py")
    assert (tracked.code, tracked.out) == (plain.code, plain.out)
    assert tracked.own == plain.err
    assert tracked.code != 0


def test_a_module_fails_as_under_python(folder):
    folder.write("pkg/__init__.py", "")
    folder.write("pkg/train.py", "def f():\n    loss = {}['x']\n\nf()\n")
    for module in ("pkg.train", "pkg"):
        plain, tracked = folder.plainly("-m", module), folder.tracked("-m", module)
        assert (tracked.code, tracked.own) == (plain.code, plain.err)
    assert [run.status for run in folder.runs()] == ["failed"]  # of what has begun


def test_ctrl_c_ends_it_by_the_signal_and_the_run_is_stopped(folder):
    text = "import time\nfor i in range(999):\n    loss = 1 / (i + 1)\n"
    text += "    print('x', flush=True)\n    time.sleep(0.02)\n"
    folder.write("loop.py", text)
    for words in ([sys.executable], COMMAND):
        process = folder.start(*words, "loop.py")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        lines = [line for line in err.splitlines() if line[:9] != "nbtrack: "]
        assert process.returncode == -signal.SIGINT
        assert lines[0] == "Traceback (most recent call last):"
        assert lines[-1] == "KeyboardInterrupt"
        files = {line.split(",")[0] for line in lines if "  File" in line}
        assert files == {f'  File "{folder.path}/loop.py"'}, err
    [run] = folder.runs()
    assert run.status == "stopped"
    assert run.metrics["loss"].n > 0


def test_a_killed_script_shows_as_crashed_with_all_its_points(folder):
    text = "import os, signal\nfor i in range(50):\n    loss = 1 / (i + 1)\n"
    folder.write("killed.py", text + "os.kill(os.getpid(), signal.SIGKILL)\n")
    assert folder.tracked("killed.py").code == -signal.SIGKILL
    [run] = folder.runs()
    assert (run.status, run.metrics["loss"].n) == ("crashed", 50)


PROCESSES = """
    import atexit, multiprocessing, os, pickle, sys, threading, time
    from concurrent.futures import ThreadPoolExecutor

    def work(n):
        for i in range(3):
            loss = n + i
        return loss, __name__

    def late():
        time.sleep(0.2)
        print("late", flush=True)

    if __name__ == "__main__":
        atexit.register(print, "bye", flush=True)
        for how in ("fork", "spawn"):
            with multiprocessing.get_context(how).Pool(2) as pool:
                print(how, pool.map(work, range(3)), flush=True)
        pid = os.fork()
        if pid == 0:
            print("child", flush=True)
            sys.exit(3)
        print(os.waitpid(pid, 0)[1], pickle.loads(pickle.dumps(work)) is work)
        threading.Thread(target=late).start()
        print(ThreadPoolExecutor(1).submit(work, 1).result(), flush=True)
        for epoch in range(2):
            acc = epoch / 2
    """


def test_processes_threads_and_last_words_are_its_own(folder):
    folder.write("many.py", PROCESSES)
    plain, tracked = folder.plainly("many.py"), folder.tracked("many.py")
    assert (tracked.code, tracked.out) == (plain.code, plain.out)
    assert tracked.own == plain.err == ""
    [run] = folder.runs()  # none of a child
    assert run.status == "finished"
    assert run.metrics["acc"].n == 2
    assert len([line for line in tracked.ours if "nbtrack: run" in line]) == 1


def test_where_nothing_can_be_recorded_it_runs_all_the_same(folder, monkeypatch):
    folder.write("script.py", "for i in range(2):\n    loss = 1.0\nprint(loss)\n")
    blocked = folder.path / "a file"
    blocked.write_text("")
    said = folder.tracked("--store", blocked / "store", "script.py")
    assert (said.code, said.out, said.own) == (0, "1.0\n", "")
    assert said.ours[0].startswith("nbtrack: this script is not recorded: ")


SLIPS = [
    (["-p", "lr", "s.py"], "Bad -p lr"),
    (["-p", "lr=1/0", "s.py"], "ZeroDivisionError"),
    (["--seed", "x", "s.py"], "--seed needs a whole number"),
    (["--metric", "loss", "s.py"], "Bad -m loss"),
    (["--off", "sytem", "s.py"], "system"),
    (["nowhere.py"], "nowhere.py is no file"),
    (["."], ". is a folder"),
    ([], "Which script?"),
    (["--lr", "1", "s.py"], "--lr"),
]


@pytest.mark.parametrize(("words", "why"), SLIPS)
def test_a_slip_is_said_before_anything_runs(folder, monkeypatch, words, why):
    folder.write("s.py", "print('ran')")
    monkeypatch.chdir(folder.path)
    said = CliRunner().invoke(command, ["run", *words])
    assert (said.exit_code, said.stdout) == (2, "")
    assert why in said.stderr


def test_a_run_to_resume_that_is_not_there_is_said_before_the_script_runs(folder):
    folder.write("s.py", "print('ran')")
    said = folder.tracked("--resume", "nobody", "s.py")
    assert (said.code, said.out, said.own) == (2, "", "")
    assert said.ours[-1].startswith("nbtrack: --resume: There is no run 'nobody'.")


FAULTS = [
    "nbtrack.capture.params.CellCapture.at_start",
    "nbtrack.capture.params.CellCapture.at_end",
    "nbtrack.capture.params.CellCapture.of_command_line",
    "nbtrack.capture.params.CellCapture.of_function",
    "nbtrack.capture.watch.Watcher.instrument",
    "nbtrack.capture.watch.Watcher.finish",
    "nbtrack.capture.files.FileWatch.start",
    "nbtrack.capture.session.SessionLog.begin",
    "nbtrack.capture.session.SessionLog.end",
    "nbtrack.tracking.session.Session.start",
    "nbtrack.store.store.Store.run",
    "nbtrack.scripts.source.decode_source",
    "nbtrack.tracked.recording.status_and_trace",
]
SABOTAGED = """
    import pkgutil, sys
    name, _, attribute = sys.argv.pop(1).rpartition(".")
    def raising(*_, **__):
        raise RuntimeError("no luck")
    setattr(pkgutil.resolve_name(name), attribute, raising)
    from nbtrack.scripts.process import main
    main()
    """
VICTIM = """
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=3)
    def main():
        for i in range(parser.parse_args().n):
            loss = 1 / (i + 1)
        return loss
    print(main())
    """


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
def test_a_hook_that_raises_is_a_line_and_nothing_else(folder, fault):
    folder.write("s.py", VICTIM)
    start = textwrap.dedent(SABOTAGED)
    asked = Asked("s.py").as_json()
    said = folder.plainly("-c", start, fault, asked, "--n", "2")
    assert (said.code, said.out, said.own) == (0, "0.5\n", "")
    assert "no luck" in "".join(said.ours)
