"""A source file as text, in the encoding that it declares."""

from __future__ import annotations


def decoded(body: bytes) -> str | None:
    r"""The text of a Python file; None where its bytes are in no known encoding.

    Line ends stay as they are, so that the text is the file.

    >>> decoded(b"# coding: latin-1\nname = 'Gr\xfcn'\r\n")
    "# coding: latin-1\nname = 'Grün'\r\n"
    """
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(body).readline)
        return body.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return None
