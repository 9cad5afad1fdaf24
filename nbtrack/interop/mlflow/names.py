"""Names as MLflow takes them: letters, digits, `_ - . / :`, spaces; no odd path."""

from __future__ import annotations

import re

from nbtrack.text import text_digest

_OTHER = re.compile(r"[^\w.\- :/]")
_OTHER_IN_PATH = re.compile(r"[^\w.\- ()+=,]")
_LONGEST = 240  # of 250, in what MLflow counts as characters
_HASH = 6


def name_there(name: str) -> str:
    """A name under which MLflow keeps it: the same where it can, else one of its own.

    >>> name_there("val/loss"), name_there("acc@5")
    ('val/loss', 'acc_5-c4e871')
    """
    return _plain(name, _OTHER)


def axis_there(metric: str, axis: str) -> str:
    """The metric of a name of its own that holds an axis of another.

    >>> axis_there("loss", "epoch")
    'axes/loss/epoch'
    """
    return name_there(f"axes/{metric}/{axis}")


def path_there(path: str) -> str:
    """A path of a file for any server and file system, in the same way.

    >>> path_there("tables/épochs 1.csv"), path_there("a:b.csv")
    ('tables/épochs 1.csv', 'a_b-ca7c2b.csv')
    """
    return _plain(path, _OTHER_IN_PATH, keep_ending=True)


def _plain(text: str, other: re.Pattern[str], *, keep_ending: bool = False) -> str:
    parts = [other.sub("_", part).strip(" ") for part in text.split("/")]
    plain = "/".join(part for part in parts if part.strip("."))[:_LONGEST]
    if plain == text and text:
        return text
    digest = text_digest(text)[:_HASH]
    stem, dot, ending = plain.rpartition(".")
    if keep_ending and dot and stem and "/" not in ending:
        return f"{stem}-{digest}.{ending}"
    return f"{plain}-{digest}"
