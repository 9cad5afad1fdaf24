"""Fixtures that several folders share: a store of one's own, a live run, a shell."""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

# No test notes its stores among the user's, nor does a process that it starts.
os.environ["NBTRACK_REGISTRY"] = "off"

# jsonschema would have this compile 38 grammars at its import, 4 s of each process, to
# check addresses in schemas; without it, it goes on without that check.
sys.modules.setdefault("rfc3987_syntax", None)

# Where Python was told not to write what it compiled beside the sources, it goes beside
# the cache of the tests: else each of the hundred kernels and workers that tests start
# compiles PyTorch, Jupyter and us anew, a second or two each.
if sys.dont_write_bytecode and sys.pycache_prefix is None:
    sys.pycache_prefix = str(Path(__file__).parent.parent / ".pytest_cache/compiled")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False

# Folders in which every test bears one of these markers.
_SUITES = {
    "benchmarks": {"benchmark", "peers"},
    "browser": {"browser"},
    "faults": {"faults", "fuzz"},  # of these, the long ones are for `make test-fuzz`
    "frameworks": {"frameworks"},
    "reproduce": {"reproduce"},
}


def pytest_configure(config):
    """Beside other processes of tests, threads of one more wait for a core, and spin.

    Said before these processes start: what they start gets what they started with.
    """
    if getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_ignore_collect(collection_path, config):
    """A suite that is not asked for is not read: it imports Keras, Chromium's driver...

    Each process would read it, be slower for all it imported, and leave its tests out.
    """
    markers = _SUITES.get(collection_path.name)
    if markers is None or collection_path.parent != Path(__file__).parent:
        return None
    expression = config.option.markexpr
    left_out = set(re.findall(r"\bnot (\w+)", expression))
    words = set(re.findall(r"\w+", re.sub(r"\bnot \w+", "", expression)))
    asked = words - {"and", "or"}
    return True if markers <= left_out or (asked and not asked & markers) else None


# Shared out first, so that no process is left with one of them at the end.
_LONG = (
    "tests/test_notebooks.py",
    "tests/docs/test_pages.py",
    "tests/slices/",
    "tests/notebook/test_panel_live.py",
    "tests/test_corpus.py",
    "tests/test_docstrings.py",
)
# Files whose tests share nothing: each goes to whichever process is free.
_APART = ("tests/test_notebooks.py", "tests/docs/test_pages.py")
# Files that share what takes seconds: one process has them all.
_TOGETHER = {
    "tests/slices/test_random_sessions.py": "the warm process of sessions",
    "tests/slices/test_sessions.py": "the warm process of sessions",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As `--dist loadfile`, but the long ones first and notebooks one by one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class LongestFirst(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return nodeid if file in _APART else _TOGETHER.get(file, file)

    config.option.loadscopereorder = False  # by number of tests, that is
    return LongestFirst(config, log)


def pytest_collection_modifyitems(items):
    """The order in which tests are handed out; within a file it stays as it is."""

    def place(item):
        found = (i for i, name in enumerate(_LONG) if item.nodeid.startswith(name))
        return next(found, len(_LONG))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is imported stays: no collection of garbage walks its million objects.

    IPython collects at the end of each shell, which took 0.7 s of a test.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        _keep_imports()
        gc.enable()


def _keep_imports():
    """Take what was imported since out of the reach of collections of garbage."""
    if len(sys.modules) > _keep_imports.modules + 100:
        gc.collect()
        gc.freeze()
        _keep_imports.modules = len(sys.modules)


_keep_imports.modules = 0


@pytest.fixture
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store folder of the test's own; nbtrack finds it as the user's would be."""
    path = tmp_path / ".nbtrack"
    monkeypatch.setenv("NBTRACK_STORE", str(path))
    return path


@pytest.fixture
def store(store_path):
    from nbtrack.store import Store

    opened = Store.open(store_path)
    yield opened
    opened.close()


@pytest.fixture
def run(store_path):
    """A live run in a store of its own, as the current run of the process."""
    import nbtrack

    live = nbtrack.start("base")
    yield live
    live.finish()


@contextmanager
def fresh_shell():
    """A real IPython shell of one's own; its files and hooks are gone afterwards."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    in_memory = Config({"HistoryManager": {"hist_file": ":memory:"}})  # not the user's
    made = InteractiveShell.instance(config=in_memory)
    try:
        yield made
    finally:
        if "nbtrack" in made.extension_manager.loaded:
            made.run_line_magic("unload_ext", "nbtrack")
        made.atexit_operations()
        atexit.unregister(made.atexit_operations)
        InteractiveShell.clear_instance()


@pytest.fixture
def shell(store_path, tmp_path_factory, monkeypatch):
    """In an empty folder: nbtrack looks through a notebook's folder at each cell."""
    monkeypatch.chdir(tmp_path_factory.mktemp("notebook"))
    with fresh_shell() as made:
        yield made


@pytest.fixture
def plain_surroundings(monkeypatch):
    """For tests about something else: git, packages and the machine are left alone.

    A process full of test modules has thousands to look through, half a second a run.
    """
    monkeypatch.setenv("NBTRACK_OFF", "code environment system rng")


@pytest.fixture
def without_torch(monkeypatch):
    """Sweeps of a session that never imported PyTorch, whatever other tests did.

    Else each worker imports it, to put its generators back: a second for every one.
    """
    from nbtrack.sweeps import launch

    real = launch.capture_states

    def capture(namespace):
        states = real(namespace).items()
        return {name: state for name, state in states if not name.startswith("torch")}

    monkeypatch.setattr(launch, "capture_states", capture)


_opened_by_us: list[str] = []


def _look_at_opens(event, arguments):
    """R8: of our code, none may open a database; SQLite, which may, raises no event."""
    if event == "open" and str(arguments[0]).endswith("nbtrack.db"):
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.endswith("opened_files.py"):
            frame = frame.f_back  # it stands between a cell and `open`
        caller = frame.f_code.co_filename
        if f"{os.sep}nbtrack{os.sep}" in caller and "tests" not in caller:
            _opened_by_us.append(f"{caller} opened {arguments[0]}")


sys.addaudithook(_look_at_opens)


@pytest.fixture
def opened_by_us():
    """What our code has opened in this test that it must not."""
    return _opened_by_us


@pytest.fixture(autouse=True)
def _nothing_left_behind():
    """Close the runs and stores that a test left, and forget what was warned of."""
    yield
    opened = [*_opened_by_us]
    _opened_by_us.clear()
    assert opened == [], "R8: closing such a file drops SQLite's locks on it"
    if "nbtrack.tracking.session" in sys.modules:
        from nbtrack.tracking.session import process_session, tell_on_stderr

        process_session().close()
        process_session().tell = tell_on_stderr  # a shell may have put its own there
    from nbtrack.guard import guard

    guard.failures.clear()
    if "nbtrack.tracking.autolog" in sys.modules:
        from nbtrack.tracking.autolog import hooks

        hooks.forget()
    if "nbtrack.redact" in sys.modules:
        from nbtrack.redact import known_secrets

        known_secrets.forget()
    _keep_imports()
