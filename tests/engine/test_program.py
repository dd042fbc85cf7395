"""Programs followed by hand: every register and every place holds what an instruction wants of it."""

import pytest

from gatelab import cells
from gatelab.engine.code import Code, Number, listing
from gatelab.engine.plan import Place, Reading
from gatelab.engine.program import WIDTHS, _grouped, program_of
from gatelab.engine.split import Wish
from gatelab.graph.node import Node

WRAPPED = ("lstm+layer-norm", "gru+zoneout=0.2+recurrent-dropout=0.1", "lstm-blocks+layer-norm")


def programs(name):
    """Return the programs of a cell, forward and backward, with products hoisted and not."""
    known = cells.get(name)
    weights = frozenset(p.name for p in known.parameters)
    for hoisted in (False, True):
        for training in (False, True):
            yield program_of(Wish(known, hoisted=hoisted, training=training), False)
        for ended in ((), tuple(range(len(known.states)))):
            wish = Wish(known, (0,), hoisted, True, given=(0,), ended=ended, weights=weights)
            yield program_of(wish, True)


def phases(program):
    """Return each phase of the plan with its record."""
    return zip(program.planned.phases, program.records["phases"], strict=True)


def sources_of(step, record):
    """Return the registers that an instruction reads."""
    _, _, a, b, c, _ = record
    if isinstance(step.immediate, Reading) or step.code is Code.CONSTANT:
        return ()
    if isinstance(step.immediate, Node):
        return (a, c)[: len(step.sources)]
    if isinstance(step.immediate, Place | str | Number):
        return (a, b)[: len(step.sources)]
    return (a, b, c)[: len(step.sources)]


class Follower:
    """Registers and memory while the program of one phase runs."""

    def __init__(self, program, phase, record):
        self.program, self.phase = program, phase
        self.registers = {}  # value, and the memory that the register points to
        self.written = {}  # how often each memory was written
        groups = program.records["groups"][record[1] : record[2]]
        names = [("products", t.node, part) for ts in _grouped(phase) for part in ts[0].parts for t in ts]
        targets = [k for group in groups for k in range(group[2], group[3])]
        for name, k in zip(names, targets, strict=True):
            self.registers[program.records["targets"][k][0]] = (name, None)

    def memory(self, operand):
        """Return what stands for the rows that an operand means at this step."""
        buffer, shift, _ = self.program.records["operands"][operand]
        span = self.program.records["buffers"][buffer][0]
        return buffer, 0 if span == 1 else shift

    def version(self, memory):
        return None if memory is None else (memory, self.written.get(memory, 0))

    def write(self, operand):
        memory = self.memory(operand)
        self.written[memory] = self.written.get(memory, 0) + 1

    def run(self, step, record):
        _, result, a, b, _, to = record
        for register, wanted in zip(sources_of(step, record), step.sources, strict=True):
            value, seen = self.registers[register]
            assert value == wanted, (step, "finds another value")
            assert seen is None or seen == self.version(seen[0]), (step, "finds its memory written over")
        if step.code is Code.STORE and self.registers[a][1] != self.version(self.memory(result)):
            self.write(result)  # else it stands there already
        if step.result is None:
            return
        alias = self.memory(a) if step.code is Code.LOAD and not b else None
        if to >= 0:
            self.write(to)
            alias = self.memory(to)
        self.registers[result] = (step.result, self.version(alias))


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_registers_and_memory_hold_what_is_read(name):
    for program in programs(name):
        for phase, record in phases(program):
            steps = listing(phase, program.planned.fixed)
            code = program.records["code"][record[3] : record[4]]
            follower = Follower(program, phase, record)
            for step, instruction in zip(steps, code, strict=True):
                assert Code(instruction[0]) is step.code
                follower.run(step, instruction)


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_numbers_of_a_program_are_in_range(name):
    for program in programs(name):
        records = program.records
        counts = {key: len(rows) for key, rows in records.items()}
        assert all(0 <= o[0] < counts["buffers"] and o[2] < counts["buffers"] for o in records["operands"])
        assert all(b[1] in WIDTHS.values() for b in records["buffers"])
        assert all(0 <= m[0] < len(program.weights) for m in records["matrices"])
        assert all(t[0] < program.registers and t[1] < len(program.vectors) for t in records["targets"])
        assert all(o[0] < counts["operands"] and o[1] < counts["operands"] for o in records["outers"])
        assert [first for first, _ in program.ranges] == [0, *(end for _, end in program.ranges[:-1])]
        assert program.ranges[-1][1] == counts["phases"]


def test_few_registers_are_enough():
    """Gates and what is made of them take turns."""
    forward = program_of(Wish(cells.get("lstm"), training=True), False)
    assert forward.registers <= 8
