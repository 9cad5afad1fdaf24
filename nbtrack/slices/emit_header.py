"""The docstring that a script opens with."""

from __future__ import annotations

from collections.abc import Sequence

from nbtrack.text import shorten, visible

TITLE_MAX = 200  # characters
NOTES_MAX = 40


def header(title: str, n_cells: int, notes: Sequence[str]) -> str:
    r"""What the script gives, and what it leaves out, in words.

    >>> header("base", 1, ["%pip install x of [4] was left out"]).splitlines()[3]
    '- %pip install x of [4] was left out'
    """
    cells = "1 cell" if n_cells == 1 else f"{n_cells} cells"
    lines = [f"What made {_safe(title)}: {cells} of a notebook, written by nbtrack."]
    if notes:
        lines += ["", "Not as in the notebook:"]
        lines += [f"- {_safe(note)}" for note in notes[:NOTES_MAX]]
    if len(notes) > NOTES_MAX:
        lines.append(f"- and {len(notes) - NOTES_MAX} more")
    if len(lines) == 1:
        return f'"""{lines[0]}"""'
    return '"""' + "\n".join(lines) + '\n"""'


def _safe(text: str) -> str:
    """One line that cannot end the docstring, nor say anything in it."""
    shown = shorten(visible(text.strip()), TITLE_MAX)
    return shown.replace("\\", "/").replace('"', "'")
