"""Programs as the library reads them, and the memory they need for a batch of some size."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gatelab.engine.code import Number
from gatelab.engine.library import load, path
from gatelab.engine.program import WIDTHS, Program, program_of
from gatelab.engine.reference import Sizes
from gatelab.engine.split import Wish, is_lent
from gatelab.errors import BuildError
from gatelab.graph.fold import fold
from gatelab.graph.node import Node
from gatelab.graph.op import Op
from gatelab.passes.simplify import SCALAR

ALIGNED = 64  # bytes: where a place begins
INSTRUCTION_BYTES = 6 * 4
REMEMBERED = 256  # layouts of memory a program remembers, one for each size of batch

_POINTERS = [
    *("buffers", "operands", "sources", "matrices", "targets", "groups", "phases", "code", "outers"),
    *("finals", "sums"),
]
_COUNTED = ["operands", "phases", "outers", "finals", "sums"]
_COUNTS = [*(f"n_{name}" for name in _COUNTED), "n_vectors", "n_registers"]
_RANGES = ["before", "loop", "closing", "after"]


class _Range(ctypes.Structure):
    _fields_ = [("begin", ctypes.c_int32), ("end", ctypes.c_int32)]


class ProgramRecord(ctypes.Structure):
    """``Program`` of kernel/job.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int32) for name in _COUNTS),
        *((name, _Range) for name in _RANGES),
        ("backwards", ctypes.c_int32),
    ]


class JobRecord(ctypes.Structure):
    """``Job`` of kernel/job.h."""

    _fields_ = [
        ("program", ctypes.POINTER(ProgramRecord)),
        ("widths", ctypes.c_void_p),
        ("starts", ctypes.c_void_p),
        ("steps", ctypes.c_int64),
        ("buffers", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("weight_strides", ctypes.c_void_p),
        ("vectors", ctypes.c_void_p),
        ("vector_widths", ctypes.c_void_p),
        ("constants", ctypes.c_void_p),
        ("gradients", ctypes.c_void_p),
        ("sum_gradients", ctypes.c_void_p),
        ("finals", ctypes.c_void_p),
        ("scratch", ctypes.c_void_p),
        ("threads", ctypes.c_int64),
        ("thread_work", ctypes.c_int64),
        ("crew_work", ctypes.c_int64),
    ]


class Machine:
    """The library's functions, declared."""

    def __init__(self) -> None:
        library = load()
        library.gatelab_tile_records.restype = ctypes.c_int64
        sizes = ctypes.sizeof(ProgramRecord), ctypes.sizeof(JobRecord), INSTRUCTION_BYTES
        if library.gatelab_tile_records() != sizes[0] * 1_000_000 + sizes[1] * 1_000 + sizes[2]:
            raise BuildError(
                f"wanted a kernel whose records are those of this package at {path()}, found one of another "
                "state of the sources; run make setup in the source tree",
                path(),
            )
        self.run = library.gatelab_tile_run
        self.run.argtypes, self.run.restype = [ctypes.c_void_p, ctypes.c_int], None
        self.bytes = library.gatelab_tile_bytes
        self.bytes.argtypes, self.bytes.restype = [ctypes.c_void_p, ctypes.c_int], ctypes.c_int64
        library.gatelab_tile_lanes.argtypes = [ctypes.c_int]
        self.lanes = [library.gatelab_tile_lanes(wide) for wide in (0, 1)]


@lru_cache(maxsize=1)
def machine() -> Machine:
    """Return the loaded tile machine."""
    return Machine()


KEPT, PASSING, GIVEN = 0, 1, 2  # whose memory a place is in: outlives the call, does not, is a tensor's


@dataclass(frozen=True)
class Layout:
    """Where the places of a program lie, for one size of batch.

    Attributes
    ----------
    where
        For each place: whose memory it is in, its offset there in bytes, and its stride in numbers.
    kept
        Offset and stride of the places that outlive the call, by name.
    kept_bytes, passing_bytes
        What is needed of both.
    """

    where: tuple[tuple[int, int, int], ...]
    kept: Mapping[str, tuple[int, int]]
    kept_bytes: int
    passing_bytes: int


@dataclass(frozen=True)
class StateKeys:
    """The names of a state's places in a program; None where it has no such place."""

    state: str
    given: str
    start: str | None
    carry: str | None
    to_start: str | None


class Bound:
    """A program's records as the library reads them, and the names that stand behind its numbers."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cell = program.planned.wish.cell
        self.arrays = [np.array(program.records[name], dtype=np.int32) for name in _POINTERS]
        counts = [len(program.records[name]) for name in _COUNTED]
        self.structure = ProgramRecord(
            *(a.ctypes.data for a in self.arrays), *counts, len(program.vectors), program.registers,
            *(_Range(*pair) for pair in program.ranges), int(program.planned.backwards),
        )  # fmt: skip
        self.address = ctypes.pointer(self.structure)
        self.index = {place.name: k for k, place in enumerate(program.places)}
        self.weights = list(program.weights)
        self.gradients, self.sums = list(program.gradients), list(program.sums)
        self.vectors = list(program.vectors)
        self.fixed_places = list(program.planned.fixed_places.items())
        self.fixed = [*self.vectors, *(node for _, node in self.fixed_places)]
        self.simple = all(n.op is Op.PARAM for n in self.fixed)
        self.fixed_names = [n.name for n in self.fixed]
        self.states = [self._keys(s) for s in self.cell.states]
        self.masks = [(m.name, k) for m in self.cell.masks if (k := f"mask {m.name}") in self.index]
        self.layouts: dict[tuple[int, ...], Layout] = {}
        self.constants: dict[tuple[int, ...], tuple[Sequence[object], list[int]]] = {}

    def _keys(self, state: Node) -> StateKeys:
        def there(name: str) -> str | None:
            return name if name in self.index else None

        return StateKeys(
            state=f"state {state.name}",
            given=f"given {state.name}",
            start=there(f"start {state.name}"),
            carry=there(f"carry {state.name}"),
            to_start=there(f"to start {state.name}"),
        )

    def layout(
        self, count: int, batch: int, widths: tuple[int, ...], wide: int, keep: bool, lent: Layout | None
    ) -> Layout:
        """Return where the places lie for so many rows, sequences and units.

        ``lent`` is the layout of the forward pass whose places are read.
        """
        key = (count, batch, *widths, wide, keep)
        found = self.layouts.get(key)
        if found is None:
            if len(self.layouts) >= REMEMBERED:
                self.layouts.clear()  # another thread may do so at any time: look nothing up twice
            rows = {"all": count, "step": batch, "ring": 2 * batch}
            found = self.layouts[key] = self._laid_out(rows, widths, wide, keep, lent)
        return found

    def _laid_out(
        self, rows: Mapping[str, int], widths: tuple[int, ...], wide: int, keep: bool, lent: Layout | None
    ) -> Layout:
        """Put places one behind the other, each on a boundary, rows filled up to whole vectors.

        Those that are kept come in the order of their names: a backward pass finds them, whichever forward
        pass of the cell, with products hoisted or not, has left them.
        """
        lanes, item = machine().lanes[wide], 8 if wide else 4
        used = [0, 0]
        where: dict[str, tuple[int, int, int]] = {}
        for place in sorted(self.program.places, key=lambda p: p.name):
            if not place.owned:
                where[place.name] = GIVEN, 0, 0
            elif lent is not None and is_lent(place):
                where[place.name] = (KEPT, *lent.kept[place.name])
            else:
                side = KEPT if keep and is_lent(place) else PASSING
                width = widths[WIDTHS[place.width]]
                stride = width if place.width == "1" else -(-width // lanes) * lanes
                where[place.name] = side, used[side], stride
                used[side] += -(-rows[place.span] * stride * item // ALIGNED) * ALIGNED
        kept = {name: (at, stride) for name, (side, at, stride) in where.items() if side == KEPT}
        return Layout(tuple(where[p.name] for p in self.program.places), kept, *used)

    def constant(self, sizes: Sizes, widths: tuple[int, ...]) -> list[int]:
        """Return where stands what all calls at these sizes share: widths, widths of vectors, numbers."""
        found = self.constants.get(widths)
        if found is None:
            vectors = [widths[WIDTHS[n.width or "1"]] for n in self.vectors]
            numbers = [_value(n, sizes) for n in self.program.numbers]
            arrays = array("i", widths), array("i", vectors), array("d", numbers)
            found = self.constants[widths] = arrays, [a.buffer_info()[0] for a in arrays]
        return found[1]


@lru_cache(maxsize=1024)
def bound(wish: Wish, backwards: bool) -> Bound:
    """Return the program of a pass, ready to run."""
    return Bound(program_of(wish, backwards))


def _value(number: Number, sizes: Sizes) -> float:
    """Return what a number is at these sizes."""
    table: dict[Op, Callable[..., float]] = {
        op: lambda node, *sources, rule=rule: rule(*sources) for op, rule in SCALAR.items()
    }
    table[Op.CONST] = lambda node: node.value
    table[Op.SIZE] = lambda node: float(sizes[node.attribute])
    table[Op.SPREAD] = lambda node, source: source
    value = fold([number.node], table)[number.node]
    return -value if number.negative else value
