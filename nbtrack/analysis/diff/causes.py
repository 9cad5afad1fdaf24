"""What most likely made two runs differ: causes in an order, each with its evidence.

The order stands in `nbtrack.analysis.diff.cause`. A code change that only writes the
value of a changed param, or of data that is told by its digest, is told as that alone;
one that only sets what nothing reads, or changes only comments, is no cause. Pure
functions of a `RunDiff`; nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nbtrack.analysis.diff.cause import (
    CODE,
    END,
    LOADED,
    PARAMS,
    SEED,
    UNKNOWN,
    WEAK,
    Cause,
    Kind,
    line_text,
    name_text,
)
from nbtrack.analysis.diff.code import CodeChange
from nbtrack.analysis.diff.params import ParamChange, pair_text, value_text
from nbtrack.analysis.diff.run_diff import RunDiff
from nbtrack.analysis.diff.surroundings_causes import (
    chance_causes,
    data_causes,
    package_causes,
    setting_causes,
)

_SEED_NAME = re.compile(r"(?:^|[._])(?:seed|random_state)s?$", re.IGNORECASE)
_EVIDENCE_MAX = 4


def causes_of(diff: RunDiff) -> tuple[Cause, ...]:
    """What may have made the difference, the likeliest first.

    Where the metrics are the same these are differences without an effect on them.

    Examples
    --------
    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.analysis.diff.side import Side
    >>> from nbtrack.records import Param, RunRecord
    >>> def side(lr):
    ...     params = {"lr": Param("lr", lr, "option")}
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1, params=params)
    ...     return Side(run)
    >>> causes_of(diff_sides(side(0.1), side(0.2)))[0].sentence
    'param lr: 0.1 in A, 0.2 in B'
    """
    found = [
        *_ends(diff), *data_causes(diff.inputs), *_params(diff.params), *_code(diff),
        *chance_causes(diff.chance), *package_causes(diff.packages),
        *setting_causes(diff.environment),
    ]  # fmt: skip
    if diff.metrics_differ and all(cause.rank >= LOADED for cause in found):
        found.append(_unknown(diff, has_others=bool(found)))
    return tuple(sorted(found, key=lambda cause: cause.rank))


def verdict(diff: RunDiff) -> str:
    """What there is to be explained, in a sentence.

    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.analysis.diff.side import Side
    >>> from nbtrack.records import RunRecord
    >>> one = Side(RunRecord("1", "x", "e", "finished", "", None, 1))
    >>> verdict(diff_sides(one, one))
    'A and B are the same run.'
    """
    if diff.a.record.id == diff.b.record.id:
        return "A and B are the same run."
    n_all = len(diff.metrics)
    n = sum(metric.change != "same" for metric in diff.metrics)
    if n:
        return f"{n} of {n_all} metric{'s' * (n_all > 1)} differ{'s' * (n == 1)}."
    if not n_all:
        return "Neither run has a metric" + (
            ", and nothing else differs." if diff.is_same else "; other things differ."
        )
    equal = (
        "The metric is the same" if n_all == 1 else f"All {n_all} metrics are the same"
    )
    if diff.is_same:
        return f"{equal}, and nothing else that was recorded differs."
    if not diff.causes:
        return f"{equal}; nothing differs that could matter to them."
    return f"{equal}; what differs beside them had no effect that can be seen."


def _ends(diff: RunDiff) -> Iterator[Cause]:
    a, b = diff.a.record, diff.b.record
    if a.status == b.status:
        return
    if "running" in (a.status, b.status):
        which = "A" if a.status == "running" else "B"
        yield Cause("end", f"{which} still goes on", (), END)
        return
    errors = [(which, r.error or r.reason) for which, r in (("A", a), ("B", b))]
    evidence = [f"{which}: {_last_line(text)}" for which, text in errors if text]
    yield Cause("end", f"A {a.status}, B {b.status}", tuple(evidence), END)


def _params(params: Sequence[ParamChange]) -> Iterator[Cause]:
    details = _details_of_others(params)
    # What people named themselves says more than details of objects.
    for param in sorted(params, key=lambda p: (p.kind == "object", "." in p.name)):
        if param.change in ("same", "origin") or param.is_outcome:
            continue
        if param.name in details:
            continue  # told with its object
        is_seed = _SEED_NAME.search(param.name) is not None
        n_details = sum(root == param.name for root in details.values())
        more = (f"{n_details} of its settings are those of one kind",) * (n_details > 0)
        kind: Kind = "seed" if is_seed else "params"
        evidence = (*_param_why(param), *more)
        rank = _param_rank(param, is_seed=is_seed)
        yield Cause(kind, _param_sentence(param), evidence, rank)


def _param_rank(param: ParamChange, *, is_seed: bool) -> int:
    if param.change == "type":
        return WEAK
    if is_seed:
        return SEED
    return WEAK if param.read_by == () else PARAMS


def _details_of_others(params: Sequence[ParamChange]) -> dict[str, str]:
    """Details that an object has only as its kind is another: name -> the object.

    Where SGD gave way to Adam, `opt.betas` is no cause of its own.
    """
    others = {p.name for p in params if p.kind == "object" and p.change == "changed"}
    found = {}
    for param in params:
        root = param.name.partition(".")[0]
        if root in others and root != param.name and param.change.startswith("only"):
            found[param.name] = root
    return found


def _param_sentence(param: ParamChange) -> str:
    name = f"param {name_text(param.name)}"
    if param.change.startswith("only"):
        is_a = param.change == "only in a"
        value = value_text(param.a if is_a else param.b)
        return f"{name}: {value} in {'A' if is_a else 'B'}, not there in the other"
    a, b = pair_text(param.a, param.b)
    if param.change == "type":
        return f"{name}: the same number of another type, {a} in A, {b} in B"
    return f"{name}: {a} in A, {b} in B"


def _param_why(param: ParamChange) -> Iterator[str]:
    if param.read_by:
        yield f"read by {', '.join(map(line_text, param.read_by[:_EVIDENCE_MAX]))}"
    elif param.read_by == ():
        yield "no cell that the result depends on reads a variable of that name"
    origins = dict.fromkeys(filter(None, (param.origin_a, param.origin_b)))
    yield f"{line_text(' → '.join(origins))}"


def _code(diff: RunDiff) -> Iterator[Cause]:
    for change in diff.code:
        if change.change in ("same", "layout", "values", "secret"):
            continue
        if not change.is_needed:
            continue  # told together
        yield Cause("code", _code_sentence(change), tuple(_code_why(change)), CODE)
    beside = [
        change.name
        for change in diff.code.cells
        if not change.is_needed and change.change == "changed"
    ]
    if beside:
        cells = ", ".join(map(line_text, beside[:_EVIDENCE_MAX]))
        n = len(beside)
        sentence = f"{n} cell{'s' * (n > 1)} that no result depends on changed"
        yield Cause("code", sentence, (cells,), WEAK)


def _code_sentence(change: CodeChange) -> str:
    what = "tracked cell" if change.is_tracked else change.part
    if change.part != "cell":
        what = "local module" if change.part == "module" else "script"
    name = f"{what} {name_text(change.name)}"
    if change.change == "changed":
        return f"{name} changed"
    which = "A" if change.change == "only in a" else "B"
    return (
        f"{name} is {'loaded' if change.part != 'cell' else 'needed'} in {which} only"
    )


def _code_why(change: CodeChange) -> Iterator[str]:
    lines = [line for line in change.unified if line[:1] in "+-"]
    if not lines:
        yield "its text was not kept; the digests differ"
        return
    n_minus = sum(line.startswith("-") for line in lines)
    n_plus = len(lines) - n_minus
    yield f"{n_plus} line{'s' * (n_plus != 1)} added, {n_minus} removed"
    told = [line for line in lines if line[1:].strip()]
    for line in told[:_EVIDENCE_MAX]:
        yield line_text(line)


def _unknown(diff: RunDiff, *, has_others: bool) -> Cause:
    what = "Nothing else" if has_others else "Nothing"
    sentence = f"{what} that was recorded differs: noise, or something not recorded"
    evidence = list(diff.unseen[:_EVIDENCE_MAX])
    if any(s.fact("numerics.torch.deterministic") is False for s in (diff.a, diff.b)):
        evidence.append("PyTorch was not asked for deterministic algorithms")
    return Cause("unknown", sentence, tuple(evidence), UNKNOWN)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return line_text(lines[-1]) if lines else ""
