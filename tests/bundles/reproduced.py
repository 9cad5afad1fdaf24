"""Plays sessions, exports their runs, reruns the bundles elsewhere, and counts.

The product's verdict is not believed: the points of the rerun are compared here with
those of the session, as its store has them. A bundle that was proven at its export and
gives something else elsewhere is falsely verified.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bundles.elsewhere import asked
from bundles.mutators import MUTATORS, NONE, mutated
from bundles.notebooks_here import notebooks, says_a_seed
from slices.corpus import Session

AT_ONCE = 2
DRAWS = 12
SAMPLE = "NBTRACK_SAMPLE"  # in the environment: how many sessions, for a quick look


@dataclass(frozen=True)
class Outcome:
    """What became of one session: its bundle, and the rerun of that."""

    notebook: str
    mutator: str
    played: Mapping[str, Any] = field(default_factory=dict)
    again: Mapping[str, Any] = field(default_factory=dict)
    differs: str = ""  # what the harness itself sees differ
    seconds: float = 0.0
    why: str = ""  # there is no bundle, or no rerun

    @property
    def is_proven(self) -> bool:
        return self.played.get("proof") == "PROVEN"

    @property
    def is_identical(self) -> bool:
        """Both say so: the product and this harness."""
        return bool(self.again.get("is_same")) and not self.differs and not self.why

    @property
    def is_falsely_verified(self) -> bool:
        return self.is_proven and not self.is_identical

    @property
    def line(self) -> str:
        """One row of the table."""
        kept = f"{self.played.get('n_cells', '-')}/{self.played.get('n_session', '-')}"
        cells = (
            self.notebook, self.mutator, kept, str(self.played.get("method", "-")),
            str(self.played.get("proof", "-")), str(self.again.get("verdict", "-")),
        )  # fmt: skip
        told = self.why or self.differs or _reasons(self)
        return f"{_row(cells)} {self.seconds:5.1f}  {told}".rstrip()


def _reasons(outcome: Outcome) -> str:
    if outcome.is_identical and outcome.is_proven:
        return ""
    parts = (outcome.played.get("reason", ""), outcome.again.get("reason", ""))
    return " / ".join(part for part in parts if part)


def reproduce(
    session: Session, mutator: str, folder: Path, *, where: str = "current"
) -> Outcome | None:
    """Play, export, and rerun in another process; None where no draw runs at all."""
    began = time.monotonic()
    bundle = folder / "run.nbt.zip"
    played: Mapping[str, Any] = {}
    for draw in range(DRAWS):
        changed = mutated(session, mutator, draw=draw)
        if changed is not None:
            steps = [asdict(step) for step in changed.steps]
            given = {"steps": steps, "target": str(bundle)}
            played = asked("play", folder / f"played-{draw}", given)
            if not played.get("raised"):
                break
    else:
        return None
    outcome = _outcome(session.name, mutator, played, folder, where)
    return Outcome(**{**vars(outcome), "seconds": time.monotonic() - began})


def _outcome(
    name: str, mutator: str, played: Mapping[str, Any], folder: Path, where: str
) -> Outcome:
    if error := played.get("error"):
        return Outcome(name, mutator, played, why=f"export: {_last_line(error)}")
    given = {"bundle": str(folder / "run.nbt.zip"), "where": where}
    again = asked("rerun", folder / "again", given)
    if error := again.get("error"):
        return Outcome(name, mutator, played, again, why=f"rerun: {_last_line(error)}")
    differs = first_difference(played["points"], again["points"], played["timings"])
    return Outcome(name, mutator, played, again, differs)


def first_difference(
    recorded: Mapping[str, Any], again: Mapping[str, Any], timings: Sequence[str] = ()
) -> str:
    """Where the points differ; empty where they are the same to the bit."""
    names = sorted({*recorded, *again} - {*timings})
    if not names:
        return "there is nothing to compare"
    for name in names:
        if name not in recorded or name not in again:
            return f"{name} is in one of them only"
        if differs := _differing_point(recorded[name], again[name]):
            return f"{name}{differs}"
    return ""


def _differing_point(recorded: Sequence[Any], again: Sequence[Any]) -> str:
    """Long series are thinned as time allows: what both have is compared, and ends."""
    (thinned, was), (thinned_again, now) = recorded, again
    values = dict(now)
    common = [(step, value, values[step]) for step, value in was if step in values]
    is_whole = thinned == thinned_again == 1
    if is_whole and [step for step, _ in was] != [step for step, _ in now]:
        return f" has {len(now)} points, recorded {len(was)}"
    if not common or was[-1][0] != now[-1][0]:
        return f" ends with step {now[-1][0]}, recorded {was[-1][0]}"
    for step, old, new in common:
        if old != new:
            old, new = float.fromhex(old), float.fromhex(new)
            return f"[{step}] is {new!r}, recorded {old!r}"
    return ""


def all_outcomes(
    sessions: Iterable[Session],
    mutators: Sequence[str] = (NONE, *MUTATORS),
    *,
    where: str = "current",
    most: int | None = None,
) -> list[Outcome]:
    """Each session under each mutator, a few at once; at most so many of them."""
    pairs = [(s, m) for s in sessions for m in mutators]
    if most is not None and most < len(pairs):
        pairs = [pairs[k * len(pairs) // most] for k in range(most)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda pair: _in_a_folder(pair[0], pair[1], where), pairs)
        return [outcome for outcome in found if outcome is not None]


def _in_a_folder(session: Session, mutator: str, where: str) -> Outcome | None:
    folder = Path(tempfile.mkdtemp(prefix="reproduced-"))
    try:
        return reproduce(session, mutator, folder, where=where)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def asked_for() -> int | None:
    """How many sessions the environment asks for; None: all of them."""
    told = os.environ.get(SAMPLE)
    return int(told) if told else None


def table(outcomes: Sequence[Outcome]) -> str:
    """A line for each, and what they come to."""
    head = ("notebook", "mutator", "kept", "method", "export", "rerun")
    lines = [f"{_row(head)} {'s':>5}", *(outcome.line for outcome in outcomes)]
    return "\n".join([*lines, "", *totals(outcomes)])


def totals(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """By mutator and for all: how many come out the same, and what was claimed."""
    mutators = list(dict.fromkeys(outcome.mutator for outcome in outcomes))
    for name in mutators:
        yield _total(name, [o for o in outcomes if o.mutator == name])
    unseeded = {s.name for s in notebooks() if not says_a_seed(s)}
    yield _total("without a seed", [o for o in outcomes if o.notebook in unseeded])
    yield _total("all", outcomes)


def _total(name: str, found: Sequence[Outcome]) -> str:
    same = sum(o.is_identical for o in found)
    unproven = sum(not o.is_proven for o in found)
    false = sum(o.is_falsely_verified for o in found)
    share = f"{100 * same / len(found):.1f} %" if found else "-"
    return (
        f"{name:15} n {len(found):4}  identical {same:4} ({share})  "
        f"unproven {unproven:3}  falsely verified {false}"
    )


def _row(cells: Sequence[str]) -> str:
    widths = (24, 14, 6, 11, 9, 11)
    return "".join(f"{c:{w}}" for c, w in zip(cells, widths, strict=True))


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1]
