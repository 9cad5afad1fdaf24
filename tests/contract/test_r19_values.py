"""R19: every value reads back the same, or is dropped with one warning and counted."""

from __future__ import annotations

import itertools
import math
import struct
import sys
from decimal import Decimal
from fractions import Fraction

import numpy
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbtrack
from nbtrack.capture.values import MAX_TEXT, decode
from nbtrack.guard import guard
from nbtrack.redact import redact_source
from nbtrack.text import NAME_MAX, clean_name, visible

pytestmark = pytest.mark.usefixtures("plain_surroundings")
HOW = settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LARGE = "x\0é" * (10 * 1024 * 1024 // 4)  # 10 MB as UTF-8

odd_floats = st.sampled_from(
    [math.nan, -math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.8e308, 2.0**63]
)
floats = st.floats() | odd_floats
whole = st.integers() | st.sampled_from([2**53 + 1, 2**63, -(2**63) - 1, 10**400])
numpy_scalars = st.one_of(
    floats.map(numpy.float64),
    st.floats(width=32).map(numpy.float32),
    st.floats(width=16).map(numpy.float16),
    st.integers(-(2**63), 2**63 - 1).map(numpy.int64),
    st.booleans().map(numpy.bool_),
    floats.map(lambda value: numpy.array([value])),
    floats.map(numpy.array),
)
others = st.sampled_from(
    [True, Decimal("0.1"), Decimal("NaN"), Fraction(1, 3), Decimal("1e999")]
)
text = st.text() | st.sampled_from(["\ud800", "a\0b", "\udfff\0", "\x1b[31m", "\u202e"])
refused = st.one_of(
    text, st.none(), st.binary(), st.complex_numbers(), st.lists(st.floats()),
    st.just(numpy.array([1.0, 2.0])), st.just(object()), st.just(LARGE),
)  # fmt: skip


def torch_scalars():
    torch = pytest.importorskip("torch")
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
    return [torch.tensor(v, dtype=k) for v in (0.1, math.nan, -0.0) for k in kinds] + [
        torch.tensor(2**63 - 1),
        torch.tensor(True),
        torch.tensor([1.5], requires_grad=True),
    ]


def bits(value: float) -> bytes:
    """What tells 0.0 from -0.0; one NaN is as good as another."""
    return struct.pack("<d", math.nan if value != value else value)


def as_float(value):
    try:
        return float(value.item()) if hasattr(value, "item") else float(value)
    except (OverflowError, TypeError, ValueError):
        return None


names = itertools.count()


def check_logged(run, values):
    """Log each under a name of its own: it is there to the bit, or it is counted."""
    dropped = run.n_dropped + run.store.journal.dropped
    logged = {f"m{next(names)}": value for value in values}
    run.log(logged)
    assert run.store.journal.flush()
    metrics = run.store.run(run.id).metrics
    for name, value in logged.items():
        if name in metrics:
            [found] = run.store.curve(run.id, name).values
            assert bits(found) == bits(as_float(value))
        else:
            dropped += 1
            warnings = [w for w in guard.failures if w.endswith(f"{run.id}.{name}")]
            assert [guard.failures[w] for w in warnings] == [1]
    assert run.n_dropped + run.store.journal.dropped == dropped
    return logged.keys() - metrics.keys()


@HOW
@given(values=st.lists(floats | whole | numpy_scalars | others, max_size=20))
def test_r19_numbers_of_python_and_numpy_read_back_to_the_bit(run, values):
    lost = check_logged(run, values)
    assert len(lost) == sum(as_float(value) is None for value in values)


@HOW
@given(values=st.lists(refused, max_size=5))
def test_r19_what_is_no_number_is_dropped_said_and_counted(run, values):
    assert len(check_logged(run, values)) == len(values)


def test_r19_scalars_of_torch_read_back_to_the_bit(run):
    assert check_logged(run, torch_scalars()) == set()


@pytest.mark.parametrize("step", [2**63 - 1, -(2**63), 0])
def test_r19_a_step_that_a_file_can_hold_reads_back(run, step):
    run.log(loss=1.0, step=step)
    assert run.store.journal.flush()
    assert list(run.store.curve(run.id, "loss").steps) == [step]


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 10**400])
def test_r19_a_step_that_no_file_can_hold_is_dropped_and_counted(run, step, capsys):
    for _ in range(2):
        run.log(loss=1.0, step=step)
    run.log(loss=1.0, step=1)
    assert run.store.journal.flush()
    assert list(run.store.curve(run.id, "loss").steps) == [1]
    assert run.n_dropped + run.store.journal.dropped == 2
    assert capsys.readouterr().err.count("was not") == 1


leaves = st.one_of(
    st.none(), st.booleans(), whole, floats, text.filter(lambda t: len(t) < 1000)
)
nested = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5
)  # fmt: skip


def same(found, value):
    if isinstance(value, float):
        return isinstance(found, float) and bits(found) == bits(value)
    if isinstance(value, list | tuple):
        return len(found) == len(value) and all(map(same, found, value))
    if isinstance(value, str):
        escaped = value.encode("utf-8", "backslashreplace").decode()
        return found in (value, escaped, visible(value), redact_source(value)[0])
    return type(found) is type(value) and found == value


@HOW
@given(value=nested)
def test_r19_a_param_reads_back_with_its_type_or_is_said_to_be_left_out(run, value):
    name = f"p{next(names)}"
    before = sum(guard.failures.values())
    run.log_params({name: value})
    params = {name: param.value for name, param in run.record().params.items()}
    if name in params:
        assert same(decode(params[name]), value)
    else:
        assert sum(guard.failures.values()) > before


def test_r19_a_text_of_ten_megabytes_is_cut_and_said(run, capsys):
    run.log_params(prompt=LARGE)
    run.tag(LARGE)
    run.note(LARGE)
    record = run.record()
    assert len(record.params["prompt"].value) <= MAX_TEXT + 100
    assert "prompt" in capsys.readouterr().err
    [tag] = record.tags
    assert len(tag) <= NAME_MAX
    assert record.notes.startswith("[redacted]")  # too long to be looked through


@HOW
@given(tag=text, value=text, note=text)
def test_r19_tags_and_notes_read_back_as_text_that_any_program_can_show(
    run, tag, value, note
):
    run.tag(tag, **{f"k{next(names)}": value})
    run.note(note)
    record = run.record()
    assert clean_name(tag.partition(": ")[0]) in record.tags
    assert clean_name(value) in record.tags.values()
    kept = redact_source(note)[0]
    assert record.notes in (kept, visible(kept))
    for said in (*record.tags, record.notes):
        said.encode()
    assert not run.store.sql("select * from unread")[1]
    run.untag(tag)


def test_r19_a_value_that_lies_about_itself_is_dropped(run):
    class Liar(float):
        def __float__(self):
            raise RuntimeError("no")

    class Endless:
        def item(self):
            return sys.maxsize**100

    assert len(check_logged(run, [Endless(), Liar])) == 2
    nbtrack.log(fine=1.0)
