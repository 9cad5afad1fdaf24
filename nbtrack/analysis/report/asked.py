"""What a report was asked for: the runs, the pages, the title; and its line.

It stands in the file as JSON, so that the file can be made again from itself. Whoever
wrote that file: it is read as data, each field is checked, nothing of it is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nbtrack.analysis.comparing.state import CompareState
from nbtrack.errors import OptionError
from nbtrack.text import shorten, visible

TITLE_MAX = 200
_FORM = 1  # of the JSON
# No character that ends a comment or an attribute stands in the JSON.
_SAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&'-`\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which runs, and what beside them."""

    state: CompareState = field(default_factory=CompareState)
    title: str = ""
    pair: tuple[str, str] | None = None  # runs whose difference is explained
    cards: bool = False  # of all versions of a model, in place of the newest

    def __post_init__(self) -> None:
        title = shorten(" ".join(self.title.split()), TITLE_MAX)
        object.__setattr__(self, "title", title)

    @property
    def selects(self) -> bool:
        """Whether it says which runs, or how they are shown."""
        return self.state != CompareState() or self.pair is not None

    def as_json(self) -> str:
        r"""As one line of ASCII without `<`, `>`, `&`, `'`, or `-`.

        >>> Asked(title="a-->b").as_json().count("-")
        0
        """
        told = {
            "form": _FORM,
            "state": _changed(self.state),
            "title": self.title,
            "diff": list(self.pair or ()),
            "cards": self.cards,
        }
        return json.dumps(told).translate(_SAFE)

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """Read it again.

        Raises
        ------
        OptionError
            For what is no such text.

        Examples
        --------
        >>> asked = Asked(CompareState("loss < .3"), pair=("a", "b"))
        >>> Asked.from_json(asked.as_json()) == asked
        True
        """
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or told.get("form") != _FORM:
            raise OptionError(
                f"What the report was asked for cannot be read: {shorten(text, 60)!r}. "
                "Name its runs again."
            )
        state, pair = told.get("state"), told.get("diff")
        title = told.get("title")
        return cls(
            CompareState.from_json(state if isinstance(state, Mapping) else {}),
            title if isinstance(title, str) else "",
            _pair(pair) if pair else None,
            told.get("cards") is True,
        )

    def line(self, path: str, names: Mapping[str, str] | None = None) -> str:
        """The line of the magic that makes this report.

        Examples
        --------
        >>> Asked(CompareState("loss < .3"), title="Week 3").line("r.html")
        "%report loss < .3 --title 'Week 3' -o r.html"
        """
        called = names or {}
        parts = [f"%report{self.state.line(called).removeprefix('%compare')}"]
        if self.pair:
            parts.append(f"--diff {' '.join(called.get(r, r) for r in self.pair)}")
        parts += [f"--title {quoted(self.title)}"] if self.title else []
        parts += ["--cards"] if self.cards else []
        return " ".join([*parts, f"-o {quoted(path)}"])

    def without(self, gone: set[str]) -> Asked:
        """The same without runs that are not there any more."""
        state = self.state

        def kept(runs: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(run for run in runs if run not in gone)

        state = replace(
            state,
            runs=kept(state.runs),
            pinned=kept(state.pinned),
            selected=kept(state.selected),
            baseline="" if state.baseline in gone else state.baseline,
        )
        pair = None if gone.intersection(self.pair or ()) else self.pair
        return replace(self, state=state, pair=pair)

    def named(self) -> list[str]:
        """The runs that it names."""
        state = self.state
        every = [*state.runs, *state.pinned, *state.selected, state.baseline]
        return [run for run in dict.fromkeys([*every, *(self.pair or ())]) if run]


def quoted(text: str) -> str:
    r"""A word of a line, in quotes where it needs them.

    >>> quoted("report.html"), quoted("it's new")
    ('report.html', '"it\'s new"')
    """
    plain = visible(text)
    if plain and all(char.isalnum() or char in "_.+/@:-" for char in plain):
        return plain
    if "'" not in plain:
        return f"'{plain}'"
    escaped = plain.replace('"', '\\"')
    return f'"{escaped}"'


def _changed(state: CompareState) -> dict[str, Any]:
    plain = CompareState().as_json()
    return {k: v for k, v in state.as_json().items() if v != plain[k]}


def _pair(told: Any) -> tuple[str, str]:
    fits = isinstance(told, list) and all(isinstance(run, str) for run in told)
    if not fits or len(told) != 2:
        raise OptionError(f"diff={shorten(repr(told), 60)}: name two runs.")
    return told[0], told[1]
