"""`%run file.py`: the file's text goes beside the script, unless the slice writes it.

A notebook that is run becomes Python here, cell by cell. The files are read as they are
now, if at all; one that is gone is left to the script, which then says so.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from nbtrack.capture.dataflow.pseudo import FILE
from nbtrack.capture.source_text import decoded
from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_expand import filled
from nbtrack.slices.emit_text import in_comment

FOLDER = "run_files"
_WITH_VALUE = frozenset("NblsTD")
FILE_MAX_BYTES = 2_000_000


def run_magic(line: str, emission: Emission, inner: Callable[[str], str]) -> str:
    """The call that runs the file, which is put beside the script.

    >>> run_magic("gone.py 3", Emission([]), str)
    "_nb_run('gone.py', ['3'])"
    """
    try:
        flags, words = _flags(shlex.split(line))
    except ValueError:
        return emission.left_out(f"%run {line}")
    if "m" in flags or not words:
        return emission.left_out(f"%run {line}")
    path = words[0]
    text = _text_of(path, emission)
    if path.endswith(".ipynb") and text is not None:
        return _notebook(path, text, emission, inner)
    emission.need("_nb_run")
    path = path if path.endswith((".py", ".ipy")) else f"{path}.py"
    if text is not None:
        emission.run_files[path] = _beside(path, text, emission)
    arguments = ", ".join(filled(word, emission) for word in words[1:])
    options = ", within=True" if "i" in flags else ""
    if "n" in flags:
        options += f", name={Path(path).stem!r}"
    return f"_nb_run({filled(path, emission)}, [{arguments}]{options})"


def _flags(words: list[str]) -> tuple[set[str], list[str]]:
    """The flags in front of the file, and what comes behind."""
    flags: set[str] = set()
    while words and words[0].startswith("-") and words[0] != "--":
        word, *words = words
        flags.update(word[1:])
        if len(word) == 2 and word[1] in _WITH_VALUE:
            words = words[1:]
    return flags, words[1:] if words[:1] == ["--"] else words


def _text_of(path: str, emission: Emission) -> str | None:
    """The file's text; None where it is not there, or the slice writes it itself."""
    if not emission.reads_files:
        emission.note(f"{in_comment(path)}, which {emission.label} runs, is not beside")
        return None
    place = _place_of(path, emission)
    if place is None or _is_written(place, emission):
        return None
    try:
        if place.stat().st_size > FILE_MAX_BYTES:
            return None
        return decoded(place.read_bytes())
    except OSError:
        return None


def _place_of(path: str, emission: Emission) -> Path | None:
    """Where the file lies: as the cell was seen to read it, else from here."""
    names = {path, f"{path}.py"}
    reads = emission.flow.reads if emission.flow else ()
    ends = tuple(f"/{os.path.normpath(name).lstrip('./')}" for name in names)
    for name in reads:
        if name.startswith(FILE) and name.endswith(ends):
            return Path(name.removeprefix(FILE))
    for name in names:
        place = Path(os.path.expanduser(name))
        if place.is_file():
            return place.absolute()
    return None


def _is_written(place: Path, emission: Emission) -> bool:
    """Whether a kept cell makes the file."""
    name = place.name
    for cell in emission.cells:
        if cell.flow is not None and f"{FILE}{place}" in cell.flow.writes:
            return True
        lines = (cell.source or "").split("\n")
        writes = (line.strip() for line in lines if line.lstrip().startswith("%%"))
        if any(w.startswith(("%%writefile", "%%file")) and name in w for w in writes):
            return True
    return False


def _beside(path: str, text: str, emission: Emission) -> str:
    stem, ending = os.path.splitext(os.path.basename(path))
    name, number = f"{FOLDER}/{stem}{ending}", 1
    while emission.files.get(name, text) != text:
        number += 1
        name = f"{FOLDER}/{stem}_{number}{ending}"
    emission.files[name] = text
    return name


def _notebook(
    path: str, text: str, emission: Emission, inner: Callable[[str], str]
) -> str:
    try:
        code = "\n\n".join(inner(source) for source in _sources(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return emission.left_out(f"%run {path}")
    emission.need("_nb_run_notebook")
    name = _beside(f"{path.removesuffix('.ipynb')}.py", code + "\n", emission)
    emission.run_files[path] = name
    return f"_nb_run_notebook({path!r})"


def _sources(notebook: dict[str, list[dict[str, object]]]) -> Iterator[str]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            yield "".join(source) if isinstance(source, list) else str(source)
