"""A planned pass as the tile machine's program: records of small whole numbers, and the names they stand for.

The records are those of kernel/job.h. A program knows widths, not sizes: it is made once for a cell.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from gatelab.axes import Width
from gatelab.engine.code import Code, Number, Step, listing, uses_of_places
from gatelab.engine.legal import check
from gatelab.engine.plan import MOST_TERMS, Phase, Place, Reading, Target
from gatelab.engine.split import Pass, Wish, backward_pass, forward_pass
from gatelab.graph.node import Node

WIDTHS: dict[Width, int] = {"I": 0, "H": 1, "K": 2, "1": 3}
SPANS = {"all": 0, "step": 1, "ring": 2}

Record = tuple[int, ...]
T = TypeVar("T", bound=Hashable)


@dataclass
class Program:
    """A program and what its numbers stand for.

    Attributes
    ----------
    records
        The records of kernel/job.h, by the name of their array.
    ranges
        The phases before the loop, in it, behind it, and after it: first and end.
    registers
        How many registers the longest program needs at once.
    places
        The buffers.
    weights, vectors, numbers
        Matrices by name; values of a width that do not depend on the row; numbers.
    gradients, sums
        The weights whose derivatives come out of products over all rows, and out of sums over rows.
    """

    planned: Pass
    records: dict[str, list[Record]] = field(default_factory=dict)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    registers: int = 1
    places: dict[Place, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    vectors: dict[Node, int] = field(default_factory=dict)
    numbers: dict[Number, int] = field(default_factory=dict)
    gradients: dict[str, int] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def program_of(wish: Wish, backwards: bool) -> Program:
    """Return the program of a pass."""
    return _Assembler(check(backward_pass(wish) if backwards else forward_pass(wish))).program


def _number(known: dict[T, int], thing: T) -> int:
    return known.setdefault(thing, len(known))


class _Assembler:
    def __init__(self, planned: Pass) -> None:
        self.program = Program(planned)
        self.operands: dict[Reading, int] = {}
        names = ("sources", "matrices", "targets", "groups", "phases", "code", "outers", "finals", "sums")
        self.records: dict[str, list[Record]] = {name: [] for name in names}
        count = 0
        for part in (planned.before, planned.loop, planned.closing, planned.after):
            self.program.ranges.append((count, count + len(part)))
            count += len(part)
            for phase in part:
                self._phase(phase)
        self._outers()
        for index, place in enumerate(planned.finals):
            self.records["finals"].append((self._operand(Reading(place)), index))
        operands: list[Record] = []
        done = 0
        while done < len(self.operands):  # a start is a buffer, too
            reading = list(self.operands)[done]
            start = -1 if reading.start is None else self._buffer(reading.start)
            operands.append((self._buffer(reading.place), reading.shift, start))
            done += 1
        buffers: list[Record] = [
            (SPANS[p.span], WIDTHS[p.width], int(p.owned and p.width != "1")) for p in self.program.places
        ]
        self.program.records = {**self.records, "buffers": buffers, "operands": operands}

    def _buffer(self, place: Place) -> int:
        return _number(self.program.places, self._shared(place))

    def _operand(self, reading: Reading) -> int:
        return _number(self.operands, Reading(self._shared(reading.place), reading.shift, reading.start))

    def _phase(self, phase: Phase) -> None:
        steps = listing(phase, self.program.planned.fixed)
        registers: dict[object, int] = {}
        groups = len(self.records["groups"])
        for targets in _grouped(phase):
            self._group(targets, registers)
        code = len(self.records["code"])
        self._code(steps, registers)
        ends = len(self.records["groups"]), len(self.records["code"])
        self.records["phases"].append((WIDTHS[phase.width], groups, ends[0], code, ends[1]))

    def _group(self, targets: list[Target], registers: dict[object, int]) -> None:
        for part in targets[0].parts:
            self._part(targets, part, registers)

    def _part(self, targets: list[Target], part: int, registers: dict[object, int]) -> None:
        """Write the products of a group from the number ``part`` on, as many as the machine takes at once."""
        sources, first = len(self.records["sources"]), len(self.records["targets"])
        for k, product in list(enumerate(targets[0].products))[part : part + MOST_TERMS]:
            matrices = len(self.records["matrices"])
            for target in targets:
                matrix = target.products[k]
                weight = _number(self.program.weights, matrix.matrix.weight.name)
                self.records["matrices"].append((weight, int(matrix.transposed)))
            depth = WIDTHS[product.vector.place.width]
            self.records["sources"].append((self._operand(product.vector), depth, matrices))
        for target in targets:
            registers["products", target.node, part] = len(registers)
            bias = -1 if part or target.bias is None else _number(self.program.vectors, target.bias)
            self.records["targets"].append((registers["products", target.node, part], bias))
        ends = len(self.records["sources"]), len(self.records["targets"])
        self.records["groups"].append((sources, ends[0], first, ends[1]))

    def _code(self, steps: list[Step], registers: dict[object, int]) -> None:
        """Give values registers, each until its last use."""
        last = {source: k for k, step in enumerate(steps) for source in step.sources}
        at_once, copied = self._memory(steps)
        free: list[int] = []
        count = len(registers)
        for k, step in enumerate(steps):
            sources = [registers[s] for s in step.sources]
            for source in dict.fromkeys(step.sources):
                if last[source] == k:
                    free.append(registers.pop(source))
            result = 0
            if step.result is not None:
                if not free:
                    free.append(count)
                    count += 1
                result = free.pop()
                if step.result in last:
                    registers[step.result] = result
                else:
                    free.append(result)
            record = self._instruction(step, result, sources)
            copies = isinstance(step.immediate, Reading) and self._shared(step.immediate.place) in copied
            to = self._operand(Reading(at_once[step.result])) if step.result in at_once else -1
            self.records["code"].append(
                (*record[:3], int(copies), record[4], to) if copies else (*record, to)
            )
        self.program.registers = max(self.program.registers, count)

    def _memory(self, steps: list[Step]) -> tuple[dict[object, Place], set[Place]]:
        """Return the results to be written where they are stored, and the places to be copied when loaded.

        A loaded value is read where it lies. Where a result is stored to the same place it waits for the
        last reader: it is written at once if it is made after that, else the load makes a copy.
        """
        reads: dict[Place, int] = {}
        for place, at in uses_of_places(steps)[0].items():
            reads[self._shared(place)] = max(at, reads.get(self._shared(place), -1))
        made = {step.result: k for k, step in enumerate(steps) if step.result is not None}
        plain = {
            step.result for step in steps if step.code not in (Code.LOAD, Code.LOAD_ROW, Code.LOAD_BLOCK)
        }
        at_once: dict[object, Place] = {}
        copied: set[Place] = set()
        for step in steps:
            if step.code is not Code.STORE or not isinstance(step.immediate, Place):
                continue
            value, place = step.sources[0], step.immediate
            if reads.get(self._shared(place), -1) > made.get(value, -1):
                copied.add(self._shared(place))
            elif value in made and value in plain:
                at_once.setdefault(value, place)
        return at_once, copied

    def _shared(self, place: Place) -> Place:
        return self.program.planned.shares.get(place, place)

    def _instruction(self, step: Step, result: int, sources: list[int]) -> Record:
        what, code = step.immediate, int(step.code)
        if isinstance(what, Reading):
            return (code, result, self._operand(what), 0, 0)
        if isinstance(what, Place):
            return (code, self._operand(Reading(what)), sources[0], 0, 0)
        if isinstance(what, str):
            return (code, _number(self.program.sums, what), *(*sources, 0)[:2], 0)
        if step.code is Code.CONSTANT:
            assert isinstance(what, Number)
            return (code, result, _number(self.program.numbers, what), 0, 0)
        if isinstance(what, Number):
            return (code, result, sources[0], _number(self.program.numbers, what), 0)
        if isinstance(what, Node):
            a, c = (*sources, 0, 0)[:2]
            return (code, result, a, _number(self.program.vectors, what), c)
        return (code, result, *(*sources, 0, 0)[:3])

    def _outers(self) -> None:
        """Put gradients with the same left-hand side next to each other."""
        planned = self.program.planned
        found = [(left, self._operand(right), name) for name, left, right in planned.outers]
        found += [(left, -1, name) for name, left in planned.column_sums]
        lefts = {left: k for k, (left, _, _) in reversed(list(enumerate(found)))}
        looped, seen = len(self.program.sums), set()
        for left, right, name in sorted(found, key=lambda o: lefts[o[0]]):
            index = _number(self.program.gradients if right >= 0 else self.program.sums, name)
            self.records["outers"].append((self._operand(Reading(left)), right, index, int(name in seen)))
            seen.add(name)
        widths = {p.name: p.weight.rows for p in planned.wish.cell.parameters}
        self.records["sums"] = [(WIDTHS[widths[name]],) for name in list(self.program.sums)[:looped]]


def _grouped(phase: Phase) -> list[list[Target]]:
    """Put targets that are sums over the same vectors together."""
    groups: dict[tuple[Reading, ...], list[Target]] = {}
    for target in phase.targets.values():
        products = sorted(target.products, key=lambda p: (p.vector.place.name, p.vector.shift))
        if products:
            arranged = Target(target.node, tuple(products), target.bias, target.rest, target.addend)
            groups.setdefault(tuple(p.vector for p in products), []).append(arranged)
    return list(groups.values())
