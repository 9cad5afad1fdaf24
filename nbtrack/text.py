"""Text that came from somebody else: cleaned before it is kept, escaped before shown.

Names, tags, params and notes of a run are data. `clean_name` is for what is stored as
a name, `visible` for terminals and logs, `escape` for HTML, `csv_cell` for tables that
a spreadsheet opens; nothing else in the package turns such text into markup.
`did_you_mean` words the hint of an error. `text_digest` is what a text is known by.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

NAME_MAX = 200  # characters; longer names are notes
_SHORTEST_SECRET = 12  # none that is known by its look has room in a shorter name
# Bidirectional controls reorder what is read; they are shown as escapes.
_BIDI = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

_FORMULA = frozenset("=+-@\t\r\n")  # what a spreadsheet reads as more than a text
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"  # before it, and skipped by some


def shorten(text: str, limit: int = 80) -> str:
    """Cut `text` to `limit` characters, with an ellipsis where something went.

    >>> shorten("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def visible(text: str) -> str:
    r"""Show control, ANSI, bidi and surrogate characters as escapes.

    >>> visible("a\x1b[31mb\u202e")
    'a\\x1b[31mb\\u202e'
    """
    return "".join(c if _is_plain(c) else _escaped(c) for c in text)


def clean_name(text: str, *, limit: int = NAME_MAX) -> str:
    r"""Make a name storable: controls as escapes, no secrets, at most `limit` long.

    >>> clean_name(" base\n\x00run ")
    'base\\n\\x00run'
    """
    if len(text) >= _SHORTEST_SECRET:
        from nbtrack.redact import redact  # its patterns take a while to compile

        text = redact(text)[0]
    return shorten(visible(text.strip()), limit)


def escape(text: object) -> str:
    """Escape for an HTML text node or a quoted attribute.

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    import html  # only where something is shown

    return html.escape(visible(str(text)), quote=True)


def csv_cell(value: object) -> object:
    """A value for a cell of a CSV file, so that no text becomes a formula there.

    Text that begins like a formula, in full-width forms too, gets a `'` before it.
    Numbers stay numbers; None is an empty cell. Write with `csv.QUOTE_NONNUMERIC`, so
    that a text with `;` in it stays one cell wherever that parts them.

    >>> csv_cell("=1+1"), csv_cell("＝1"), csv_cell(-0.5), csv_cell("a-b")
    ("'=1+1", "'＝1", -0.5, 'a-b')
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value.hex() if isinstance(value, bytes) else str(value)
    first = text[:1], unicodedata.normalize("NFKC", text.lstrip().lstrip(_UNSEEN)[:1])
    return f"'{text}" if _FORMULA & set(first) else text


def shown_bytes(size: float) -> str:
    """A size for people.

    >>> shown_bytes(2 << 30), shown_bytes(1_500_000), shown_bytes(17)
    ('2.0 GiB', '1.4 MiB', '17 bytes')
    """
    for unit, one in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return f"{size:.0f} bytes"


def counted(n: int, what: str) -> str:
    """A number of things for people.

    >>> counted(1, "run"), counted(2000, "file")
    ('1 run', '2,000 files')
    """
    return f"{n:,} {what}{'s'[: n != 1]}"


def text_digest(text: str) -> str:
    r"""The sha256 of a text as UTF-8; lone surrogates, which that has not, count too.

    >>> text_digest("x = 1")[:12], text_digest("\ud800")[:12]
    ('8ff436def145', '91a681b99855')
    """
    import hashlib  # milliseconds that the bare command line need not pay

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to an error, empty when nothing is near.

    >>> did_you_mean("--tga", ["--tag", "--seed"])
    ' Did you mean --tag?'
    """
    import difflib  # only errors need it

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.65)
    return f" Did you mean {near[0]}?" if near else ""


def _is_plain(char: str) -> bool:
    return char not in _BIDI and unicodedata.category(char) not in {"Cc", "Cs"}


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
