"""One step of a cell on the tile machine, bound once: what every call would prepare is prepared here.

A call over a whole sequence finds its program, its memory and the addresses of its weights anew, which takes
far longer than a step. A network that is heard step by step does so once.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatelab.engine.bound import ALIGNED, Bound, JobRecord, bound, machine
from gatelab.engine.cpu import CREW_WORK, THREAD_WORK, fixed_values, numbers
from gatelab.engine.reference import Sizes
from gatelab.engine.rows import Rows
from gatelab.engine.split import Wish
from gatelab.graph.cell import Cell

Array = np.ndarray[Any, np.dtype[Any]]


class Single:
    """A cell, its weights and its memory for one step of a few sequences, on one thread.

    :meth:`run` reads ``x`` and ``states``, writes ``output`` and leaves the new states in ``states``. All
    three keep their memory. Two threads may not run the same one at once.

    Parameters
    ----------
    cell
        Simplified, without masks.
    sizes
        Of the cell.
    weights
        By name; they are copied.
    x
        The memory of the input, contiguous [B, I], float32 or float64.
    states
        The memory of each state, contiguous [B, width].

    Attributes
    ----------
    output
        [B, H].
    """

    def __init__(
        self, cell: Cell, sizes: Sizes, weights: Mapping[str, Tensor], x: Array, states: list[Array]
    ) -> None:
        assert not cell.masks, cell
        assert all(a.flags.c_contiguous for a in (x, *states)), cell
        self.x, self.states, self.wide = x, states, int(x.dtype == np.float64)
        self.output = np.zeros((len(x), sizes.hidden), x.dtype)
        self._weights = {
            k: w.detach().clone(memory_format=torch.contiguous_format) for k, w in weights.items()
        }
        self._rows = Rows.full(1, len(x))
        self._job = self._prepared(bound(Wish(cell), False), sizes)
        self._machine, self._address = machine().run, ctypes.addressof(self._job)

    def run(self) -> None:
        """Go one step on."""
        self._machine(self._address, self.wide)

    def _prepared(self, program: Bound, sizes: Sizes) -> JobRecord:
        """Return the job that every step is; ``self`` keeps all that it points to."""
        widths = (sizes.input, sizes.hidden, sizes.hidden // sizes.block, 1, sizes.block)
        fixed, held = program.constant(sizes, widths), fixed_values(program, sizes, self._weights)
        matrices = [self._weights[name] for name in program.weights]
        lists, at = numbers(
            [w.data_ptr() for w in matrices],
            [w.stride(0) for w in matrices],
            [held[n].data_ptr() for n in program.vectors],
            [s.ctypes.data for s in self.states],  # the last values go where the next step begins
        )
        job = JobRecord(
            program.address, fixed[0], self._rows.starts_address, 1, None, None, at[0], at[1], at[2],
            fixed[1], fixed[2], None, None, at[3], None, 1, THREAD_WORK, CREW_WORK,
        )  # fmt: skip
        layout = program.layout(self._rows.count, self._rows.batch, widths, self.wide, False, None)
        scratch = machine().bytes(ctypes.addressof(job), self.wide)
        memory = np.zeros(layout.passing_bytes + scratch + ALIGNED, np.uint8)
        start = -(-memory.ctypes.data // ALIGNED) * ALIGNED
        addresses, strides = (
            [start + at for _, at, _ in layout.where],
            [stride for *_, stride in layout.where],
        )
        for name, array in self._given(program).items():
            index = program.index[name]
            addresses[index], strides[index] = array.ctypes.data, array.shape[1]
        for place, node in program.fixed_places:
            addresses[program.index[place.name]] = held[node].data_ptr()
        places, (job.buffers, job.strides) = numbers(addresses, strides)
        job.scratch = start + layout.passing_bytes
        self._kept = program, held, lists, places, memory
        return job

    def _given(self, program: Bound) -> dict[str, Array]:
        """Return the arrays that stand for places of the program, by name."""
        found = {"input": self.x, program.states[0].state: self.output}
        for keys, state in zip(program.states, self.states, strict=True):
            if keys.start is not None:
                found[keys.start] = state
        return {name: array for name, array in found.items() if name in program.index}
