"""What stands around the cells of a bundle's script: PEP 723, files, a stand-in.

The header is the format of PEP 723, which `uv run` and pipx read:
https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.bundles.redactions import Needs
from nbtrack.bundles.standalone import lay_out
from nbtrack.slices.closure import KeptCell
from nbtrack.slices.emission import Frame, words_of

SHIM = "nbtrack_shim"
_FILES_FIRST = """\
# where this is a file of a bundle: its files are laid out in a new folder
if "__file__" in globals():
    _nb_lay_out()"""
_STAND_IN = f"""\
try:  # the cells use nbtrack, which need not be there
    __import__("nbtrack")
except ImportError:
    __import__("{SHIM}").stand_in()"""


def frame_of(
    kept: Sequence[KeptCell], packages: Mapping[str, Any], needs: Needs
) -> Frame:
    """What is put around these cells.

    Parameters
    ----------
    packages
        As `env/packages.json` has them.
    """
    functions = (lay_out._nb_lay_out, lay_out._nb_say_results)
    start = [inspect.getsource(each).strip("\n") for each in functions]
    start.append(_FILES_FIRST)
    if uses_nbtrack(kept):
        start.append(_STAND_IN)
    if needs.names:
        start.insert(0, "import os  # secrets were taken out: they are in os.environ")
    return Frame(_header(packages, needs), "\n\n".join(start))


def uses_nbtrack(kept: Sequence[KeptCell]) -> bool:
    """Whether the cells call nbtrack themselves; magics do not count.

    >>> from nbtrack.records import CellRecord
    >>> cell = CellRecord(0, None, 1, "%load_ext nbtrack", "", "")
    >>> uses_nbtrack([KeptCell(cell, ())])
    False
    """
    lines = (
        line
        for each in kept
        for line in (each.cell.source or "").splitlines()
        if not line.lstrip().startswith(("%", "!"))
    )
    return "nbtrack" in words_of(lines)


def _header(packages: Mapping[str, Any], needs: Needs) -> str:
    major_minor = ".".join(str(packages["python"]).split(".")[:2])
    lines = [f'requires-python = "=={major_minor}.*"', "dependencies = ["]
    lines += [
        f'  "{each["name"]}=={each["version"]}",'
        for each in packages["packages"]
        if each["group"] == "run" and each["source"]["type"] == "index"
    ]
    lines.append("]")
    told = [f"# {line}".rstrip() for line in lines]
    header = ["# /// script", *told, "# ///"]
    if needs.names:
        header.append(f"# needs in the environment: {', '.join(needs.names)}")
    return "\n".join(header)
