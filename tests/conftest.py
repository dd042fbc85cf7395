"""What tests of several rooms share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest


class Problem:
    """A cell with random inputs, initial states, weights and masks, for the reference engine.

    ``tensors`` holds (x, *states, *weights, *masks), sequences longest first.
    """

    def __init__(
        self,
        cell: Any,
        inputs: int = 3,
        hidden: int = 4,
        lengths: Sequence[int] = (4, 4),
        dtype: Any = None,
        seed: int = 0,
        reverse: bool = False,
    ) -> None:
        import torch

        from gatelab.engine.reference import Sizes
        from gatelab.engine.rows import Rows

        torch.set_num_threads(1)  # tensors are tiny: more threads only wait for each other
        dtype = dtype or torch.float64
        draw = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> Any:
            return torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype)

        self.cell, self.hidden = cell, hidden
        self.rows = Rows.ragged(torch.tensor(lengths))
        self.sizes = Sizes(inputs, hidden, cell.block, normal(0))
        count = sum(self.rows.sizes)
        self.x = normal(count, inputs)
        if reverse:
            self.x = self.rows.reverse(self.x)
        self.states = tuple(normal(self.rows.batch, self.sizes[s.width]) for s in cell.states)
        self.weights = {}
        for weight in (p.weight for p in cell.parameters):
            shape = [self.sizes[w] for w in (weight.rows, weight.columns) if w is not None]
            self.weights[weight.name] = 0.7 * normal(*shape)
        self.masks = {}
        for mask in (m.mask for m in cell.masks):
            hits = torch.rand(count, self.sizes[mask.width], generator=draw) < 0.5
            value = hits.to(dtype)
            self.masks[mask.name] = value if mask.kind == "zoneout" else value / (1 - mask.rate)

    @property
    def tensors(self) -> tuple[Any, ...]:
        return (self.x, *self.states, *self.weights.values(), *self.masks.values())

    def require_grad(self) -> list[Any]:
        """Make all but the masks leaves of torch.autograd; return them."""
        wanted = self.tensors[: len(self.tensors) - len(self.masks)]
        for tensor in wanted:
            tensor.requires_grad_()
        return list(wanted)

    def run(self) -> tuple[Any, ...]:
        """Return (output, *last states) through the engine's own derivative."""
        from gatelab.engine import run

        output, finals = run(self.cell, self.x, self.states, self.weights, self.masks, self.rows, self.hidden)
        return (output, *finals)

    def reference(self) -> tuple[Any, ...]:
        """Return (output, *last states) through operations that torch.autograd follows."""
        from gatelab.engine.autograd import traced

        trace = traced(self.cell, self.sizes, self.rows, self.tensors)
        return (trace.output, *trace.finals)

    def values(self, nodes: Sequence[Any]) -> dict[Any, Any]:
        """Return the values of nodes of the cell for all rows."""
        from gatelab.engine.autograd import traced

        return traced(self.cell, self.sizes, self.rows, self.tensors, tuple(nodes)).kept


@pytest.fixture(scope="session")
def music_folder() -> Path:
    """Return the folder of the four known music sets, or skip where the machine has none."""
    root = os.environ.get("GATELAB_DATA")
    if not root:
        pytest.skip("GATELAB_DATA is not set: the four known music sets are not on this machine")
    folder = Path(root) / "poly_music"
    if not (folder / "JSB_Chorales.mat").is_file():
        pytest.skip(f"no JSB_Chorales.mat in {folder}: the four known music sets are not on this machine")
    return folder


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Point all data folders to an empty one."""
    monkeypatch.setenv("GATELAB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="session")
def problem() -> type[Problem]:
    """Return the class of random problems for a cell."""
    return Problem
