"""One kept cell as Python: its text as typed, with the magics in it rewritten.

Every line that is Python in the notebook stays as it is, comments and all. A magic
becomes what it does, or a comment that says it was left out.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from nbtrack.capture.magics import transformed
from nbtrack.slices.emission import Emission
from nbtrack.slices.emit_calls import MagicCall, call_of, code_for
from nbtrack.slices.emit_text import Edit, Places, edited, in_comment, indented

_TRACK = re.compile(r"%%(?:track|nbtrack)(?![\w?])(?P<line>[^\n]*)")
_SEED = re.compile(r"(?:^|\s)--seed[ =](\d+)(?!\S)")
_BARE = re.compile(
    r"(cd|pwd|ls|ll|cat|cp|mv|rm|mkdir|rmdir|pip|conda|env|set_env|run|time|timeit|who|"
    r"whos|history|matplotlib|pylab|load_ext|reset|store|pushd|popd|config)"
    r"(?:[ \t]+([^\n]*))?"
)
MAX_DEPTH = 6  # magics within magics


class NotPython(ValueError):
    """The cell is no Python, also without its magics."""


def python_of(source: str, emission: Emission, depth: int = 0) -> str:
    r"""The cell as Python.

    Raises
    ------
    NotPython
        When it cannot be parsed.

    >>> emission = Emission([])
    >>> python_of("%pip install x\ny = %time f(2)", emission)
    '# left out: %pip install x\ny = f(2)'
    >>> emission.notes
    ['%pip install x of a cell was left out']
    """
    if depth > MAX_DEPTH:
        raise NotPython("magics within magics")
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    head, rest = _without_track(source, emission)
    text = head + _plain(_transformed(rest), emission)
    return _rewritten(text, emission, depth).rstrip("\n")


def first_code_line(lines: list[str]) -> int:
    """The index of the first line that is neither blank nor a comment.

    >>> first_code_line(["# a", "", "x"])
    2
    """
    for at, line in enumerate(lines):
        if line.strip() and not line.strip().startswith("#"):
            return at
    return len(lines)


def _without_track(source: str, emission: Emission) -> tuple[str, str]:
    """What stays on top as it is, and what IPython is to look at."""
    lines = source.split("\n")
    at = first_code_line(lines)
    found = _TRACK.match(lines[at]) if at < len(lines) else None
    if found is None:
        return "", source
    emission.magic_line = f"# {in_comment(lines[at])}"
    head = lines[:at] + _seeding(found["line"], source, emission)
    rest = lines[at + 1 :]
    below = first_code_line(rest)
    space = rest[below][: -len(rest[below].lstrip())] if below < len(rest) else ""
    if space:
        rest = [line.removeprefix(space) for line in rest]
    head += rest[:below]
    return "".join(line + "\n" for line in head), "\n".join(rest[below:])


def _seeding(line: str, source: str, emission: Emission) -> list[str]:
    found = _SEED.search(line)
    if found is None:
        return []
    emission.need("_nb_seed")
    names = [
        n
        for n in ("numpy", "torch")
        if re.search(rf"\bimport {n}\b|\bfrom {n}\b", source)
    ]
    arguments = ", ".join([found[1], *(repr(name) for name in names)])
    return [f"_nb_seed({arguments})"]


def _transformed(text: str) -> str:
    """As IPython makes it Python; magics are calls then."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd ends of lines
            return transformed(text)
    except (SyntaxError, ValueError, RecursionError) as exc:
        raise NotPython(str(exc)) from exc


def _plain(text: str, emission: Emission) -> str:
    """`cd data` without a percent sign, which a shell takes for a magic."""
    found = _BARE.fullmatch(text.strip())
    if found is None or found[1] in emission.bound:
        return text
    if found[2] and parsed(text) is not None:
        return text
    return f"get_ipython().run_line_magic({found[1]!r}, {found[2] or ''!r})\n"


def parsed(text: str) -> ast.Module | None:
    """The tree of a text; None where it is no Python.

    >>> parsed("x =") is None
    True
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string of theirs
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _rewritten(text: str, emission: Emission, depth: int) -> str:
    """The text with what it asks of IPython's shell written out."""
    tree = parsed(text)
    if tree is None:
        raise NotPython("it is no Python")
    if "get_ipython" not in text:
        return text

    def inner(code: str) -> str:
        return python_of(code, emission, depth + 1)

    places, edits = Places(text), []
    for statement, call in sorted(_calls(tree), key=_place):
        node = call.node if statement is None else statement
        start, end = places.of(node)
        code = code_for(call, emission, inner, as_statement=statement is not None)
        if statement is not None and not places.before(start).strip():
            edits.append(_block(start, end, places, code))
        elif code is not None and "\n" not in code and not code.startswith("#"):
            edits.append(Edit(start, end, code))
        else:
            edits.append(Edit(start, end, "None"))
    return edited(text, edits)


def _block(start: int, end: int, places: Places, code: str) -> Edit:
    """A whole line becomes other lines, at its depth."""
    space, behind = places.before(start), places.after(end).strip()
    if behind and not behind.startswith("#"):  # another statement in the line
        one_line = "\n" not in code and not code.startswith("#")
        return Edit(start, end, code if one_line else "None")
    if space and code.startswith("#"):
        code = f"pass  {code}" if "\n" not in code else f"{code}\npass"
    return Edit(start, end, indented(code, space).removeprefix(space))


def _place(found: tuple[ast.stmt | None, MagicCall]) -> tuple[int, int]:
    return found[1].node.lineno, found[1].node.col_offset


def _calls(tree: ast.Module) -> Iterator[tuple[ast.stmt | None, MagicCall]]:
    """The calls of magics, outermost alone; with their statement where they are one."""
    open_nodes: list[ast.AST] = [tree]
    while open_nodes:
        node = open_nodes.pop()
        call = call_of(node.value) if isinstance(node, ast.Expr) else None
        if call is not None:
            assert isinstance(node, ast.stmt)
            yield node, call
            continue
        call = call_of(node)
        if call is not None:
            yield None, call
            continue
        open_nodes.extend(ast.iter_child_nodes(node))
