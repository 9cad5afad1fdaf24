"""Ordinary cells under a bare `%%track`: what was captured, nothing else changed."""

from __future__ import annotations

import importlib.util
import math
import re
import warnings
from collections.abc import Iterator

import pytest
from conftest import fresh_shell
from corpus.reading import Case, cases

pytestmark = [pytest.mark.reproduce, pytest.mark.usefixtures("plain_surroundings")]

CAPTURED_AT_LEAST = 0.95

LIBRARIES = ("torch", "sklearn")
MISSING = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
scores: dict[str, tuple[int, int, list[str]]] = {}


def missing(case: Case) -> list[str]:
    """Libraries that the case needs and this environment does without."""
    text = "\n".join((*case.setup, case.cell))
    return [name for name in MISSING if re.search(rf"\b{name}\b", text)]


RUNNABLE = [case for case in cases() if not missing(case)]


def execute(case: Case, head: str):
    """Run a case as a user would; what it printed, showed, raised and left behind."""
    from IPython.utils.capture import capture_output

    with fresh_shell() as shell:
        shell.run_line_magic("load_ext", "nbtrack")
        for cell in case.setup:
            assert shell.run_cell(cell, store_history=True).success
        with capture_output() as said:
            result = shell.run_cell(head + case.cell, store_history=True)
        names = {n for n in shell.user_ns if not n.startswith("_")}
        return result, said.stdout, names, dict(shell.user_ns)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_cell_prints_shows_and_leaves_the_same_when_tracked(case, store_path):
    if missing(case):
        pytest.skip(f"{missing(case)[0]} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cells are other people's
        plain, plain_said, plain_names, _ = execute(case, "")
        tracked, said, names, namespace = execute(case, "%%track\n")
    assert tracked.success, tracked.error_in_exec
    assert said == plain_said
    assert repr(tracked.result) == repr(plain.result)
    assert names == plain_names
    scores[case.name] = score(case, namespace)


def score(case: Case, namespace) -> tuple[int, int, list[str]]:
    """Items found, items expected, and what is missing."""
    import nbtrack

    store = nbtrack.open()
    run = store.run("last")
    lacking = [
        *missing_params(case, run),
        *missing_metrics(case, run, store, namespace),
        *noise(case, run),
    ]
    parts = (case.params, case.metrics, case.axes, case.steps, case.absent)
    expected = sum(len(part) for part in parts)
    return expected - len(lacking), expected, lacking


def missing_params(case: Case, run) -> Iterator[str]:
    for name, value in case.params.items():
        if name not in run.params or run.params[name].value != value:
            got = run.params[name].value if name in run.params else "nothing"
            yield f"param {name}={value!r} (got {got!r})"


def missing_metrics(case: Case, run, store, namespace) -> Iterator[str]:
    for name, expected in case.metrics.items():
        if name not in run.metrics:
            yield f"metric {name}"
            continue
        curve = store.curve(run.id, name)
        if not matches(curve, expected, namespace, lenient=name in case.lenient):
            yield f"points of {name}: {len(curve.values)}, expected {expected}"
    for name, axes in case.axes.items():
        if name in run.metrics:
            have = set(store.curve(run.id, name).axes)
            if not set(axes) <= have:
                yield f"axes of {name}: {sorted(have)}, expected {axes}"
        else:
            yield f"axes of {name}"
    for name, steps in case.steps.items():
        if name not in run.metrics or list(store.curve(run.id, name).steps) != steps:
            yield f"steps of {name}"


def noise(case: Case, run) -> Iterator[str]:
    yield from (f"noise {name}" for name in case.absent if name in run.metrics)


def matches(curve, expected: int | str, namespace, *, lenient: bool) -> bool:
    values = eval(expected, namespace) if isinstance(expected, str) else expected
    if isinstance(values, int):
        return len(curve.values) == values or (lenient and len(curve.values) > 0)
    same = (math.isclose(a, b) for a, b in zip(curve.values, values, strict=False))
    return len(curve.values) == len(values) and all(same)


def test_at_least_95_percent_of_what_a_person_would_note_is_captured():
    if len(scores) < len(RUNNABLE):
        pytest.skip("counts over the whole corpus: run this file as a whole")
    found = sum(score[0] for score in scores.values())
    expected = sum(score[1] for score in scores.values())
    for name, (got, of, lacking) in scores.items():
        print(f"{name:35} {got:3}/{of:<3} {'; '.join(lacking)}")
    print(f"captured {found} of {expected} = {found / expected:.1%}")
    assert found / expected >= CAPTURED_AT_LEAST
