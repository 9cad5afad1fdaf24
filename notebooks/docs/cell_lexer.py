"""Colours for cells: Python, with lines of magics and of the shell."""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import inherit
from pygments.lexers.python import PythonLexer
from pygments.token import Name
from sphinx.application import Sphinx


class CellLexer(PythonLexer):
    """IPython's own lexer leaves all that stands below a `%%track` without colours."""

    name = "Cell"
    aliases: ClassVar[list[str]] = ["cell"]
    tokens: ClassVar[dict[str, Any]] = {
        "root": [(r"^\s*(%%?\w|!).*$", Name.Decorator), inherit]
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Read all Python of these pages so."""
    app.add_lexer("python", CellLexer)
    app.add_lexer("ipython3", CellLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
