"""Which generators are put back: those a script would not have where they were."""

from __future__ import annotations

from nbtrack.records import CellRecord, FlowRecord
from nbtrack.slices.generator_states import generators_to_restore


def cell(seq, *rng, flow):
    states = dict.fromkeys(rng, "a state")
    return CellRecord(seq, None, seq + 1, "", "", "", rng=states, flow=flow)


DRAWS = FlowRecord(reads=("@rng:random",), writes={"@rng:random": "changed"})
SEEDS = FlowRecord(writes={"@rng:random": "set"}, kills=("@rng:random",))
MOVES = FlowRecord(writes={"sklearn": "set", "@rng:random": "changed"})


def restored(*cells):
    found = generators_to_restore(cells, {c.seq for c in cells}, lambda c: c.flow)
    return {seq: names for seq, names in found.items() if names}


def test_a_draw_after_a_seed_is_in_step():
    assert restored(cell(0, "random", flow=SEEDS), cell(1, "random", flow=DRAWS)) == {}


def test_a_draw_after_a_draw_that_was_put_back_is_in_step():
    cells = cell(0, "random", flow=DRAWS), cell(1, "random", flow=DRAWS)
    assert restored(*cells) == {0: ("random",)}


def test_an_import_that_moves_a_generator_leaves_it_out_of_step():
    cells = cell(0, "random", flow=MOVES), cell(1, "random", flow=DRAWS)
    assert restored(*cells) == {1: ("random",)}
    seeded = cell(0, "random", flow=SEEDS), cell(1, "random", flow=MOVES)
    assert restored(*seeded, cell(2, "random", flow=DRAWS)) == {2: ("random",)}


def test_a_generator_that_is_made_anew_begins_anew():
    made = FlowRecord(writes={"rs": "set"}, kills=("rs",))
    draws = FlowRecord(reads=("rs", "@rng:variable:rs"), writes={"rs": "changed"})
    cells = [
        cell(0, flow=made),
        cell(1, "variable:rs", flow=draws),
        cell(2, "variable:rs", flow=made),
        cell(3, "variable:rs", flow=draws),
    ]
    assert restored(*cells) == {1: ("variable:rs",), 3: ("variable:rs",)}
