"""Passes: what is done before, in and after the loop, what is kept, and whose memory is used again."""

import pytest

from gatelab import cells
from gatelab.engine.split import Wish, backward_pass, forward_pass, is_lent, kept, state_place
from gatelab.graph.op import LEAVES


def wish(name, **more):
    known = cells.get(name)
    weights = frozenset(p.name for p in known.parameters)
    return Wish(known, **{"training": True, "given": (0,), "weights": weights, **more})


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_products_with_the_input_are_in_the_loop_or_before_it(name):
    for hoisted in (False, True):
        planned = forward_pass(wish(name, hoisted=hoisted))
        looped = {
            p.vector.place.name for phase in planned.loop for t in phase.targets.values() for p in t.products
        }
        assert ("input" in looped) is not hoisted
        assert bool(planned.before) is hoisted


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_every_weight_has_one_derivative(name):
    planned = backward_pass(wish(name))
    sums = [name for phase in planned.phases for name, _ in phase.sums]
    outers = [name for name, _, _ in planned.outers]
    found = [*dict.fromkeys(outers), *(name for name, _ in planned.column_sums), *sums]
    assert sorted(found) == sorted(p.name for p in planned.wish.cell.parameters)


def test_frozen_weights_cost_nothing():
    planned = backward_pass(wish("lstm", weights=frozenset({"U_f"})))
    assert [name for name, _, _ in planned.outers] == ["U_f"]
    assert not planned.column_sums
    assert not [name for phase in planned.phases for name, _ in phase.sums]


def test_derivatives_by_the_input_are_made_only_where_wanted():
    def writes(planned):
        return {place.name for phase in planned.phases for _, place in phase.stores}

    assert "to input" in writes(backward_pass(wish("gru", with_input=True)))
    assert "to input" not in writes(backward_pass(wish("gru", with_input=False)))
    assert not backward_pass(wish("gru", with_starts=False)).closing
    assert backward_pass(wish("gru", with_starts=True)).closing


def test_states_that_nobody_reads_are_kept_for_two_steps():
    lstm = cells.get("lstm")
    spans = [state_place(lstm, k, wish("lstm", training=t)).span for t in (True, False) for k in (0, 1)]
    assert spans == ["all", "all", "all", "ring"]  # h is given out, c is for the backward pass only
    assert not [p for p in forward_pass(wish("lstm", training=False)).finals if is_lent(p)]


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_what_is_kept_is_read(name):
    known = cells.get(name)
    assert not [n for n in kept(known) if n.op in LEAVES]
    planned = backward_pass(wish(name))
    read = {e.place.name for phase in planned.phases for e in phase.loads.values()}
    read |= {
        p.vector.place.name for phase in planned.phases for t in phase.targets.values() for p in t.products
    }
    read |= {place.name for _, left, right in planned.outers for place in (left, right.place)}
    left = {place.name for place in stored(forward_pass(wish(name))) if place.name.startswith("kept ")}
    assert left <= read


def stored(planned):
    return {place for phase in planned.phases for _, place in phase.stores}


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_shared_memory_is_the_pass_s_own(name):
    planned = backward_pass(wish(name))
    for place, other in planned.shares.items():
        assert place.owned
        assert other.owned
        assert (place.width, place.span) == (other.width, other.span)
