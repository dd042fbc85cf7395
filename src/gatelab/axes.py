"""Axis names, as shapes in docstrings and messages use them.

========  =============================================================
``T``     time steps
``B``     sequences in a batch
``I``     inputs
``H``     hidden units
``K``     memory blocks (units that share their gates), K = H / S
``S``     units a block
``L``     layers
========  =============================================================

A width of a value inside a cell is one of the four names below.
"""

from __future__ import annotations

from typing import Literal

Width = Literal["I", "H", "K", "1"]
"""How many numbers a value has per sequence: inputs, units, blocks, or one."""

AXIS_NAMES = {
    "T": "time steps",
    "B": "sequences in a batch",
    "I": "inputs",
    "H": "hidden units",
    "K": "memory blocks",
    "L": "layers",
}
