"""From the graph of one step to phases: what is computed together, in which order, and what is in memory.

A *phase* is some sums of small matrix products followed by an element-wise program, both over all units of
one width. A product reads all units of its vector, so the vector must be in memory before the phase begins:
that is what cuts a step into phases. A sum over units, and a value repeated to more units, cut it likewise.

The same planner serves forward and backward, the loop and what is done before and after it: a
:class:`Work` says what is there and what is wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from gatelab.axes import Width
from gatelab.errors import EngineError
from gatelab.graph.fold import topological
from gatelab.graph.node import Node
from gatelab.graph.op import ELEMENTWISE, PRODUCTS, Op

Span = Literal["all", "step", "ring"]
MOST_TERMS = 64  # vectors in one sum of products, as in kernel/phase.h


@dataclass(frozen=True)
class Place:
    """Memory for one value of each row.

    Attributes
    ----------
    span
        For all rows of the batch, for one step, or for this step and the one before.
    owned
        Whether the engine allots it; its rows are then filled up to whole vectors.
    """

    name: str
    width: Width
    span: Span
    owned: bool = True


@dataclass(frozen=True)
class Reading:
    """A place read at this step (shift 0), the step before (-1) or the step after (1).

    ``start`` is read in place of the step before the first one; None stands for zeros.
    """

    place: Place
    shift: int = 0
    start: Place | None = None


@dataclass(frozen=True)
class Product:
    """One matrix times one vector that is in memory."""

    matrix: Node
    vector: Reading
    transposed: bool


@dataclass(frozen=True)
class Target:
    """A sum of products, which a phase begins with.

    ``node`` is the value as a whole: the products, ``bias``, the values of ``rest``, and ``addend``, which
    holds what was computed for all rows before the loop.
    """

    node: Node
    products: tuple[Product, ...]
    bias: Node | None
    rest: tuple[Node, ...]
    addend: Reading | None = None

    @property
    def parts(self) -> range:
        """The numbers of the sums in which the products are done, so many at a time as the machine takes."""
        return range(0, len(self.products), MOST_TERMS)


@dataclass(frozen=True)
class Entry:
    """What a leaf stands for: products with what the step after left, and values that are added."""

    products: tuple[Product, ...] = ()
    addends: tuple[Reading, ...] = ()


@dataclass
class Work:
    """What a planner is asked for.

    Attributes
    ----------
    resident
        Values that are in memory before the first phase.
    entries
        Leaves that are computed, once a step.
    stores
        Values that must be in memory in the end, and where.
    sums
        Values to be summed over rows, by the name of the weight whose gradient they are.
    hoisted
        Places whose products are computed for all rows before the loop.
    early
        What the planner found to be computed there, and the place it wants each sum in.
    """

    resident: dict[Node, Reading]
    stores: list[tuple[Node, Place]]
    entries: dict[Node, Entry] = field(default_factory=dict)
    sums: list[tuple[str, Node]] = field(default_factory=list)
    hoisted: set[Place] = field(default_factory=set)
    early: dict[Target, Place] = field(default_factory=dict)


@dataclass
class Phase:
    """One phase, with its actions in order of need.

    Attributes
    ----------
    targets
        Sums of products, by the value they belong to.
    loads
        Values that come from memory instead of being computed here.
    stores, row_sums, sums
        What is done with values of this phase: stored; summed over units into a place; summed over rows.
    """

    level: int
    width: Width
    targets: dict[Node, Target] = field(default_factory=dict)
    loads: dict[Node, Reading] = field(default_factory=dict)
    entries: dict[Node, Entry] = field(default_factory=dict)
    stores: list[tuple[Node, Place]] = field(default_factory=list)
    row_sums: list[tuple[Node, Place]] = field(default_factory=list)
    sums: list[tuple[str, Node]] = field(default_factory=list)

    @property
    def wanted(self) -> list[Node]:
        """The values on which the phase acts."""
        return [
            *(node for node, _ in self.stores),
            *(node.sources[0] for node, _ in self.row_sums),
            *(node for _, node in self.sums),
        ]


def plan(work: Work, fixed: set[Node], label: str) -> list[Phase]:
    """Return the phases that do ``work``, in order.

    1. Find the sums of products and give every value that waits for one its level: the phase in which
       it can be computed at the earliest.
    2. From the last level to the first, follow what each phase needs. A value of an earlier phase is
       stored there and loaded here; a value that needs nothing but memory is computed where it is used.

    Parameters
    ----------
    fixed
        Values that do not depend on the row: weights, numbers and what follows from them.
    label
        Goes before the names of places that are made.
    """
    return _Planner(work, fixed, label).phases()


def early_phases(work: Work) -> list[Phase]:
    """Return the phases, for all rows at once, of what the planner moved before the loop."""
    phases: dict[Width, Phase] = {}
    for target, place in work.early.items():
        phase = phases.setdefault(place.width, Phase(0, place.width))
        phase.targets[target.node] = target
        phase.stores.append((target.node, place))
    return list(phases.values())


def is_fixed(node: Node, fixed: Collection[Node]) -> bool:
    """Return whether a value does not depend on the row: one of these, or a leaf that never does."""
    return node in fixed or node.op in (Op.CONST, Op.SIZE, Op.PARAM)


def used_twice(sources: Iterable[Node]) -> set[Node]:
    """Return the nodes that come more than once."""
    return {node for node, count in Counter(sources).items() if count > 1}


def is_sum(node: Node) -> bool:
    """Return whether a node sums over units into a narrower value."""
    return node.op is Op.SUM and node.width != node.sources[0].width


def is_spread(node: Node) -> bool:
    """Return whether a node repeats a narrower value."""
    return node.op is Op.SPREAD and node.width != node.sources[0].width


def summands(root: Node, keeps: Collection[Node] = ()) -> list[Node]:
    """Return the values whose sum ``root`` is; sums inside it are followed unless they are in ``keeps``."""
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        if node.op is Op.ADD and (node is root or node not in keeps):
            stack.extend(reversed(node.sources))
        else:
            found.append(node)
    return found


class _Planner:
    def __init__(self, work: Work, fixed: set[Node], label: str) -> None:
        self.work, self.fixed, self.label = work, fixed, label
        roots = [*(n for n, _ in work.stores), *(n for _, n in work.sums)]
        self.order = topological(roots, self._sources)
        # What is acted on keeps its own value, as what is used twice does.
        self.shared = set(roots) | used_twice(s for n in self.order for s in self._sources(n))
        self.place_of: dict[Node, Reading] = {}
        self.made: dict[tuple[int, Width], Phase] = {}
        for node, place in work.stores:
            if not is_sum(node):  # it is in memory before its own phase begins, which copies it
                self.place_of.setdefault(node, Reading(place))
        self.sums_of = self._sums_of_products()
        self.level: dict[Node, int] = {}
        for node in self.order:
            self._set_level(node)

    def phases(self) -> list[Phase]:
        for node, place in self.work.stores:
            self._home(node).stores.append((node, place))
        for name, node in self.work.sums:
            self._home(node).sums.append((name, node))
        done: set[tuple[int, Width]] = set()
        while left := [key for key in self.made if key not in done]:
            key = max(left)
            done.add(key)
            self._follow(self.made[key])
        return [self.made[key] for key in sorted(self.made)]

    def _known(self, node: Node) -> bool:
        return node in self.work.resident or is_fixed(node, self.fixed)

    def _sources(self, node: Node) -> tuple[Node, ...]:
        return () if self._known(node) or node in self.work.entries else node.sources

    def _sums_of_products(self) -> dict[Node, list[Node]]:
        """Return, for each value that is a sum with a product in it, what is summed."""
        inside: set[Node] = set()
        found: dict[Node, list[Node]] = {}
        for node in reversed(self.order):
            if node in inside or self._known(node) or node.op not in PRODUCTS | {Op.ADD}:
                continue
            parts = summands(node, self.shared)
            if any(self._is_product(p) for p in parts):
                found[node] = parts
                stack = [node] if node.op is Op.ADD else []  # a product's vector is a value of its own
                while stack:  # sums on the way are none
                    for source in stack.pop().sources:
                        if source.op is Op.ADD and source not in self.shared:
                            inside.add(source)
                            stack.append(source)
                inside.update(p for p in parts if self._is_product(p))
        self.inside = inside
        return found

    def _is_product(self, node: Node) -> bool:
        return node.op in PRODUCTS and not self._known(node) and node not in self.shared

    def _multiplied_here(self, part: Node, whole: Node) -> bool:
        """Return whether a summand is a product that is done with the sum, not a value of its own."""
        return part.op in PRODUCTS and not self._known(part) and (part is whole or part in self.inside)

    def _set_level(self, node: Node) -> None:
        """Give a node its level; nodes that need nothing but memory have none."""
        if self._known(node) or (node in self.inside and node not in self.sums_of):
            return
        if node in self.work.entries:
            self.level[node] = 0
            return
        if node.op in PRODUCTS and node not in self.sums_of:
            self.sums_of[node] = [node]
        if node in self.sums_of:
            levels = [0]
            for part in self.sums_of[node]:
                if self._multiplied_here(part, node):
                    levels.append(self._after(part.sources[1]))
                else:
                    levels.append(self.level.get(part, 0))
            self.level[node] = max(levels)
        elif is_sum(node):
            self.level[node] = self.level.get(node.sources[0], 0) + 1
        elif is_spread(node):
            if not self._known(node.sources[0]):
                self.level[node] = self._after(node.sources[0])
        else:
            levels = [self.level[s] for s in node.sources if s in self.level]
            if levels:
                self.level[node] = max(levels)

    def _after(self, node: Node) -> int:
        """Return the first level at which a value is in memory."""
        if self._known(node):
            return 0
        return self.level.get(node, 0) + (0 if is_sum(node) else 1)

    def _phase(self, level: int, width: Width | None) -> Phase:
        assert width is not None, "a phase has a width"
        return self.made.setdefault((level, width), Phase(level, width))

    def _home(self, node: Node) -> Phase:
        width = node.width
        if width is None:  # a number has the width of the place it goes to
            width = next(place.width for n, place in self.work.stores if n is node)
        return self._phase(self.level.get(node, 0), width)

    def _in_memory(self, node: Node) -> Reading:
        """Return where a value is; have it stored by the phase that computes it."""
        if node in self.work.resident:
            return self.work.resident[node]
        if node in self.place_of:
            return self.place_of[node]
        assert node.width is not None
        place = Place(f"{self.label}{len(self.place_of)}", node.width, "step")
        self.place_of[node] = Reading(place)
        if is_sum(node):
            source = node.sources[0]
            self._phase(self.level[node] - 1, source.width).row_sums.append((node, place))
        else:
            self._home(node).stores.append((node, place))
        return self.place_of[node]

    def _follow(self, phase: Phase) -> None:
        """Find what a phase computes and what it loads."""
        seen: set[Node] = set()
        stack = list(reversed(phase.wanted))
        while stack:
            node = stack.pop()
            if node in seen or is_fixed(node, self.fixed):
                continue
            seen.add(node)
            home = self.level.get(node)
            earlier = home is not None and home < phase.level
            if node in self.work.resident or is_sum(node) or earlier:
                phase.loads[node] = self._in_memory(node)
            elif is_spread(node):
                phase.loads[node] = self._in_memory(node.sources[0])
            elif node in self.work.entries:
                self._enter(phase, node)
            elif node in self.sums_of:
                phase.targets[node] = target = self._target(node)
                stack.extend(reversed(target.rest))
            elif node.op in ELEMENTWISE or node.op in (Op.SPREAD, Op.SUM):
                stack.extend(reversed(node.sources))
            else:
                raise EngineError(f"the tile machine has no way to compute {node}; use engine='reference'")

    def _enter(self, phase: Phase, node: Node) -> None:
        entry = self.work.entries[node]
        phase.entries[node] = entry
        if entry.products:
            phase.targets[node] = Target(node, entry.products, None, ())

    def _target(self, node: Node) -> Target:
        products, rest = [], []
        bias = None
        for part in self.sums_of[node]:
            if self._multiplied_here(part, node):
                matrix, vector = part.sources
                transposed = part.op is Op.MATMUL_T
                products.append(Product(matrix, self._in_memory(vector), transposed))
            elif bias is None and is_fixed(part, self.fixed) and part.width == node.width:
                bias = part
            else:
                rest.append(part)
        early = tuple(p for p in products if p.vector.place in self.work.hoisted)
        if not early:
            return Target(node, tuple(products), bias, tuple(rest))
        before = Target(node, early, bias, ())
        assert node.width is not None
        place = self.work.early.setdefault(before, Place(f"sum {len(self.work.early)}", node.width, "all"))
        return Target(node, tuple(p for p in products if p not in early), None, tuple(rest), Reading(place))
