"""S9: secrets planted at every entrance are in no byte of the store, nor of a bundle.

A real kernel in a real repository; 40 secrets and more, each unique, each at another
entrance. Half of them are known by their look, half only by the name they stand under.
What a user hands over as a file of their own (a checkpoint, a table's cells, an image)
is theirs and is not looked through.
"""

from __future__ import annotations

import os
import random
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from driven_kernel import Kernel

REPLY_S = 60
SETTLE = """
from nbtrack.tracking.background import background
background.settle(30), nbtrack.open().journal.flush(10)
"""
EXPORT = """
import nbtrack
for nth, made in enumerate(nbtrack.open().runs()):
    # The failed one cannot be proven; the others try to.
    nbtrack.export(made.id, f"{nth}.nbt.zip", offline=True, timeout=40)
"""
ALNUM = string.ascii_letters + string.digits
_rng = random.Random(41)


def by_look() -> str:
    return "hf_" + "".join(_rng.choices(ALNUM, k=34))


def by_name() -> str:
    return "".join(_rng.choices(ALNUM, k=18)) + "7"


class Canaries(dict):
    """Secrets by the entrance at which they were planted; made when asked for."""

    def look(self, entrance: str) -> str:
        return self.setdefault(entrance, by_look())

    def name(self, entrance: str) -> str:
        return self.setdefault(entrance, by_name())


def git(folder: Path, *arguments: str) -> None:
    said = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(
        ["git", *said, *arguments], cwd=folder, check=True, capture_output=True
    )


@pytest.fixture
def planted():
    return Canaries()


@pytest.fixture
def repository(tmp_path, planted):
    """A checkout with secrets in its remote, its changes and its modules."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "settings.env").write_text("DEBUG=1\n")
    (folder / "changed_lib.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    remote = f"https://ada:{planted.name('remote password')}@host/x.git"
    git(folder, "remote", "add", "origin", remote)
    (folder / "settings.env").write_text(
        f"DEBUG=1\nDB_PASSWORD={planted.name('diff of a .env file')}\n"
    )
    (folder / "changed_lib.py").write_text(
        f"x = 1\napi_key = '{planted.name('changed module')}'\n"
    )
    (folder / "new_lib.py").write_text(
        f"# {planted.look('untracked module')}\ntoken = "
        f"'{planted.name('untracked module, by name')}'\n"
    )
    return folder


@pytest.fixture
def kernel_there(repository, tmp_path, planted):
    from jupyter_client.manager import start_new_kernel

    env = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    env.pop("NBTRACK_STORE", None)
    env.pop("JPY_SESSION_NAME", None)
    env["TEAM_API_TOKEN"] = planted.name("environment variable")
    env["PIP_INDEX_URL"] = f"https://u:{planted.name('URL in the environment')}@h/s"
    manager, client = start_new_kernel(
        kernel_name="python3", cwd=str(repository), env=env, startup_timeout=REPLY_S
    )
    yield Kernel(manager, client, repository)
    client.stop_channels()
    manager.shutdown_kernel(now=False)


def cells(p: Canaries) -> list[str]:
    """A session that plants a secret wherever text comes in."""
    return [
        "%load_ext nbtrack",
        f"# {p.look('comment of an earlier cell')}\nlogin = dict(password="
        f"'{p.name('dict of an earlier cell')}', user='ada')",
        f"%env SERVICE_SECRET={p.name('%env')}",
        f"config = {{'db': {{'passwd': '{p.name('nested config')}'}},"
        f" 'note': 'use {p.look('text in a config')}', 'lr': 0.1}}",
        f"raise ValueError('{p.look('error of an untracked cell')}')",
        f'%%track "run {p.look("run name")}" -t "{p.look("tag")}"'
        f' -t "data: {p.look("tag value")}" -g {p.look("group")}'
        f' --notes "{p.look("notes")}" --experiment {p.look("experiment")}'
        f" -p note='\"{p.look('-p by look')}\"' -p api_key='\"{p.name('-p by name')}\"'"
        " --no-live\n"
        "import logging, os, sys, numpy as np, pandas as pd, nbtrack\n"
        "import changed_lib, new_lib\n"
        f"password = '{p.name('literal of the cell')}'\n"
        f"hint = '{p.look('literal by look')}'\n"
        f"# {p.look('comment of the cell')}\n"
        "print(config, login, new_lib.token, os.environ['TEAM_API_TOKEN'])\n"
        f"print('{p.look('stdout')}')\n"
        f"for part in ('{p.look('stdout in two writes')}'[:20],"
        f" '{p['stdout in two writes']}'[20:]): print(part, end='')\n"
        f"print('{p.look('stderr')}', file=sys.stderr)\n"
        f"logging.warning('{p.look('logging')}')\n"
        f"print(dict(os.environ))\n"
        f"nbtrack.log({{'loss {p.look('metric name')}': 1.0}})\n"
        f"run = nbtrack.current()\n"
        f"run.tag('{p.look('tag during the run')}')\n"
        f"run.note('{p.look('note during the run')}')\n"
        f"run.log_params(secret='{p.name('log_params')}')\n"
        f"run.log_text('said {p.look('log_text')}', 'words')\n"
        f"run.log_image(np.zeros((2, 2)), 'i', caption='{p.look('caption')}')\n"
        f"run.log_histogram([1, 2], '{p.look('histogram name')}')\n"
        f"run.set_axis('{p.look('axis name')}', 1)\n"
        "nbtrack.log(loss=2.0)\n"
        f"frame = pd.DataFrame({{'{p.look('column name')}':"
        f" ['{p.look('value of a column')}'] * 3}})\n"
        f"np.save('w-{p.look('file name')}.npy', np.ones(3))\n"
        f"run.checkpoint({{'a': 1}}, name='{p.look('checkpoint name')}')\n",
        "%%track second --no-live\n"
        "print(len(frame), config['lr'])\n"
        f"key = 'x'  # {p.look('comment of a failing cell')}\n"
        f"raise RuntimeError('refused {p.look('traceback')} and '"
        f" + login['password'])",
        f'%runs rename second "{p.look("rename")}"',
        f'%runs note last "{p.look("%runs note")}"',
        f'%runs tag last "{p.look("%runs tag")}"',
        f"by_hand = nbtrack.start('by hand', params={{'auth_token':"
        f" '{p.name('params of start')}'}}, notes='{p.look('notes of start')}')\n"
        f"by_hand.finish(reason='{p.look('reason')}')",
    ]


def files_with(folder: Path, secret: str) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and (secret.encode() in path.read_bytes() or secret in path.name)
    ]


def test_s09_no_canary_is_in_any_byte_of_the_store(
    kernel_there, repository, planted, tmp_path
):
    answers = [kernel_there.run(cell) for cell in cells(planted)]
    errors = [a.error.partition(":")[0] for a in answers]
    assert [e for e in errors if e] == ["ValueError", "RuntimeError"]
    kernel_there.run(SETTLE)
    store = repository / ".nbtrack"
    assert (store / "nbtrack.db").exists()
    assert len(planted) >= 40
    found = {at: files_with(store, secret) for at, secret in planted.items()}
    assert {at: where for at, where in found.items() if where} == {}
    # What the cells printed is unchanged for the one who runs them.
    assert planted["stdout"] in answers[5].stdout

    said = kernel_there.run(EXPORT)
    assert said.error == ""
    bundles = sorted(repository.glob("*.nbt.zip"))
    assert len(bundles) == 3
    for path in bundles:
        unpacked = tmp_path / path.stem
        shutil.unpack_archive(path, unpacked, "zip")
        found = {at: files_with(unpacked, secret) for at, secret in planted.items()}
        assert {at: where for at, where in found.items() if where} == {}
