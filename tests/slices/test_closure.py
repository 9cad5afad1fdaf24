"""Which cells are kept, dropped, and why."""

from __future__ import annotations

import pytest

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.closure import close_over


def cells_of(*flows, rng=None):
    return [
        CellRecord(
            seq,
            f"id{seq}",
            seq + 1,
            f"# {seq}",
            "",
            "2026-01-01T00:00:00Z",
            ok=True,
            flow=flow,
            rng=(rng or {}).get(seq, {}),
        )
        for seq, flow in enumerate(flows)
    ]


def sets(*names, reads=(), **more):
    return FlowRecord(
        reads=tuple(reads), writes=dict.fromkeys(names, "set"), kills=names, **more
    )


def changes(*names, reads=(), **more):
    return FlowRecord(
        reads=tuple(reads or names), writes=dict.fromkeys(names, "changed"), **more
    )


def kept(cells, target, rung="slice"):
    closure = close_over(cells, target=target, rung=rung)
    assert len(closure.kept) + len(closure.dropped) == target + 1
    return [k.cell.seq for k in closure.kept]


def test_the_last_writer_hides_earlier_ones():
    cells = cells_of(sets("x"), sets("x"), sets("y"), FlowRecord(reads=("x",)))
    assert kept(cells, 3) == [1, 3]


def test_a_change_keeps_the_chain():
    cells = cells_of(sets("x"), changes("x"), changes("x"), FlowRecord(reads=("x",)))
    assert kept(cells, 3) == [0, 1, 2, 3]


def test_what_a_kept_cell_reads_is_needed():
    cells = cells_of(
        sets("a"), sets("b", reads=["a"]), sets("c"), FlowRecord(reads=("b",))
    )
    closure = close_over(cells, target=3)
    assert [k.reasons for k in closure.kept] == [
        ("sets a, which [2] reads",),
        ("sets b, which [4] reads",),
        ("the tracked cell",),
    ]
    assert closure.dropped[0].reason == "nothing that it changed is read"


def test_cells_after_the_target_do_not_count():
    cells = cells_of(sets("x"), FlowRecord(reads=("x",)), changes("x"))
    assert kept(cells, 1) == [0, 1]


def test_what_may_have_changed_is_kept():
    unsure = FlowRecord(reads=("x",), may_write={"x": "over the budget"})
    cells = cells_of(sets("x"), unsure, FlowRecord(reads=("x",)))
    closure = close_over(cells, target=2)
    assert [k.cell.seq for k in closure.kept] == [0, 1, 2]
    assert "may change x (over the budget)" in closure.kept[1].reasons[0]


def test_what_reads_everything_keeps_whatever_was_changed():
    cells = cells_of(
        sets("x"), sets("y"), FlowRecord(), FlowRecord(reads=("@everything",))
    )
    assert kept(cells, 3) == [0, 1, 3]


def test_listing_files_keeps_who_wrote_some():
    wrote = FlowRecord(writes={"@file:/a": "set"}, kills=("@file:/a",))
    cells = cells_of(wrote, sets("x"), FlowRecord(reads=("@files",)))
    assert kept(cells, 2) == [0, 2]


def test_the_rungs_grow():
    cells = cells_of(
        sets("x"), FlowRecord(reads=("x",)), sets("z"), FlowRecord(reads=("x",))
    )
    assert kept(cells, 3) == [0, 3]
    assert kept(cells, 3, "may-mutate") == [0, 1, 3]
    assert kept(cells, 3, "history") == [0, 1, 2, 3]


def test_a_variable_that_nobody_set_is_missing():
    closure = close_over(cells_of(FlowRecord(reads=("ghost", "@cwd"))), target=0)
    assert closure.missing == {"ghost": "no cell that was seen sets it"}


def test_a_change_between_cells_is_said_and_keeps_who_left_a_thread():
    cells = cells_of(
        sets("x"),
        FlowRecord(notes={"threads": "it left a thread running"}),
        sets("y"),
        FlowRecord(reads=("x",), between={"x": 0}),
    )
    closure = close_over(cells, target=3)
    assert [k.cell.seq for k in closure.kept] == [0, 1, 3]
    assert closure.missing["x"] == "it changed between cells, before [4]"


def test_a_cell_that_nobody_looked_at_may_change_what_it_reads():
    cells = [
        CellRecord(0, None, 1, "x = []", "", ""),
        CellRecord(1, None, 2, "x.append(1)", "", ""),
        CellRecord(2, None, 3, "y = 2", "", ""),
        CellRecord(3, None, 4, "loss = len(x)", "", ""),
    ]
    assert kept(cells, 3) == [0, 1, 3]


SEED = FlowRecord(reads=("np",), writes={"@rng:numpy": "set"}, kills=("@rng:numpy",))
DRAW = FlowRecord(reads=("@rng:numpy",), writes={"@rng:numpy": "changed", "j": "set"})
TRAIN = FlowRecord(reads=("@rng:numpy",), writes={"@rng:numpy": "changed"})


def test_a_seed_in_reach_is_kept_and_no_state_is_needed():
    cells = cells_of(SEED, TRAIN, rng={0: {"numpy": "s0"}, 1: {"numpy": "s1"}})
    closure = close_over(cells, target=1)
    assert [(k.cell.seq, k.restore) for k in closure.kept] == [(0, ()), (1, ())]
    assert "seeds the generator numpy" in closure.kept[0].reasons[0]


def test_a_draw_in_between_is_dropped_and_the_state_put_back():
    states = {n: {"numpy": f"s{n}"} for n in range(3)}
    closure = close_over(cells_of(SEED, DRAW, TRAIN, rng=states), target=2)
    assert [(k.cell.seq, k.restore) for k in closure.kept] == [(2, ("numpy",))]


def test_an_unseeded_run_gets_its_state_back():
    closure = close_over(cells_of(TRAIN, rng={0: {"numpy": "s"}}), target=0)
    assert closure.kept[0].restore == ("numpy",)


def test_without_states_every_draw_is_kept():
    assert kept(cells_of(SEED, DRAW, TRAIN), 2) == [0, 1, 2]


def test_kept_draws_go_on_by_themselves():
    drew = FlowRecord(
        reads=("@rng:numpy",),
        writes={"@rng:numpy": "changed", "w": "set"},
        kills=("w",),
    )
    train = FlowRecord(reads=("w", "@rng:numpy"), writes={"@rng:numpy": "changed"})
    states = {n: {"numpy": f"s{n}"} for n in range(3)}
    closure = close_over(cells_of(SEED, drew, train, rng=states), target=2)
    assert [(k.cell.seq, k.restore) for k in closure.kept] == [
        (0, ()),
        (1, ()),
        (2, ()),
    ]


def test_an_unknown_target_is_an_error():
    with pytest.raises(ValueError, match="number 7"):
        close_over(cells_of(sets("x")), target=7)
