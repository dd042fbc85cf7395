"""The check at a plan's border: what is sound passes, each broken rule is refused with cell and place."""

from copy import deepcopy

import pytest

from gatelab import cells
from gatelab.engine.legal import check
from gatelab.engine.plan import Place
from gatelab.engine.split import Wish, backward_pass, forward_pass
from gatelab.errors import EngineError


def backward(name):
    known = cells.get(name)
    weights = frozenset(p.name for p in known.parameters)
    return deepcopy(backward_pass(Wish(known, training=True, given=(0,), weights=weights)))


@pytest.mark.parametrize("name", cells.CATALOGUE)
@pytest.mark.parametrize("hoisted", [False, True])
def test_every_cell_has_a_legal_plan(name, hoisted):
    planned = forward_pass(Wish(cells.get(name), hoisted=hoisted, training=True))
    assert check(planned) is planned
    check(backward(name))


def refused(planned, what):
    with pytest.raises(EngineError, match=f"'{planned.wish.cell.name}' has an illegal plan: .*{what}"):
        check(planned)


def test_a_place_is_written_once():
    planned = backward("gru")
    planned.loop[1].stores.append(planned.loop[0].stores[0])
    refused(planned, "is written twice")


def test_a_product_waits_for_its_vector():
    planned = backward("gru")
    planned.loop.reverse()
    refused(planned, "before it is written")


def test_shared_memory_is_read_no_more():
    planned = backward("gru")
    later = {r.place for r in planned.loop[1].loads.values() if r.shift == 0}
    first = next(place for place in planned.shares if any(place == p for _, p in planned.loop[0].stores))
    planned.shares[first] = next(p for p in later if p.name.startswith("kept"))
    refused(planned, "which is read afterwards")


def test_shared_memory_has_the_same_size():
    planned = backward("lstm")
    place = next(iter(planned.shares))
    planned.shares[place] = Place("kept 9", "K", "all")
    refused(planned, "which is of another size")
