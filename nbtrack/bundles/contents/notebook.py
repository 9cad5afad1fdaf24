"""The script of a bundle as a notebook, with the outputs that its run had.

The same code in the same order: one cell for what stands above, then one for each kept
cell. What the run printed and its curves are the outputs of the tracked cell, so that
they are seen before anything is run.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.model_card import plain
from nbtrack.bundles.contents.json_text import json_bytes

if TYPE_CHECKING:
    from nbtrack.records import RunRecord
    from nbtrack.slices.script import Script
    from nbtrack.store import Store

_LAYS_OUT = "\n    _nb_lay_out()"
_STANDS_FOR = '__file__ = "run.py"  # this notebook stands for the script beside it'
_LOOP = "_nb_loop = _nb_Loop()"
# A kernel's own loop runs already, and no other one can run in its thread.
_LOOP_BESIDE = textwrap.dedent(
    '''
    class _nb_Beside:
        """The loop of the cells in a thread of its own, beside the kernel's."""

        def __init__(self, loop):
            from concurrent.futures import ThreadPoolExecutor
            self._loop, self._thread = loop, ThreadPoolExecutor(1)

        def run_until_complete(self, work):
            return self._thread.submit(self._loop.run_until_complete, work).result()

        def close(self):
            self._thread.shutdown()
            self._loop.close()

    _nb_loop._loop = _nb_Beside(_nb_loop._loop)
    '''
)


def notebook_json(
    script: Script,
    store: Store,
    record: RunRecord,
    curves: Mapping[str, bytes],
) -> bytes:
    """`run/run.ipynb`, as nbformat 4.5 has it.

    Parameters
    ----------
    script
        As `run/run.py` has it: its lines are taken over.
    store, record
        The run, for what it printed.
    curves
        As `curve_members` gave them.

    Examples
    --------
    >>> import json, nbtrack
    >>> from nbtrack.slices.script import Script
    >>> with nbtrack.start("base") as run:
    ...     pass
    >>> found = json.loads(notebook_json(Script(""), run.store, run.record(), {}))
    >>> found["nbformat"], found["nbformat_minor"]
    (4, 5)
    """
    outputs = [*_printed(store, record), *_pictures(curves)]
    version = store.facts(record.id).get("python.version")
    language: dict[str, Any] = {"name": "python", "file_extension": ".py"}
    if version is not None and version.value is not None:
        language["version"] = str(version.value)
    return json_bytes(
        {
            "cells": [_about(record), *_cells(script, outputs)],
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": language,
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def _about(record: RunRecord) -> dict[str, Any]:
    text = (
        f"# {plain(record.name)}\n\n"
        "The cells that made this run, as `run.py` beside this file has them. The "
        "outputs are those of the run itself: run all cells to see whether they come "
        "out the same."
    )
    return {
        "cell_type": "markdown", "id": "about", "metadata": {}, "source": _lines(text),
    }  # fmt: skip


def _cells(script: Script, outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    lines = script.source.split("\n")
    begins = [segment.first_line - 1 for segment in script.segments]
    front = "\n".join(lines[: begins[0]] if begins else lines).strip("\n")
    if _LOOP in front.split("\n"):
        front = front.replace(f"\n{_LOOP}", f"\n{_LOOP}\n{_LOOP_BESIDE}", 1)
    if _LAYS_OUT in front:
        front = f"{_STANDS_FOR}\n{front}"
    if front:
        yield _code("front", front)
    end = begins[0] if begins else len(lines)
    for segment in script.segments:
        # What stands between two cells belongs to the later one.
        last = segment.first_line - 1 + segment.n_lines
        text = "\n".join(lines[end:last]).strip("\n")
        mine = outputs if segment.tracked else []
        yield _code(f"cell-{segment.seq}", text, segment.execution, mine)
        end = last
    rest = "\n".join(lines[end:]).strip("\n")
    if rest:
        yield _code("end", rest)


def _code(
    name: str,
    source: str,
    execution: int | None = None,
    outputs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": execution,
        "id": name,
        "metadata": {},
        "outputs": outputs or [],
        "source": _lines(source),
    }


def _lines(text: str) -> list[str]:
    r"""As nbformat has texts: ended by `\n` alone, whatever else ends a line."""
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _printed(store: Store, record: RunRecord) -> Iterator[dict[str, Any]]:
    for text in store.texts(record.id, "stdout"):
        if text.body:
            body = _lines(text.body)
            yield {"output_type": "stream", "name": "stdout", "text": body}


def _pictures(curves: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    for path, body in curves.items():
        name = PurePosixPath(path).name
        if path.endswith(".svg"):
            shown = {"image/svg+xml": _lines(body.decode("utf-8", "replace"))}
        elif path.endswith(".png"):
            shown = {"image/png": [base64.b64encode(body).decode("ascii")]}
        else:
            continue
        data = {**shown, "text/plain": [name]}
        yield {"output_type": "display_data", "data": data, "metadata": {}}
