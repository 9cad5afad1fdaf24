"""Whether an SVG is a still picture: nothing in it runs, and nothing is fetched.

What is not known to be harmless counts as harm: elements and links are those of a short
list, there are no entities, no handlers of events, and no style that names an address.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

_ELEMENTS = frozenset(
    {"svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline"}
    | {"polygon", "text", "tspan", "textPath", "title", "desc", "use", "symbol"}
    | {"clipPath", "mask", "marker", "pattern", "linearGradient", "radialGradient"}
    | {"stop", "image", "style", "metadata"}
)
_METADATA = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://purl.org/dc/",
    "http://creativecommons.org/ns#",
)
_SVG = "http://www.w3.org/2000/svg"
# A picture within the picture; of an SVG in there nobody looks at the inside.
_LINK = re.compile(r"#[\w.:-]*|data:image/(png|jpeg|gif|webp);base64,[\w+/=\s]*")
_ADDRESS = re.compile(
    r"url\(\s*['\"]?(?!['\"#])|@import|image-set|image\(|src\(|expression\("
    r"|javascript:|\\"
)


class _Harm(Exception):
    """Something in the picture that is not still."""


def is_still(svg: bytes) -> bool:
    """Whether it can be shown by anybody anywhere.

    Examples
    --------
    >>> top = b"<svg xmlns='http://www.w3.org/2000/svg'>"
    >>> is_still(top + b"<path d='M0,0'/></svg>")
    True
    >>> is_still(top + b"<script/></svg>"), is_still(top + b"<g onload='a()'/></svg>")
    (False, False)
    """
    # Namespaces are resolved, joined by a space.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    inside = _Inside()
    parser.StartElementHandler = inside.begin
    parser.EndElementHandler = inside.end
    parser.CharacterDataHandler = inside.text
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _refused
    parser.ProcessingInstructionHandler = _refused
    try:
        parser.Parse(svg, True)
    except (_Harm, expat.ExpatError, ValueError, LookupError):
        return False
    return True


class _Inside:
    """Where the parser is, and what it must not meet there."""

    def __init__(self) -> None:
        self._path: list[str] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, bare = name.rpartition(" ")
        if space.startswith(_METADATA):
            if "metadata" not in self._path:
                raise _Harm(name)
        elif space != _SVG or bare not in _ELEMENTS:
            raise _Harm(name)
        if not self._path and bare != "svg":
            raise _Harm(name)
        self._path.append(bare)
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value)

    def end(self, name: str) -> None:
        self._path.pop()

    def text(self, text: str) -> None:
        if self._path[-1:] == ["style"] and _ADDRESS.search(text.lower()):
            raise _Harm("style")


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on"):
        raise _Harm(name)
    if name in ("href", "src") and not _LINK.fullmatch(value):
        raise _Harm(name)
    if _ADDRESS.search(value.lower()):
        raise _Harm(name)


def _doctype(name: str, system: str | None, public: str | None, internal: Any) -> None:
    if internal:
        raise _Harm("doctype")


def _refused(*_: Any) -> None:
    raise _Harm("entity or instruction")
