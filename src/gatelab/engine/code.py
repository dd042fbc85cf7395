"""One phase as instructions of the tile machine: patterns, order, registers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

from gatelab.engine.plan import Phase, Place, Reading, is_fixed, is_spread
from gatelab.graph.fold import topological
from gatelab.graph.node import Node
from gatelab.graph.op import Op


class Code(IntEnum):
    """What an instruction does; the order is that of ``Code`` in kernel/job.h."""

    LOAD = 0
    STORE = auto()
    LOAD_ROW = auto()
    LOAD_BLOCK = auto()
    VECTOR = auto()
    CONSTANT = auto()
    NEG = auto()
    SIGMOID = auto()
    TANH = auto()
    RELU = auto()
    EXP = auto()
    LOG = auto()
    SQRT = auto()
    STEP_UP = auto()
    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()
    MAXIMUM = auto()
    ADD_VECTOR = auto()
    MUL_VECTOR = auto()
    FMA_VECTOR = auto()
    ADD_CONSTANT = auto()
    MUL_CONSTANT = auto()
    CONSTANT_SUB = auto()
    FMA = auto()
    FNMA = auto()
    MIX = auto()
    D_SIGMOID = auto()
    D_TANH = auto()
    SUM_COLUMN = auto()
    SUM_PRODUCT = auto()
    SUM_ROW = auto()
    SUM_BLOCK = auto()


PLAIN: Mapping[Op, Code] = {
    Op.ADD: Code.ADD,
    Op.SUB: Code.SUB,
    Op.MUL: Code.MUL,
    Op.DIV: Code.DIV,
    Op.NEG: Code.NEG,
    Op.MAXIMUM: Code.MAXIMUM,
    Op.MIX: Code.MIX,
    Op.SIGMOID: Code.SIGMOID,
    Op.TANH: Code.TANH,
    Op.RELU: Code.RELU,
    Op.EXP: Code.EXP,
    Op.LOG: Code.LOG,
    Op.SQRT: Code.SQRT,
    Op.STEP: Code.STEP_UP,
}
"""The instruction of each element-wise operation whose sources are all in registers."""


@dataclass(frozen=True)
class Number:
    """A constant of a program: the value of a node that is made of numbers and sizes, or minus it."""

    node: Node
    negative: bool = False


Immediate = Number | Node | Reading | Place | str | None


@dataclass
class Step:
    """One instruction before it has registers: sources are values, an immediate stands where it belongs."""

    code: Code
    result: object | None
    sources: tuple[object, ...] = ()
    immediate: Immediate = None


def listing(phase: Phase, fixed: set[Node]) -> list[Step]:
    """Return the steps of a phase's element-wise program; a target's sum is there when it begins."""
    return _Writer(phase, fixed).write()


def uses_of_places(steps: Sequence[Step]) -> tuple[dict[Place, int], dict[Place, int]]:
    """Return, as indices of steps, the last reader of each place and the maker of what is stored there.

    Only readings of the current step count.
    """
    last = {source: k for k, step in enumerate(steps) for source in step.sources}
    made = {step.result: k for k, step in enumerate(steps) if step.result is not None}
    reads: dict[Place, int] = {}
    results: dict[Place, int] = {}
    for k, step in enumerate(steps):
        if isinstance(step.immediate, Reading) and step.immediate.shift == 0:
            copied = step.code is not Code.LOAD
            until = k if copied else last.get(step.result, k)
            reads[step.immediate.place] = max(until, reads.get(step.immediate.place, -1))
        if step.code is Code.STORE and isinstance(step.immediate, Place):
            results[step.immediate] = made.get(step.sources[0], -1)
    return reads, results


class _Writer:
    def __init__(self, phase: Phase, fixed: set[Node]) -> None:
        self.phase, self.fixed = phase, fixed
        self.order = [n for n in topological(phase.wanted, self._inner) if not self._is_fixed(n)]
        self.uses = Counter([*phase.wanted, *(s for n in self.order for s in self._inner(n))])
        self.steps: list[Step] = []
        self.held: dict[Node, object] = {}  # values that another register holds already

    def write(self) -> list[Step]:
        recipes: dict[Node, list[Step]] = {}
        summed = {n for _, n in self.phase.sums if self._is_summed_product(n)}
        needed = {s for n in self.phase.wanted for s in (n.sources if n in summed else (n,))}
        for node in reversed(self.order):
            if node in needed:
                recipes[node] = self._recipe(node)
                sources = [s for step in recipes[node] for s in step.sources]
                needed.update(s for s in [*sources, self.held.get(node)] if isinstance(s, Node))
        for node in self.order:
            self.steps += recipes.get(node, [])
        for node in dict.fromkeys(self.phase.wanted):
            if self._is_fixed(node) and node not in summed:
                self.steps.append(self._fixed_value(node))
        for name, node in self.phase.sums:
            if self._is_summed_product(node):
                self.steps.append(Step(Code.SUM_PRODUCT, None, node.sources, name))
            else:
                self.steps.append(Step(Code.SUM_COLUMN, None, (node,), name))
        for node, place in self.phase.row_sums:
            code = Code.SUM_BLOCK if place.width == "K" else Code.SUM_ROW
            self.steps.append(Step(code, None, (node.sources[0],), place))
        for node, place in self.phase.stores:
            self.steps.append(Step(Code.STORE, None, (node,), place))
        return self._resolved()

    def _is_fixed(self, node: Node) -> bool:
        return is_fixed(node, self.fixed)

    def _inner(self, node: Node) -> tuple[Node, ...]:
        """Return the values of this phase from which a value is computed."""
        if node in self.phase.loads or self._is_fixed(node):
            return ()
        if node in self.phase.targets:
            return self.phase.targets[node].rest
        return () if node in self.phase.entries else node.sources

    def _recipe(self, node: Node) -> list[Step]:
        if node in self.phase.loads:
            return [self._load(node, self.phase.loads[node])]
        if node in self.phase.targets or node in self.phase.entries:
            return self._sum(node)
        if node.op in (Op.SPREAD, Op.SUM):  # between equal widths
            self.held[node] = node.sources[0]
            return []
        return [self._pattern(node)]

    def _load(self, node: Node, reading: Reading) -> Step:
        code = Code.LOAD
        if is_spread(node) and node.sources[0].width == reading.place.width:
            code = Code.LOAD_BLOCK if reading.place.width == "K" else Code.LOAD_ROW
        return Step(code, node, (), reading)

    def _sum(self, node: Node) -> list[Step]:
        """Add to a target's products what else belongs to its value."""
        target = self.phase.targets.get(node)
        readings = [target.addend] if target is not None and target.addend is not None else []
        readings += self.phase.entries[node].addends if node in self.phase.entries else ()
        steps: list[Step] = []
        sums = [("products", node, k) for k in (target.parts if target is not None else ())]
        held: object | None = sums[0] if sums else None
        for more in sums[1:]:
            steps.append(Step(Code.ADD, ("sums", *more), (held, more)))
            held = steps[-1].result
        for k, reading in enumerate(readings):
            steps.append(Step(Code.LOAD, ("addend", node, k), (), reading))
            if held is None:
                held = steps[-1].result
            else:
                steps.append(Step(Code.ADD, ("sum", node, k), (held, steps[-1].result)))
                held = steps[-1].result
        for k, part in enumerate(target.rest if target is not None else ()):
            if held is None:
                held = part
                continue
            steps.append(self._added(("rest", node, k), held, part))
            held = steps[-1].result
        assert held is not None, f"nothing to sum for {node}"
        if steps and steps[-1].result == held:
            steps[-1].result = node
        else:
            self.held[node] = held
        return steps

    def _product(self, node: Node) -> bool:
        """Return whether a product of two values may be computed with the sum it goes into."""
        return node.op is Op.MUL and self.uses[node] == 1 and not self._elsewhere(node)

    def _is_summed_product(self, node: Node) -> bool:
        """Return whether a product of two values is needed for its sum over rows only."""
        return self._product(node) and not any(self._is_fixed(s) for s in node.sources)

    def _elsewhere(self, node: Node) -> bool:
        return (
            node in self.phase.loads
            or node in self.phase.targets
            or node in self.phase.entries
            or self._is_fixed(node)
        )

    def _added(self, result: object, held: object, part: Node) -> Step:
        """Return the step that adds ``part`` to ``held``."""
        if self._product(part):
            a, b = part.sources
            if not (self._number(a) or self._number(b)):
                if self._is_fixed(b):
                    return Step(Code.FMA_VECTOR, result, (a, held), b)
                if self._is_fixed(a):
                    return Step(Code.FMA_VECTOR, result, (b, held), a)
                return Step(Code.FMA, result, (a, b, held))
        if self._number(part):
            return Step(Code.ADD_CONSTANT, result, (held,), Number(part))
        if self._is_fixed(part):
            return Step(Code.ADD_VECTOR, result, (held,), part)
        return Step(Code.ADD, result, (held, part))

    def _number(self, node: Node) -> bool:
        return self._is_fixed(node) and node.width is None

    def _pattern(self, node: Node) -> Step:
        """Return the one instruction that computes an element-wise value."""
        if node.op is Op.ADD:
            a, b = node.sources
            if self._is_fixed(a) or (self._product(a) and not self._product(b) and not self._is_fixed(b)):
                a, b = b, a
            return self._added(node, a, b)
        if node.op is Op.MUL:
            return self._multiplied(node)
        if node.op is Op.SUB:
            a, b = node.sources
            if self._number(a):
                return Step(Code.CONSTANT_SUB, node, (b,), Number(a))
            if self._number(b):
                return Step(Code.ADD_CONSTANT, node, (a,), Number(b, negative=True))
            if self._product(b) and not any(self._number(s) for s in b.sources):
                return Step(Code.FNMA, node, (*b.sources, a))
        return Step(PLAIN[node.op], node, node.sources)

    def _multiplied(self, node: Node) -> Step:
        for a, b in (node.sources, node.sources[::-1]):
            if self._number(b):
                return Step(Code.MUL_CONSTANT, node, (a,), Number(b))
            if self._is_fixed(b) and not self._is_fixed(a):
                return Step(Code.MUL_VECTOR, node, (a,), b)
            if self.uses[b] == 1 and not self._elsewhere(b) and not self._is_fixed(a):
                slope = _slope(b)
                if slope is not None and not self._is_fixed(slope[1]):
                    return Step(slope[0], node, (a, slope[1]))
        return Step(Code.MUL, node, node.sources)

    def _fixed_value(self, node: Node) -> Step:
        if node.width is None:
            return Step(Code.CONSTANT, node, (), Number(node))
        return Step(Code.VECTOR, node, (), node)

    def _resolved(self) -> list[Step]:
        """Put in the values that do not depend on the row, where an instruction wants them in a register."""
        done: list[Step] = []
        there: set[object] = set()
        for step in self.steps:
            sources = []
            for source in step.sources:
                while isinstance(source, Node) and source in self.held:
                    source = self.held[source]
                if isinstance(source, Node) and self._is_fixed(source) and source not in there:
                    done.append(self._fixed_value(source))
                    there.add(source)
                sources.append(source)
            if step.result is not None and step.result in there:
                continue
            there.add(step.result)
            done.append(Step(step.code, step.result, tuple(sources), step.immediate))
        return done


def _is_one(node: Node) -> bool:
    return node.op is Op.CONST and node.value == 1


def _slope(node: Node) -> tuple[Code, Node] | None:
    """Recognise y (1 - y) and 1 - y²."""
    if node.op is Op.MUL:
        for y, rest in (node.sources, node.sources[::-1]):
            if rest.op is Op.SUB and _is_one(rest.sources[0]) and rest.sources[1] is y:
                return Code.D_SIGMOID, y
    if node.op is Op.SUB and _is_one(node.sources[0]):
        square = node.sources[1]
        if square.op is Op.MUL and square.sources[0] is square.sources[1]:
            return Code.D_TANH, square.sources[0]
    return None
