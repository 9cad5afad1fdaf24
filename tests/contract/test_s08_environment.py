"""S8: of the environment the listed names are kept, of the command line nothing."""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
import sys
from pathlib import Path

from bundles.conftest import played_in

from nbtrack.capture.numerics import VARIABLES

FAKES = 200
_rng = random.Random(8)


def word(n: int = 14) -> str:
    return "".join(_rng.choices(string.ascii_letters, k=n))


# Names that look harmless, others that sound like what is listed, and well-known ones.
KINDS = ["{}", "{}_HOME", "CUDA_{}", "OMP_{}", "PYTHON{}", "NBTRACK_{}", "JUPYTER_{}"]
FAKE = {KINDS[n % len(KINDS)].format(word().upper()): word(24) for n in range(FAKES)}
FAKE |= {"AWS_PROFILE": word(24), "USERNAME": word(24), "SSH_CONNECTION": word(24)}

PROGRAM = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext nbtrack")
shell.run_cell("%%track base --no-live\\nloss = 0.5\\nimport os")
import nbtrack
from nbtrack.tracking.background import background
background.settle(30)
with nbtrack.start("by hand", params={"lr": 1}) as run:
    run.log(loss=1.0)
live = nbtrack.start("running")
live.log(loss=1.0)
nbtrack.open().journal.flush(10)
print("ready", flush=True)
sys.stdin.readline()
"""


def traces(folder: Path, canaries) -> list[tuple[str, str]]:
    """Which of these texts are in a file or a file's name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        (canary, path.name)
        for path in files
        for content in [path.read_bytes()]
        for canary in canaries
        if canary.encode() in content or canary in path.name
    ]


def test_s08_none_of_200_variables_nor_the_command_line_is_kept(tmp_path):
    argument, store = f"--{word(20)}", tmp_path / ".nbtrack"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, argument],
        env={**os.environ, **FAKE, "NBTRACK_STORE": str(store)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    canaries = [*FAKE, *FAKE.values(), argument]
    while "ready" not in process.stdout.readline():
        assert process.poll() is None
    assert (store / "nbtrack.db-wal").stat().st_size > 0
    assert list(store.glob("journal/*/*.seg"))
    assert traces(store, canaries) == []
    process.communicate("end\n", timeout=60)
    assert process.returncode == 0
    assert traces(store, canaries) == []
    assert traces(store, ["0.5", "by hand"]) != []  # it is such a search that finds


def test_s08_no_bundle_has_them(tmp_path):
    bundle = played_in(
        tmp_path,
        "x = 2.0",
        "%%track base --no-live\nfor i in range(3):\n    loss = x / (i + 1)",
        environment={**FAKE, "NBTRACK_STORE": str(tmp_path / ".nbtrack")},
        then="""
            import nbtrack
            answer = nbtrack.export("base", offline=True, timeout=60).read_bytes()
        """,
    )
    (tmp_path / "b.zip").write_bytes(bundle)
    shutil.unpack_archive(tmp_path / "b.zip", tmp_path / "unpacked")
    assert traces(tmp_path / "unpacked", [*FAKE, *FAKE.values()]) == []


def test_s08_the_list_is_short_and_holds_no_name_of_a_person_or_a_secret():
    assert 10 < len(VARIABLES) <= 30
    words = ("KEY", "TOKEN", "SECRET", "PASS", "AUTH", "USER", "HOME", "PROXY")
    assert [name for name in VARIABLES if any(w in name for w in words)] == []
