"""What Sphinx has to be told of our docstrings.

A name in single backticks is a link where these pages have it, and code otherwise. The
fields of a record are listed with their types and with what stands behind them in the
code as a comment: they have no docstrings of their own.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.ext.napoleon import NumpyDocstring
from sphinx.util.docutils import SphinxRole

LINKED = re.compile(r"(nbtrack|Run|Store|Slice)(\.\w+)+")
# Not a remark to the checkers, nor why a type is Any.
_COMMENT = re.compile(r"\s{2}# (?!type:|noqa|Any:)(?P<text>.*?)(\s+# .*)?$")
BEFORE_NAPOLEON, AFTER_NAPOLEON = 400, 600


class NameRole(SphinxRole):
    """`nbtrack.start` links to it, `val_*` and `%runs` are code."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the link or the code."""
        if LINKED.fullmatch(self.text):
            link = PyXRefRole()
            return link("py:obj", self.rawtext, self.text, self.lineno, self.inliner)
        return [nodes.literal(self.rawtext, self.text)], []


def fields_of(record: type) -> Iterator[tuple[str, str, str]]:
    """The public fields of a record: name, type, and the comment behind it.

    Inherited ones come first, as dataclasses order them.
    """
    names = {field.name for field in dataclasses.fields(record)}
    for owner in reversed(record.__mro__):
        if not dataclasses.is_dataclass(owner):
            continue
        source = textwrap.dedent(inspect.getsource(owner))
        for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
            if not isinstance(node, ast.AnnAssign) or node.target.id not in names:
                continue
            if not node.target.id.startswith("_"):
                line = source.splitlines()[(node.end_lineno or 1) - 1]
                found = _COMMENT.search(line)
                comment = found["text"] if found else ""
                kind = spelled(ast.unparse(node.annotation), owner)
                yield node.target.id, kind, comment


def spelled(annotation: str, owner: type) -> str:
    """An annotation with the words that a name such as `Status` stands for."""
    names = vars(sys.modules[owner.__module__])

    def words(match: re.Match[str]) -> str:
        meant = names.get(match[0])
        if get_origin(meant) is not Literal:
            return match[0]
        return " | ".join(f'"{word}"' for word in get_args(meant))

    return re.sub(r"\b[A-Z]\w+", words, annotation)


def add_fields(
    app: Sphinx, what: str, name: str, record: Any, options: Any, lines: list[str]
) -> None:
    """Append the fields of a record to its docstring."""
    is_record = what == "class" and dataclasses.is_dataclass(record)
    fields = list(fields_of(record)) if is_record else []
    if not fields:
        return
    examples = next((n for n, s in enumerate(lines) if s == "Examples"), len(lines))
    listed = ["", "Fields", "------"]
    for field, annotation, comment in fields:
        listed += [f"{field} : {annotation}", f"    {comment}"]
    lines[examples:examples] = [*listed, ""]


def read_property(
    app: Sphinx, what: str, name: str, made: Any, options: Any, lines: list[str]
) -> None:
    """Read the docstring of a property as that of a method, and lay it aside.

    Napoleon takes what stands before a colon in it for its type.
    """
    if what == "property":
        read = NumpyDocstring(list(lines), app.config, app, "method", name, made)
        app.config.nbtrack_properties[name] = read.lines()


def put_property_back(
    app: Sphinx, what: str, name: str, made: Any, options: Any, lines: list[str]
) -> None:
    """What was laid aside, in the place of what Napoleon made."""
    if what == "property":
        lines[:] = app.config.nbtrack_properties.pop(name)


def hide_construction(
    app: Sphinx, what: str, name: str, made: Any, options: Any, signature: str, to: str
) -> tuple[str, str] | None:
    """Records, runs and stores are got, not made: no signature to learn."""
    shown = name.endswith("Callback") or what != "class"
    return None if shown else ("", "")


def draw_dashes(app: Sphinx, tree: nodes.document) -> None:
    """Sphinx puts "--" between a field and its meaning; quotes are to stay."""
    for text in list(tree.findall(nodes.Text)):
        if text.startswith((" -- ", ") -- ")):
            text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ", 1)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role and the hooks."""
    app.add_role("name", NameRole())
    app.add_config_value("nbtrack_properties", {}, "", dict)
    app.connect("autodoc-process-docstring", add_fields, BEFORE_NAPOLEON)
    app.connect("autodoc-process-docstring", read_property, BEFORE_NAPOLEON)
    app.connect("autodoc-process-docstring", put_property_back, AFTER_NAPOLEON)
    app.connect("doctree-read", draw_dashes)
    app.connect("autodoc-process-signature", hide_construction)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
