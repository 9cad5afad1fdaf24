"""A sweep that is being asked for: ticked values, their spaces, and how to search.

The form is text throughout, as it was typed, and is the same as one line of `%%sweep`:
that line is what runs. What is wrong with it is said field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nbtrack.errors import OptionError
from nbtrack.notebook.arguments import split_line
from nbtrack.notebook.sweep_magic import asked_of
from nbtrack.sweeps.api import Asked, aim_of, count_of, parallel_of, plan_of
from nbtrack.sweeps.offers import Offer, spaces_of
from nbtrack.sweeps.sites import CellText
from nbtrack.sweeps.space import Axis, parse_axis, parse_space
from nbtrack.text import counted

FIELDS = ("n", "sampler", "metric", "prune", "parallel")


@dataclass(frozen=True, slots=True)
class SweepForm:
    """All fields, as text; `ticked` are the names to sweep, in their order."""

    spaces: Mapping[str, str] = field(default_factory=dict)  # of all rows
    ticked: tuple[str, ...] = ()
    n: str = "20"  # empty: the whole grid
    sampler: str = "tpe"
    metric: str = ""
    prune: str = ""
    parallel: str = "1"

    @classmethod
    def of_cell(cls, text: str, offers: list[Offer]) -> SweepForm:
        """The form as it is shown first: guesses, nothing ticked."""
        return cls(spaces_of(offers), metric=guessed_metric(text))

    @property
    def space(self) -> dict[str, str]:
        """What is swept, as it was typed."""
        return {name: self.spaces.get(name, "").strip() for name in self.ticked}

    def line(self) -> str:
        """What stands on top of the cell to have the same sweep.

        >>> form = SweepForm({"lr": "log(1e-3, 1)"}, ("lr",), n="8", metric="loss:min")
        >>> form.line()
        '%%sweep lr=log(1e-3, 1) --n 8 --metric loss:min'
        """
        words = [f"{name}={values}" for name, values in self.space.items()]
        given = (
            ("--n", self.n, ""),
            ("--sampler", self.sampler, "tpe"),
            ("--metric", self.metric, ""),
            ("--parallel", self.parallel, "1"),
        )
        for flag, value, default in given:
            if value.strip() != default:
                words += [flag, _word(value.strip())]
        if self.prune:
            words.append(f"--prune={self.prune}")
        return " ".join(["%%sweep", *words])

    def asked(
        self, cell: str, namespace: Mapping[str, Any], track_line: str = ""
    ) -> Asked:
        """What its line asks for.

        Raises
        ------
        OptionError
            For the first thing that is wrong with it.
        """
        for slip in self.slips(CellText(cell, namespace)).values():
            raise OptionError(slip)
        if not self.ticked:
            raise OptionError("Tick what is to be swept.")
        line = self.line().partition(" ")[2]
        return asked_of(line, cell, namespace, track_line)

    def slips(self, cell: CellText) -> dict[str, str]:
        """What is wrong, by the name of a row or a field (`--n`)."""
        found: dict[str, str] = {}
        for name, values in self.space.items():
            self._try(name, found, lambda n=name, v=values: self._axis(n, v, cell))  # type: ignore[misc]
        tries: Mapping[str, Callable[[], object]] = {
            "--n": lambda: count_of(_whole(self.n, "n", None), self.sampler),
            "--sampler": lambda: plan_of(self.sampler, self.prune or False, 0),
            "--metric": lambda: aim_of(self.metric or None, cell.text),
            "--parallel": lambda: parallel_of(
                _whole(self.parallel, "parallel", 1) or 0
            ),
        }
        for name, attempt in tries.items():
            self._try(name, found, attempt)
        return found

    def n_trials(self, namespace: Mapping[str, Any]) -> int | None:
        """How many there will be; None while that cannot be told."""
        try:
            n = count_of(_whole(self.n, "n", None), self.sampler)
            if self.sampler != "grid":
                return n
            n_grid = len(parse_space(self.space, namespace).grid())
        except OptionError:
            return None
        return n_grid if n is None else min(n, n_grid)

    def told(self, page: Mapping[str, Any]) -> SweepForm:
        """The form with what a page says: texts only, of fields that there are."""
        fields = {k: str(v)[:200] for k, v in page.items() if k in FIELDS}
        spaces = page.get("spaces")
        if isinstance(spaces, dict):
            typed = {k: str(v)[:2000] for k, v in spaces.items() if k in self.spaces}
            fields["spaces"] = {**self.spaces, **typed}  # type: ignore[assignment]
        ticked = page.get("ticked")
        if isinstance(ticked, list):
            known = [name for name in ticked if name in self.spaces]
            fields["ticked"] = tuple(known)  # type: ignore[assignment]
        return replace(self, **fields)  # type: ignore[arg-type]

    def _axis(self, name: str, values: str, cell: CellText) -> Axis:
        cell.site_of(name)
        before = self.ticked[: self.ticked.index(name)]
        for word in split_line(f"{name}={values}")[1:2]:
            if word != "if":
                raise OptionError(f"{values} is more than one value: leave {word} out.")
        return parse_axis(name, values, cell.namespace, before)

    def _try(
        self, name: str, found: dict[str, str], attempt: Callable[[], object]
    ) -> None:
        try:
            attempt()
        except OptionError as exc:
            found[name] = str(exc)


def guessed_metric(text: str) -> str:
    """The metric that the names of a cell tell of, with its goal; "" for none.

    >>> guessed_metric("val_acc = 1"), guessed_metric("x = 1")
    ('val_acc:max', '')
    """
    try:
        return aim_of(None, text).text
    except OptionError:
        return ""


def budget_words(n: int | None, each_s: float | None, parallel: int) -> str:
    """What a sweep will take, in plain words.

    >>> budget_words(20, 41.0, 2)
    '20 runs × 41 s = 14 min, 2 workers → 7 min'
    >>> budget_words(3, None, 1)
    '3 runs × unknown: run the cell once'
    """
    if n is None:
        return ""
    runs = counted(n, "run")
    if each_s is None:
        return f"{runs} × unknown: run the cell once"
    words = f"{runs} × {time_words(each_s)} = {time_words(n * each_s)}"
    at_once = min(parallel, n)
    if at_once < 2:
        return words
    rounds = -(-n // at_once)
    return f"{words}, {at_once} workers → {time_words(rounds * each_s)}"


def time_words(seconds: float) -> str:
    """A length of time as people say it.

    >>> [time_words(s) for s in (0.04, 4.1, 41.3, 820, 9000)]
    ['0.04 s', '4.1 s', '41 s', '14 min', '2.5 h']
    """
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 99:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.3g} h"


def _word(text: str) -> str:
    """As one word of a line."""
    if not text or any(c.isspace() or c in "'\"#" for c in text):
        return '"' + text.replace('"', '\\"') + '"'
    return text


def _whole(text: str, what: str, default: int | None) -> int | None:
    if not text.strip():
        return default
    try:
        return int(text)
    except ValueError:
        raise OptionError(f"{what} is a whole number, not {text[:40]!r}.") from None
