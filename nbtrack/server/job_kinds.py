"""What a job can make of a run, by the word that a page asks with."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

from nbtrack.server.file_names import NAME_BYTES, safe_name
from nbtrack.server.jobs import Make, Tell
from nbtrack.slices.script import Script, script_of
from nbtrack.slices.slice import slice_kept
from nbtrack.store import Store
from nbtrack.text import shorten, visible

_NOTES_SHOWN = 3
_WORDS = 300


def make_script(
    store: Store, run_id: str, file: IO[bytes], tell: Tell
) -> tuple[str, str]:
    """Write the code that made a run's result, by what its store has of it alone.

    Files that a cell runs by `%run` are not put beside it: a cell that somebody else
    wrote into the store would else have any file of this disk read and handed on.

    Raises
    ------
    RunNotFoundError
        Where it went meanwhile.
    OptionError
        Where it has no cells.
    """
    tell(None, "reading the cells")
    run = store.run(run_id)
    made = slice_kept(store, run)
    tell(0.5, f"writing {len(made.kept)} cells down")
    script = script_of(made.kept, title=made.target, reads_files=False)
    tell(0.9, "nearly there")
    file.write(script.source.encode("utf-8", "backslashreplace"))
    name = safe_name(run.name.replace("/", "_"), run_id)
    return safe_name(f"{name}.py"), _notes(script)


def _notes(script: Script) -> str:
    n_left = len(script.notes) - _NOTES_SHOWN
    more = [f"{n_left} more"] if n_left > 0 else []
    return visible("; ".join([*script.notes[:_NOTES_SHOWN], *more]))


def make_bundle(
    store: Store, run_id: str, file: IO[bytes], tell: Tell, *, prove: bool = True
) -> tuple[str, str]:
    """Export a run; to prove it, its cells run again in a process of their own.

    A job that is cancelled raises in `tell`, which the export calls every second while
    cells run: that process is killed then, and its folder removed.

    Raises
    ------
    RunNotFoundError
        Where it went meanwhile.
    OptionError
        Where it has no cells, goes on, or is in the trash.
    BundleError
        Where it cannot be written.
    """
    from nbtrack.bundles.export import ENDING, Wanted, export_as
    from nbtrack.bundles.work import PREFIX

    wanted = Wanted(prove=prove, tell=lambda text: tell(None, visible(text)))
    name = f"{_stem(store.run(run_id).name, run_id, ENDING)}{ENDING}"
    # Named as the folders of reruns: the next one removes it if this process is killed.
    prefix = f"{PREFIX}{os.getpid()}-"
    with (
        tempfile.TemporaryDirectory(prefix=prefix) as folder,
        # A job may take minutes; what follows a store for a page gives up after 10 s.
        Store.open(store.path, create=False) as own,
    ):
        made = export_as(run_id, Path(folder, name), wanted, store=own)
        tell(None, "handing it over")
        with made.path.open("rb") as written:
            shutil.copyfileobj(written, file)
    return name, shorten(visible(made.line), _WORDS)


def _stem(name: str, otherwise: str, ending: str) -> str:
    """A run's name as that of a file, with room for the ending."""
    stem = safe_name(name.replace("/", "_"), otherwise)
    return stem.encode()[: NAME_BYTES - len(ending)].decode(errors="ignore")


KINDS: Mapping[str, Make] = {
    "script": make_script,
    "bundle": make_bundle,
    "bundle-unproven": partial(make_bundle, prove=False),
}
RUNS_CELLS = frozenset({"bundle"})
