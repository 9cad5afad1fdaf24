"""The table of the evaluation: groups of traps down, methods across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slices.corpus import GROUP_OF, GROUPS, Session, Truth
from slices.evaluation import (
    Verdict,
    capture_ms,
    kept_fraction,
    percent,
    size_over_minimum,
)


def provable(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those of which the number can come out again, whoever slices."""
    return [v for v in verdicts if v.session.provable == "yes"]


def table(methods: Mapping[str, Sequence[Verdict]], truths: Mapping[str, Truth]) -> str:
    """Right at first try by group and method, with totals below."""
    groups = [*GROUPS, "all"]
    lines = [_line("right at first try", "n", *methods)]
    for group in groups:
        chosen = {
            name: [v for v in provable(found) if group in ("all", _group(v.session))]
            for name, found in methods.items()
        }
        n = max(len(found) for found in chosen.values())
        if n:
            shares = (percent(sum(v.right for v in f), n) for f in chosen.values())
            lines.append(_line(group, str(n), *shares))
    lines.append("")
    for name, found in methods.items():
        lines.append(f"{name}: {totals(found, truths)}")
    return "\n".join(lines)


def totals(found: Sequence[Verdict], truths: Mapping[str, Truth]) -> str:
    asked = provable(found)
    parts = [f"{sum(v.right for v in asked)} of {len(asked)} right at first try"]
    size = size_over_minimum(asked, truths)
    if size is not None:
        parts.append(f"size/minimum {size:.3f}")
    parts.append(f"kept {kept_fraction(asked):.2f} of the cells")
    if any(v.outcome for v in found):
        after = percent(sum(v.right_after_ladder for v in asked), len(asked))
        false = sum(v.falsely_verified for v in found)
        parts += [f"after the ladder {after}", f"falsely verified {false}"]
    if (took := capture_ms(found)) > 0:
        parts.append(f"capture {took:.1f} ms per cell (median)")
    return ", ".join(parts)


def failures(found: Sequence[Verdict], truths: Mapping[str, Truth]) -> str:
    """What is wrong, or larger than it need be, one line each."""
    lines = []
    for v in found:
        truth = truths.get(v.session.name)
        size = truth.size if truth else None
        larger = v.right and size is not None and len(v.kept) > size
        unproven = v.session.provable == "yes" and v.outcome == "UNPROVEN"
        wrong = not v.right and v.session.provable == "yes"
        if wrong or larger or unproven or v.falsely_verified:
            minimal = truth and (truth.minimal, truth.minimal_with_states)
            lines.append(f"{v.session.name}: kept {v.kept}, minimal {minimal} {v.why}")
    return "\n".join(lines)


def _group(session: Session) -> str:
    return GROUP_OF.get(session.kind, "other")


def _line(first: str, *cells: str) -> str:
    return f"{first:22}" + "".join(f"{cell:>12}" for cell in cells)
