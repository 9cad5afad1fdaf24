"""What of a bundle's code is not as its maker exported it: told by lines, not by trust.

Somebody may change a bundle and list its digests anew; the cells then differ from those
that `run/slice.json` keeps, a module from its entry in the ledger, a generator's state
from the file in `rng/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nbtrack.analysis.diff.cause import CODE, DATA, SEED, WEAK, Cause, line_text
from nbtrack.analysis.diff.lines import unified
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.slices.segments import Segment

_SEEDS = re.compile(r"(?:seed|random_?state|rng)\w*\W{0,4}[\d.]*$", re.IGNORECASE)
_JOINED = re.compile(r'"\s*"')  # a long text goes over lines of the script
_LINES_SHOWN = 3


def edits_of(
    bundle: Bundle, segments: Iterable[Segment], first: str | None
) -> Iterator[Cause]:
    """The cells that ran otherwise than they were exported.

    Parameters
    ----------
    first
        The cell after which something was another: what comes later made no difference
        there.
    """
    ran = {each.label: each.source for each in segments}
    is_later = False
    for told in bundle.json("run/slice.json")["cells"]:
        label, was = str(told["label"]), str(told["emitted"])
        now = ran.get(label, "")
        if was.strip() != now.strip():
            yield _edit(label, was, now, is_later=is_later)
        is_later = is_later or label == first


def changed_files(bundle: Bundle) -> Iterator[Cause]:
    """Data and modules whose content is not that of the ledger."""
    for told in bundle.json("data/inputs.json")["files"]:
        member = told["member"]
        if member is None or bundle.sha256(member) == told["sha256"]:
            continue
        name = line_text(str(told["path"]))
        if told["role"] == "module":
            yield Cause("code", f"local module {name} was edited", (), CODE)
        else:
            yield Cause("data", f"file {name}: other content than was read", (), DATA)


def changed_states(bundle: Bundle) -> Iterator[Cause]:
    """States of generators that the script puts back, and `rng/` has otherwise."""
    script = _JOINED.sub("", bundle.read("run/run.py").decode("utf-8", "replace"))
    for name in bundle.names:
        if not name.startswith("rng/") or not name.endswith(".bin"):
            continue
        if bundle.read(name).decode("ascii", "replace") not in script:
            shown = line_text(name.removeprefix("rng/").removesuffix(".bin"))
            said = f"generator {shown}: the script puts another state back"
            yield Cause("seed", said, (), SEED)


def _edit(label: str, was: str, now: str, *, is_later: bool) -> Cause:
    lines = [
        line
        for line in unified(was, now, context=0)
        if line[:1] in "+-" and line[1:].strip()
    ]
    kind, rank = ("seed", SEED) if _is_seed(lines) else ("code", CODE)
    evidence = tuple(line_text(line) for line in lines[: 2 * _LINES_SHOWN])
    sentence = f"{line_text(label)} was edited"
    return Cause(kind, sentence, evidence, WEAK - 1 if is_later else rank)  # type: ignore[arg-type]


def _is_seed(lines: Iterable[str]) -> bool:
    """Whether nothing but a seed is another."""
    old = [line[1:] for line in lines if line[0] == "-"]
    new = [line[1:] for line in lines if line[0] == "+"]
    if not old or len(old) != len(new):
        return False
    heads = (_common(*pair) for pair in zip(old, new, strict=True))
    return all(_SEEDS.search(head) for head in heads)


def _common(old: str, new: str) -> str:
    """What the two begin with."""
    at = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None
    )
    return old[:at]


def reads_of(bundle: Bundle, label: str | None) -> tuple[str, ...]:
    """The files of the ledger that a cell reads."""
    cells: list[Mapping[str, Any]] = bundle.json("run/slice.json")["cells"]
    return tuple(
        line_text(str(path))
        for told in cells
        if told["label"] == label
        for path in told.get("reads_files", ())
    )
