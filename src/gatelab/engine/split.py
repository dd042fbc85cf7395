"""Forward and backward of a cell as passes over a batch: what is hoisted, kept, recomputed and shared.

A pass has up to four parts: what is done for all rows *before* the loop, the *loop* over the steps, what
*closes* it behind the first step, and what is done for all rows *after* it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce

from gatelab.engine.code import listing, uses_of_places
from gatelab.engine.plan import (
    Entry,
    Phase,
    Place,
    Product,
    Reading,
    Target,
    Work,
    early_phases,
    plan,
    summands,
    used_twice,
)
from gatelab.graph.cell import Cell
from gatelab.graph.fold import reached, row_wise, substitute, topological
from gatelab.graph.node import Node, constant
from gatelab.graph.op import ELEMENTWISE, LEAVES, PRODUCTS, Op
from gatelab.passes.adjoint import Adjoint, adjoint
from gatelab.passes.simplify import simplify


@dataclass(frozen=True)
class Wish:
    """Which pass of which cell; everything on which a plan depends but the sizes.

    Attributes
    ----------
    outputs
        The states whose values are given out for all rows, by index.
    hoisted
        Whether products with the input are computed for all rows at once.
    training
        Whether the forward pass keeps what the backward pass reads.
    given, ended
        Backward: the states for whose outputs, and for whose last values, a cotangent comes.
    with_input, with_starts
        Backward: whether derivatives by the input and by the states before the first step are wanted.
    weights
        Backward: the names of the weights whose derivatives are wanted.
    """

    cell: Cell
    outputs: tuple[int, ...] = (0,)
    hoisted: bool = False
    training: bool = False
    given: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    with_input: bool = True
    with_starts: bool = True
    weights: frozenset[str] = frozenset()


@dataclass
class Pass:
    """A planned pass.

    Attributes
    ----------
    outers
        (weight, left, right): the gradient of a matrix as a sum over rows of left × right.
    column_sums
        (weight, left): the gradient of a vector as a sum over rows of what is in memory anyway.
    finals
        What each state's last values are read from.
    fixed
        The values that do not depend on the row.
    fixed_places
        Places that hold one of them, to be read as if it were there for every row.
    shares
        Places that use the memory of another place, which is no longer read then.
    """

    wish: Wish
    before: list[Phase] = field(default_factory=list)
    loop: list[Phase] = field(default_factory=list)
    closing: list[Phase] = field(default_factory=list)
    after: list[Phase] = field(default_factory=list)
    outers: list[tuple[str, Place, Reading]] = field(default_factory=list)
    column_sums: list[tuple[str, Place]] = field(default_factory=list)
    finals: list[Place] = field(default_factory=list)
    fixed: set[Node] = field(default_factory=set)
    fixed_places: dict[Place, Node] = field(default_factory=dict)
    shares: dict[Place, Place] = field(default_factory=dict)
    backwards: bool = False

    @property
    def phases(self) -> list[Phase]:
        """All phases, in order."""
        return [*self.before, *self.loop, *self.closing, *self.after]


def state_place(cell: Cell, index: int, wish: Wish) -> Place:
    """Return where the values of a state are, row by row."""
    name, width = f"state {cell.states[index].name}", cell.states[index].width or "H"
    if index in wish.outputs:
        return Place(name, width, "all", owned=False)
    return Place(name, width, "all" if wish.training else "ring")


def start_place(cell: Cell, index: int) -> Place:
    """Return where a state before the first step is."""
    state = cell.states[index]
    return Place(f"start {state.name}", state.width or "H", "step", owned=False)


def _leaves(cell: Cell, wish: Wish) -> dict[Node, Reading]:
    """Return where input, masks and states are read."""
    found = {cell.input: Reading(Place("input", "I", "all", owned=False))}
    for mask in cell.masks:
        found[mask] = Reading(Place(f"mask {mask.name}", mask.mask.width, "all", owned=False))
    for index, state in enumerate(cell.states):
        found[state] = Reading(state_place(cell, index, wish), -1, start_place(cell, index))
    return found


@lru_cache(maxsize=1024)
def kept(cell: Cell) -> tuple[Node, ...]:
    """Return the values that the forward pass stores for the backward pass, beside the states.

    A value is recomputed, not kept, where it is one operation on values that are in memory anyway.
    """
    derivative = adjoint(cell)
    forward, results = set(cell.nodes), set(cell.results)
    moving = row_wise(cell.nodes)
    read: set[Node] = {r for r in derivative.roots if r in forward}
    factors: set[Node] = set()
    for node in topological(derivative.roots):
        if node in forward:
            continue
        read.update(s for s in node.sources if s in forward)
        if node.op is Op.OUTER:
            factors.update(s for s in node.sources if s in forward)
    read.update(n.sources[0] for n in cell.nodes if n.op is Op.SPREAD and n in read)  # the narrow one
    there = {n for n in cell.nodes if n.op in LEAVES or n not in moving} | results
    found: list[Node] = []
    for node in cell.nodes:
        if node not in read or node in there:
            continue
        single = node.op in ELEMENTWISE | {Op.SPREAD} and all(s in there for s in node.sources)
        if node in factors or not single:
            found.append(node)
        there.add(node)
    return tuple(found)


def is_lent(place: Place) -> bool:
    """Return whether the forward pass leaves a place to the backward pass."""
    return place.owned and place.span == "all" and place.name.startswith(("kept ", "state "))


def kept_place(node: Node, index: int) -> Place:
    """Return where a kept value is."""
    assert node.width is not None
    return Place(f"kept {index}", node.width, "all")


def stored_values(cell: Cell, wish: Wish) -> dict[Node, Reading]:
    """Return what a forward pass that trains leaves in memory."""
    found = _leaves(cell, wish)
    moving = row_wise(cell.nodes)
    for index, result in enumerate(cell.results):
        if result.sources and result in moving:
            found.setdefault(result, Reading(state_place(cell, index, wish)))
    for index, node in enumerate(kept(cell)):
        found[node] = Reading(kept_place(node, index))
    return found


@lru_cache(maxsize=1024)
def forward_pass(wish: Wish) -> Pass:
    """Plan the forward pass."""
    cell = wish.cell
    work = Work(_leaves(cell, wish), [(r, state_place(cell, k, wish)) for k, r in enumerate(cell.results)])
    if wish.training:
        work.stores += [(n, kept_place(n, k)) for k, n in enumerate(kept(cell))]
    made = Pass(wish, finals=[state_place(cell, k, wish) for k in range(len(cell.states))])
    roots = [n for n, _ in work.stores]
    made.fixed = set(topological(roots)) - row_wise(roots)
    if wish.hoisted:
        _hoist(work, made)
    made.loop = plan(work, made.fixed, "step ")
    made.before += early_phases(work)
    return made


def _hoist(work: Work, made: Pass) -> None:
    """Have products of what does not wait for a state computed before the loop."""
    order = topological(n for n, _ in work.stores)
    moving, late = row_wise(order), reached(order, {Op.STATE})
    vectors = [n.sources[1] for n in order if n.op in PRODUCTS]
    early = list(dict.fromkeys(v for v in vectors if v in moving and v not in late))
    inner = [(v, Place(f"early {k}", v.width or "H", "all")) for k, v in enumerate(early) if v.sources]
    if inner:
        made.before = plan(Work(dict(work.resident), inner), made.fixed, "early step ")
        work.resident.update((v, Reading(place)) for v, place in inner)
    work.hoisted = {work.resident[v].place for v in early}


@dataclass(frozen=True)
class _Carried:
    """How the cotangent of a state comes from the step after: products, and the rest of the sum."""

    products: tuple[tuple[Node, Node, bool], ...]
    rest: Node | None


@lru_cache(maxsize=1024)
def backward_pass(wish: Wish) -> Pass:
    """Plan the backward pass.

    The products that give the cotangents of the states before a step are done at the beginning of the
    next step to come, so that their sums go from registers straight into its program.
    """
    cell = wish.cell
    derivative = _without_silent(cell, wish)
    resident = stored_values(cell, wish)
    seeds = dict(zip((s.name for s in cell.states), derivative.cotangents, strict=True))
    outers, vectors = _gradients(derivative, wish)
    shared = _shared(derivative, wish)
    carried = {name: _carried(node, shared) for name, node in derivative.states.items()}
    moving = row_wise(derivative.roots)
    made = Pass(wish, backwards=True, fixed=set(topological(derivative.roots)) - moving)

    lefts: dict[Node, Place] = {}

    def left(node: Node) -> Place:
        return lefts.setdefault(node, Place(f"left {len(lefts)}", node.width or "H", "all"))

    for name, over, along in outers:
        made.outers.append((name, left(over), _right(along, resident, made, left)))
    stores: list[tuple[Node, Place]] = []
    entries: dict[Node, Entry] = {}
    for index, state in enumerate(cell.states):
        comes = carried.get(state.name, _Carried((), None))
        width = state.width or "H"
        products = tuple(Product(m, Reading(left(v), 1), transposed) for m, v, transposed in comes.products)
        addends = []
        if comes.rest is not None or index in wish.ended:
            carry = Place(f"carry {state.name}", width, "step")
            addends.append(Reading(carry))
            stores.append((comes.rest if comes.rest is not None else constant(0), carry))
        closing = Entry(products, tuple(addends))
        if index in wish.given:
            addends.append(Reading(Place(f"given {state.name}", width, "all", owned=False)))
        entries[seeds[state.name]] = Entry(products, tuple(addends))
        if wish.with_starts and state.name in derivative.states:
            work = Work(
                {}, [(seeds[state.name], Place(f"to start {state.name}", width, "step", owned=False))]
            )
            work.entries = {seeds[state.name]: closing}
            made.closing += plan(work, made.fixed, f"closing {state.name} ")
    wanted = derivative.input if wish.with_input else None
    to_input = Place("to input", "I", "all", owned=False)
    if wanted is not None and not (wish.hoisted and _input_after(wanted, resident, left, to_input, made)):
        stores.append((wanted, to_input))
    stores += list(lefts.items())
    made.column_sums = [(name, lefts[node]) for name, node in vectors if node in lefts]
    sums = [(name, node) for name, node in vectors if node not in lefts]
    work = Work(resident, stores, entries, sums)
    made.loop = plan(work, made.fixed, "step ")
    _share(made)
    return made


def _without_silent(cell: Cell, wish: Wish) -> Adjoint:
    """Return the adjoint; the cotangent of a state that nothing ever reaches is 0."""
    derivative = adjoint(cell)
    silent: dict[Node, Node] = {
        seed: seed * 0  # a product wants a width, which 0 alone has not
        for k, (state, seed) in enumerate(zip(cell.states, derivative.cotangents, strict=True))
        if state.name not in derivative.states and k not in wish.given and k not in wish.ended
    }
    if not silent:
        return derivative
    new = substitute(derivative.roots, silent)
    simple = simplify(new[r] for r in derivative.roots)
    zero = constant(0)

    def after(node: Node) -> Node:
        return simple[new[node]]

    return Adjoint(
        cotangents=derivative.cotangents,
        input=None
        if derivative.input is None or after(derivative.input) is zero
        else after(derivative.input),
        states={k: after(v) for k, v in derivative.states.items() if after(v) is not zero},
        parameters={k: after(v) for k, v in derivative.parameters.items() if after(v) is not zero},
    )


def _gradients(
    derivative: Adjoint, wish: Wish
) -> tuple[list[tuple[str, Node, Node]], list[tuple[str, Node]]]:
    """Return the matrices' gradients as (weight, left, right) and the vectors' as (weight, value)."""
    outers, vectors = [], []
    for name, node in derivative.parameters.items():
        if name not in wish.weights:
            continue
        parts = summands(node)
        if any(p.op is Op.OUTER for p in parts):
            assert all(p.op is Op.OUTER for p in parts), f"the gradient of {name} is no sum of outer products"
            outers += [(name, p.sources[0], p.sources[1]) for p in parts]
        else:
            vectors.append((name, node))
    return outers, vectors


def _shared(derivative: Adjoint, wish: Wish) -> set[Node]:
    """Return the values that more than one derivative, or one twice, is made of."""
    roots = [n for k, n in derivative.parameters.items() if k in wish.weights]
    roots += [derivative.input] if wish.with_input and derivative.input is not None else []
    roots += derivative.states.values()
    return used_twice([*roots, *(s for n in topological(roots) for s in n.sources)])


def _carried(node: Node, shared: set[Node]) -> _Carried:
    """Part the cotangent of a state into products, to be done at the next step, and the rest."""
    if node in shared:
        return _Carried((), node)
    parts = summands(node, shared)
    moved = [p for p in parts if p.op in PRODUCTS and p not in shared]
    rest = [p for p in parts if p not in moved]
    return _Carried(
        tuple((p.sources[0], p.sources[1], p.op is Op.MATMUL_T) for p in moved),
        reduce(lambda a, b: a + b, rest) if rest else None,
    )


def _right(
    node: Node, resident: Mapping[Node, Reading], made: Pass, left: Callable[[Node], Place]
) -> Reading:
    """Return where the right-hand side of a weight's gradient is read."""
    if node in resident:
        return resident[node]
    if node in made.fixed:
        place = Place(f"fixed {len(made.fixed_places)}", node.width or "H", "step", owned=False)
        made.fixed_places[place] = node
        return Reading(place)
    return Reading(left(node))


def _input_after(
    wanted: Node,
    resident: Mapping[Node, Reading],
    left: Callable[[Node], Place],
    place: Place,
    made: Pass,
) -> bool:
    """Plan the derivative by the input behind the loop, where it is a sum of products and nothing else."""
    parts = summands(wanted)
    if not all(p.op in PRODUCTS and p.sources[1] not in resident for p in parts):
        return False
    products = tuple(Product(p.sources[0], Reading(left(p.sources[1])), p.op is Op.MATMUL_T) for p in parts)
    phase = Phase(0, "I", targets={wanted: Target(wanted, products, None, ())}, stores=[(wanted, place)])
    made.after.append(phase)
    return True


def _share(made: Pass) -> None:
    """Let a value of the backward pass take the place of a kept one that nothing reads afterwards.

    Best is a place whose last reader comes before the value: then it can be written there at once.
    """
    last: dict[Place, tuple[int, int]] = {}
    made_at: dict[Place, tuple[int, int]] = {}
    barred: set[Place] = {right.place for _, _, right in made.outers}
    for index, phase in enumerate(made.loop):
        reads, results = uses_of_places(listing(phase, made.fixed))
        last.update((place, (index, at)) for place, at in reads.items())
        made_at.update((place, (index, at)) for place, at in results.items())
        for target in phase.targets.values():
            barred.update(p.vector.place for p in target.products if p.vector.shift <= 0)
    free = sorted((p for p in last if is_lent(p) and p not in barred), key=last.__getitem__)
    for place, at in sorted(made_at.items(), key=lambda item: item[1]):
        if place.span != "all" or not place.owned:
            continue
        fitting = [p for p in free if p.width == place.width and last[p][0] <= at[0]]
        best = next((p for p in fitting if last[p] <= at), fitting[0] if fitting else None)
        if best is not None:
            made.shares[place] = best
            free.remove(best)
