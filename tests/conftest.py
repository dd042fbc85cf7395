"""What tests of several rooms share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

# Threads that wait shall sleep: on cores that others use as well, spinning makes tiny tests slow. Read once,
# by the OpenMP that torch brings, so before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


class Problem:
    """A cell with random inputs, initial states, weights and masks, for any engine.

    ``tensors`` holds (x, *states, *weights, *masks), sequences longest first. Matrices and vectors are drawn
    from 0.7 · N(0, 1), or with ``usual`` from U(−1/√H, 1/√H), as layers start.
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
        usual: bool = False,
        threads: int = 1,
    ) -> None:
        import torch

        from gatelab.engine.reference import Sizes
        from gatelab.engine.rows import Rows

        torch.set_num_threads(threads)  # tensors are tiny: more than one only wait for each other
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
            uniform = 2 * torch.rand(*shape, generator=draw, dtype=torch.float64) - 1 if usual else None
            drawn = 0.7 * normal(*shape) if uniform is None else (uniform * hidden**-0.5).to(dtype)
            self.weights[weight.name] = drawn
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

    def run(self, engine: str = "reference", watch: Sequence[str] = ()) -> tuple[Any, ...]:
        """Return (output, *last states, *watched values) through the engine's own derivative."""
        from gatelab.engine import run

        settings = self.weights, self.masks, self.rows, self.hidden, engine, watch
        done = run(self.cell, self.x, self.states, *settings)
        return (done.output, *done.finals, *(done.watched[name] for name in watch))

    def reference(self, watch: Sequence[str] = ()) -> tuple[Any, ...]:
        """Return (output, *last states, *watched values) through operations that torch.autograd follows."""
        from gatelab.engine.autograd import traced
        from gatelab.passes import probe

        nodes = probe(self.cell, watch)
        trace = traced(self.cell, self.sizes, self.rows, self.tensors, tuple(nodes.values()))
        return (trace.output, *trace.finals, *(trace.kept[nodes[name]] for name in watch))

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


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real data sets, or skip where the machine has none."""
    root = os.environ.get("GATELAB_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("GATELAB_DATA names no folder: the real data sets are not on this machine")
    return Path(root)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Point all data folders to an empty one."""
    monkeypatch.setenv("GATELAB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def unwritten() -> Iterator[None]:
    """Fill fresh memory of the tile machine with NaN, so that what is read unwritten is seen."""
    from gatelab.engine.pool import POOL

    POOL.fill = float("nan")
    yield
    POOL.fill = None


def _forget(bound: Any) -> None:
    """Forget what depends on how many numbers a vector has."""
    bound.machine.cache_clear()
    bound.bound.cache_clear()


@pytest.fixture
def variant(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the kernel's variant that the test names, or skip where this processor cannot."""
    from gatelab.engine import bound, library

    usual, kernel = library.variant(), library.load()
    if kernel.gatelab_tile_choose(request.param.encode("ascii")) != 0:
        pytest.skip(f"this processor cannot run the variant {request.param}")
    _forget(bound)
    yield request.param
    kernel.gatelab_tile_choose(usual.encode("ascii"))
    _forget(bound)


@pytest.fixture(scope="session")
def problem() -> type[Problem]:
    """Return the class of random problems for a cell; all threads take part, however small a problem is."""
    from gatelab.engine import cpu

    cpu.THREAD_WORK = cpu.CREW_WORK = 1
    return Problem


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small data of every kind of task."""
    from made_up import make_data

    folder = tmp_path_factory.mktemp("data")
    make_data(folder)
    return folder


@pytest.fixture(scope="session")
def posed(made_up: Path) -> Callable[[str], Any]:
    """Return a function: a name of made_up.KINDS → the task on its data."""
    from gatelab.tasks import open_task
    from made_up import KIND_OF, KINDS

    def pose(name: str) -> Any:
        data, options = KINDS[name]
        path = data if name == "synthetic" else str(made_up / data)
        return open_task(path, KIND_OF.get(name, name), options)

    return pose


@pytest.fixture(scope="session")
def folders(posed: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function: a name of made_up.KINDS → the folder of a model that was trained for an epoch."""
    from gatelab.cells import get
    from gatelab.models.make import make, order

    parent, done = tmp_path_factory.mktemp("models"), set[str]()

    def trained(name: str) -> Path:
        if name not in done:
            make(parent / name, order(posed(name), get("gru"), 5, training={"max_epochs": 1}))
            done.add(name)
        return parent / name

    return trained


@pytest.fixture(scope="session")
def command() -> Callable[..., Any]:
    """Return a function that runs the command line in a process of its own."""

    def run(*arguments: object, folder: Path | None = None, stdin: bytes | None = None) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "gatelab", *map(str, arguments)],
            capture_output=True,
            cwd=folder,
            input=stdin,
            env=os.environ | {"COLUMNS": "140"},
            check=False,
        )

    return run
