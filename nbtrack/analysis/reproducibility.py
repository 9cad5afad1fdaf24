"""What was shown of a run's reproducibility, as rows: its proof, and its verdict.

The proof is of the bundle or slice that was made of it; the verdict is there where it
repeats another run. Only facts are read, and nothing is judged anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbtrack.records import Fact
from nbtrack.text import shorten, visible

_CAUSES_SHOWN = 5
_CHARS = 300
Row = tuple[str, ...]


def reproducibility(
    facts: Mapping[str, Fact], names: Mapping[str, str] | None = None
) -> list[Row]:
    """What the facts say; nothing where nobody has tried.

    Parameters
    ----------
    names
        Of runs, by id: the origin is called by its name where it is one of them.

    >>> told = {"slice.proof": "PROVEN", "slice.proof.reason": "2 of 9 cells do it"}
    >>> reproducibility({name: Fact(name, value) for name, value in told.items()})
    [('proof', 'PROVEN', '2 of 9 cells do it')]
    """
    return [*_proof(facts), *_rerun(facts, names or {})]


def origin_of(facts: Mapping[str, Fact]) -> str | None:
    """The id of the run that this one repeats, if it is a rerun.

    >>> origin_of({"rerun.of": Fact("rerun.of", "0123456789abc")})
    '0123456789abc'
    """
    told = _told(facts, "rerun.of")
    return told if isinstance(told, str) else None


def _proof(facts: Mapping[str, Fact]) -> Iterator[Row]:
    if outcome := _text(facts, "slice.proof"):
        yield _row("proof", outcome, _text(facts, "slice.proof.reason"))


def _rerun(facts: Mapping[str, Fact], names: Mapping[str, str]) -> Iterator[Row]:
    if of := origin_of(facts):
        yield ("rerun of", _short(names.get(of, of)))
    if verdict := _text(facts, "rerun.verdict"):
        yield _row("verdict", verdict, _text(facts, "rerun.reason"))
    if where := _text(facts, "rerun.divergence"):
        yield ("first difference", where)
    causes = _told(facts, "rerun.causes")
    for cause in causes[:_CAUSES_SHOWN] if isinstance(causes, list) else ():
        yield ("likely cause", _short(cause))


def _row(*texts: str) -> Row:
    return tuple(text for text in texts if text)


def _text(facts: Mapping[str, Fact], name: str) -> str:
    told = _told(facts, name)
    return "" if told is None else _short(told)


def _told(facts: Mapping[str, Fact], name: str) -> Any:  # Any: what a store says
    fact = facts.get(name)
    return None if fact is None or fact.missing is not None else fact.value


def _short(told: object) -> str:
    return visible(shorten(str(told), _CHARS))
