"""Programs as the library reads them, and the memory they need for a batch of some size."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gatelab.engine.code import Number
from gatelab.engine.library import load
from gatelab.engine.plan import Place
from gatelab.engine.program import WIDTHS, Program, program_of
from gatelab.engine.reference import Sizes
from gatelab.engine.split import Wish, is_lent
from gatelab.graph.fold import fold
from gatelab.graph.op import Op
from gatelab.passes.simplify import SCALAR

ALIGNED = 64  # bytes: where a place begins
REMEMBERED = 256  # layouts of memory a program remembers, one for each size of batch

_POINTERS = [
    *("buffers", "operands", "sources", "matrices", "targets", "groups", "phases", "code", "outers"),
    *("finals", "sums"),
]
_COUNTS = [*(f"n_{name}" for name in _POINTERS), "n_vectors", "n_registers"]
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
    ]


class Machine:
    """The library's functions, declared."""

    def __init__(self) -> None:
        library = load()
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


Address = tuple[int, int]  # of a place: where it begins, and numbers from row to row


@dataclass(frozen=True)
class Layout:
    """Where a program's own places lie in memory: offset and stride, by name.

    ``kept`` outlive the call, ``passing`` do not; each has a total in bytes.
    """

    kept: Mapping[str, Address]
    kept_bytes: int
    passing: Mapping[str, Address]
    passing_bytes: int


class Bound:
    """A program's records as the library reads them, and the names that stand behind its numbers."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arrays = [np.array(program.records[name], dtype=np.int32) for name in _POINTERS]
        counts = [len(program.records[name]) for name in _POINTERS]
        self.structure = ProgramRecord(
            *(a.ctypes.data for a in self.arrays), *counts, len(program.vectors), program.registers,
            *(_Range(*pair) for pair in program.ranges), int(program.planned.backwards),
        )  # fmt: skip
        self.reference = ctypes.pointer(self.structure)
        self.names = [place.name for place in program.places]
        self.known = frozenset(self.names)
        self.weights = list(program.weights)
        self.fixed = [*program.vectors, *program.planned.fixed_places.values()]
        self.simple = all(n.op is Op.PARAM for n in self.fixed)
        self.fixed_names = [n.name for n in self.fixed]
        self.vector_widths = [WIDTHS[n.width or "1"] for n in program.vectors]
        self.layouts: dict[tuple[int, ...], Layout] = {}
        self.scratch: dict[tuple[int, ...], int] = {}
        self.numbers: dict[tuple[int, ...], list[float]] = {}

    def layout(self, count: int, batch: int, widths: tuple[int, ...], wide: int, keep: bool) -> Layout:
        """Return where the places lie for so many rows, sequences and units."""
        key = (count, batch, *widths, wide, keep)
        if key not in self.layouts:
            if len(self.layouts) >= REMEMBERED:
                self.layouts.clear()
            lent = self.program.planned.backwards
            own = [p for p in self.program.places if p.owned and not (lent and is_lent(p))]
            lasting = [p for p in own if keep and is_lent(p)]
            rows = {"all": count, "step": batch, "ring": 2 * batch}
            kept = _laid_out(lasting, rows, widths, wide)
            passing = _laid_out([p for p in own if p not in lasting], rows, widths, wide)
            self.layouts[key] = Layout(*kept, *passing)
        return self.layouts[key]

    def values(self, sizes: Sizes, widths: tuple[int, ...]) -> list[float]:
        """Return the program's numbers at these sizes."""
        if widths not in self.numbers:
            self.numbers[widths] = [_value(n, sizes) for n in self.program.numbers]
        return self.numbers[widths]


def _laid_out(
    places: list[Place], rows: Mapping[str, int], widths: tuple[int, ...], wide: int
) -> tuple[dict[str, Address], int]:
    """Put places one behind the other, each on a boundary, rows filled up to whole vectors."""
    lanes, item = machine().lanes[wide], 8 if wide else 4
    at, found = 0, {}
    for place in places:
        width = widths[WIDTHS[place.width]]
        stride = width if place.width == "1" else -(-width // lanes) * lanes
        found[place.name] = at, stride
        at += -(-rows[place.span] * stride * item // ALIGNED) * ALIGNED
    return found, at


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
