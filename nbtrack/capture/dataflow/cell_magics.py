"""What a magic of a cell may read: the names in its line, or whatever it likes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_EXPANDED = re.compile(r"\{([^{}]+)\}|\$([A-Za-z_]\w*)")
# What neither reads nor sets variables but those that stand in its line; any other
# magic may do both, as `%%sql` and `%%cython` do.
_KNOWN_MAGICS = frozenset(
    {"load_ext", "reload_ext", "matplotlib", "config", "autoreload", "pip", "conda"}
    | {"who", "whos", "who_ls", "history", "pwd", "ls", "env", "set_env", "cd", "run"}
    | {"bash", "sh", "script", "sx", "system", "writefile", "html", "javascript", "js"}
    | {"markdown", "latex", "svg", "HTML", "time", "timeit", "capture", "prun", "pinfo"}
    | {"lsmagic", "magic", "quickref", "precision", "mkdir", "rm", "cp", "mv", "cat"}
    | {"track", "nbtrack", "runs", "panel", "show", "media", "slice", "restore"}
    | {"diff"}
    | {"track_config", "track_status", "alias", "automagic", "psource", "pdoc", "pfile"}
    | {"ll", "l", "lx", "less", "man", "more", "rmdir", "dirs", "pushd", "popd", "perl"}
)


@dataclass(frozen=True, slots=True)
class Magic:
    """One call of IPython's for a magic or a shell command."""

    expanded: tuple[str, ...] = ()  # Python in its line: `{x}`, `$x`
    may_read_all: bool = False


def magic_of(node: ast.Call) -> Magic | None:
    """What a call of `get_ipython().run_line_magic` and its like reads; None: another.

    >>> call = "get_ipython().system('ls {folder}')"
    >>> magic_of(ast.parse(call, mode="eval").body).expanded
    ('folder',)
    """
    if not _is_ipythons(node.func):
        return None
    texts = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
    found = [m for text in texts for m in _EXPANDED.finditer(text)]
    expanded = tuple(match[1] or match[2] for match in found)
    return Magic(expanded, _may_read_all(getattr(node.func, "attr", ""), texts))


def _may_read_all(kind: str, texts: list[str]) -> bool:
    if kind not in ("run_line_magic", "run_cell_magic"):
        return kind not in ("system", "getoutput", "set_next_input")
    name, line = (texts[0].strip() if texts else ""), " ".join(texts[1:])
    in_namespace = name == "run" and "-i" in line.split()
    return in_namespace or name not in _KNOWN_MAGICS


def _is_ipythons(func: ast.expr) -> bool:
    """`get_ipython().system`, `get_ipython().run_line_magic`..."""
    owner = getattr(func, "value", None)
    return (
        isinstance(owner, ast.Call)
        and isinstance(owner.func, ast.Name)
        and owner.func.id == "get_ipython"
    )
