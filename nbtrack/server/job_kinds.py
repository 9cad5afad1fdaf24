"""What a job can make of a run, by the word that a page asks with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from nbtrack.server.file_names import safe_name
from nbtrack.server.jobs import Make, Tell
from nbtrack.server.run_slice import slice_of_run
from nbtrack.slices.script import Script, script_of
from nbtrack.store import Store
from nbtrack.text import visible

_NOTES_SHOWN = 3


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
    made = slice_of_run(store, run)
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


KINDS: Mapping[str, Make] = {"script": make_script}
