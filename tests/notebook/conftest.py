"""A real kernel in a folder of its own."""

from __future__ import annotations

import os

import pytest
from driven_kernel import REPLY_S, Kernel
from notebook_cells import quick_to_start


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """A kernel with the extension loaded, in an empty folder, its store beside it."""
    from jupyter_client.manager import start_new_kernel

    folder = tmp_path_factory.mktemp("notebook")
    env = quick_to_start(os.environ) | {"NBTRACK_STORE": str(folder / ".nbtrack")}
    env["IPYTHONDIR"] = str(folder / "ipython")
    env.pop("JPY_SESSION_NAME", None)
    manager, client = start_new_kernel(
        kernel_name="python3", cwd=str(folder), env=env, startup_timeout=REPLY_S
    )
    driven = Kernel(manager, client, folder)
    assert driven.run("%load_ext nbtrack").status == "ok"
    yield driven
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel_store(kernel):
    """The kernel's store, read from this process."""
    from nbtrack.store import Store

    kernel.run("import nbtrack; _ = nbtrack.open()")
    opened = Store.open(kernel.folder / ".nbtrack")
    yield opened
    opened.close()
