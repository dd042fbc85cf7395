"""Layers and directions of one cell over ragged batches: what every recurrent module shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from gatelab.axes import AXIS_NAMES
from gatelab.engine import ENGINES, Choice, Rows, choose, run
from gatelab.errors import ConfigError, ShapeError
from gatelab.graph.cell import Cell
from gatelab.graph.node import Node
from gatelab.passes.edit import edit
from gatelab.passes.simplify import simplify_cell

State = Tensor | tuple[Tensor, ...]
Lengths = Tensor | Sequence[int]


MOST = 2**31  # sizes are held in 32 bits


class Stack(nn.Module):
    """Layers and directions of a cell; subclasses hold the weights and give them by name.

    See :class:`gatelab.Recurrent` for the meaning of inputs and outputs.
    """

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
        batch_first: bool,
        engine: str,
    ) -> None:
        super().__init__()
        _check_sizes(cell, input_size, hidden_size, num_layers, dropout)
        self.cell = simplify_cell(cell)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.dropout, self.batch_first = (
            bool(bidirectional),
            float(dropout),
            bool(batch_first),
        )
        self.wanted_engine = engine
        if engine not in ENGINES:
            choose(engine)  # says what is known
        # Without training a mask is its expectation; most masks then leave the equations altogether.
        expected: dict[str | Node, Node | float] = {m: m.mask.expectation for m in self.cell.masks}
        self._still = edit(self.cell, expected) if expected else self.cell

    @property
    def still(self) -> Cell:
        """The cell as it runs without training: each mask is its expectation."""
        return self._still

    @property
    def engine(self) -> Choice:
        """Which engine runs this layer where its weights are now, and why."""
        weight = self._weight()
        return choose(self.wanted_engine, weight.device, weight.dtype)

    def _weight(self) -> Tensor:
        """Return a weight; where the cell has none, something of torch's usual type."""
        own = next(iter(self._parameters.values()), None)  # a look into all modules costs a microsecond
        found = next(self.parameters(), None) if own is None else own
        return torch.empty(0) if found is None else found

    @property
    def num_directions(self) -> int:
        """1, or 2 where bidirectional."""
        return 2 if self.bidirectional else 1

    def sizes(self, layer: int) -> dict[str | None, int]:
        """Return how many numbers each width stands for in a layer."""
        inputs = self.input_size if layer == 0 else self.num_directions * self.hidden_size
        return {"I": inputs, "H": self.hidden_size, "K": self.hidden_size // self.cell.block, "1": 1}

    def weights(self, layer: int, direction: int) -> Mapping[str, Tensor]:
        """Return the weights of a layer and direction by the names that the cell's equations use."""
        raise AssertionError("a subclass holds the weights")

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State | None = None,
        lengths: Lengths | None = None,
        watch: Sequence[str] | None = None,
    ) -> Any:
        """Run all layers; see :class:`gatelab.Recurrent`."""
        if torch.compiler.is_compiling():  # torch.compile cannot look into the library: its graph ends here
            return torch.compiler.disable(self._called)(x, state, lengths, watch)  # type: ignore[no-untyped-call]
        return self._called(x, state, lengths, watch)

    def _called(
        self,
        x: Tensor | PackedSequence,
        state: State | None,
        lengths: Lengths | None,
        watch: Sequence[str] | None,
    ) -> Any:
        names = () if watch is None else (watch,) if isinstance(watch, str) else tuple(watch)
        run = self._packed if isinstance(x, PackedSequence) else self._padded
        output, last, seen = run(x, state, lengths, names)  # type: ignore[arg-type]
        return (output, last) if watch is None else (output, last, seen)

    def _padded(
        self, x: Tensor, state: State | None, lengths: Lengths | None, watch: tuple[str, ...]
    ) -> tuple[Tensor, State, dict[str, Tensor]]:
        self._check_input(x)
        if x.dim() == 2:
            return self._unbatched(x, state, lengths, watch)
        padded = x.transpose(0, 1) if self.batch_first else x
        steps, batch = padded.shape[:2]
        rows = Rows.full(steps, batch) if lengths is None else Rows.ragged(_checked(lengths, steps, batch))
        output, last, seen = self._run(rows.pack(padded), self._states(state, batch), rows, watch)
        output = rows.unpack(output, steps)
        values = {k: torch.stack([rows.unpack(v, steps) for v in vs]) for k, vs in seen.items()}
        if self.batch_first:
            output, values = output.transpose(0, 1), {k: v.transpose(1, 2) for k, v in values.items()}
        return output, last, values

    def _packed(
        self, x: PackedSequence, state: State | None, lengths: Lengths | None, watch: tuple[str, ...]
    ) -> tuple[PackedSequence, State, dict[str, Tensor]]:
        if lengths is not None:
            raise ShapeError("a PackedSequence knows its lengths; call without lengths=")
        self._check_width(x.data.shape[-1])
        self._check_type("input", x.data)
        rows = Rows.of(x.batch_sizes.tolist(), x.sorted_indices)
        output, last, seen = self._run(x.data, self._states(state, rows.batch), rows, watch)
        packed = PackedSequence(output, x.batch_sizes, x.sorted_indices, x.unsorted_indices)
        return packed, last, {k: torch.stack(v) for k, v in seen.items()}

    def _unbatched(
        self, x: Tensor, state: State | None, lengths: Lengths | None, watch: tuple[str, ...]
    ) -> tuple[Tensor, State, dict[str, Tensor]]:
        if lengths is not None:
            raise ShapeError("lengths= belongs to a batch [T, B, I]; got one sequence [T, I]")
        given = None if state is None else tuple(s.unsqueeze(1) for s in _tuple(state))
        batch = 0 if self.batch_first else 1
        output, last, seen = self._padded(x.unsqueeze(batch), given, None, watch)
        ends = self._as_given(tuple(s.squeeze(1) for s in _tuple(last)))
        return output.squeeze(batch), ends, {k: v.squeeze(batch + 1) for k, v in seen.items()}

    def _run(
        self, x: Tensor, states: tuple[Tensor | None, ...], rows: Rows, watch: tuple[str, ...]
    ) -> tuple[Tensor, State, dict[str, list[Tensor]]]:
        """Run all layers over rows [N, I] from states [L · directions, B, width]; None stands for zeros."""
        cell, engine = self.cell if self.training else self._still, self.engine.name
        starts = [s if s is None else rows.sort(s) for s in states]
        finals: list[tuple[Tensor, ...]] = []
        seen: dict[str, list[Tensor]] = {name: [] for name in watch}
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.num_directions):
                start = tuple(s if s is None else s[len(finals)] for s in starts)
                done = run(
                    cell, rows.reverse(x) if direction else x, start, self.weights(layer, direction),
                    self._masks(rows, x), rows, self.hidden_size, engine, watch,
                )  # fmt: skip
                outputs.append(rows.reverse(done.output) if direction else done.output)
                finals.append(done.finals)
                for name, value in done.watched.items():
                    seen[name].append(rows.reverse(value) if direction else value)
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
            if self.dropout and layer + 1 < self.num_layers:
                x = functional.dropout(x, self.dropout, self.training)
        ends = tuple(rows.unsort(torch.stack(s)) for s in zip(*finals, strict=True))  # so detach_() works
        return x, self._as_given(ends), seen

    def _masks(self, rows: Rows, like: Tensor) -> dict[str, Tensor]:
        """Draw the cell's masks, [N, width] each."""
        if not self.training:
            return {}
        drawn = {}
        for mask in (node.mask for node in self.cell.masks):
            width = self.sizes(0)[mask.width]
            count = rows.batch if mask.each == "sequence" else sum(rows.sizes)
            hits = torch.rand(count, width, device=like.device) < mask.rate
            values = hits.to(like.dtype)
            if mask.kind == "dropout":
                values = (1 - values) / (1 - mask.rate)
            drawn[mask.name] = values if mask.each == "step" else values[rows.place.to(like.device)]
        return drawn

    def _states(self, state: State | None, batch: int) -> tuple[Tensor | None, ...]:
        """Return the states before the first step, [L · directions, B, width] each, or None for zeros."""
        if state is None:
            return (None,) * len(self.cell.states)
        rows = self.num_layers * self.num_directions
        names = [s.name for s in self.cell.states]
        wanted = [(rows, batch, self.sizes(0)[s.width]) for s in self.cell.states]
        given = _tuple(state)
        if len(given) != len(wanted):
            raise ShapeError(f"wanted {len(wanted)} state(s) ({', '.join(names)}), got {len(given)}")
        for name, shape, tensor in zip(names, wanted, given, strict=True):
            if not isinstance(tensor, Tensor):
                raise ShapeError(f"state {name}: wanted a tensor {shape}, got {type(tensor).__name__}")
            self._check_type(f"state {name}", tensor)
            if tuple(tensor.shape) != shape:
                raise ShapeError(
                    f"state {name}: wanted [L · directions, B, H] = {shape}, got {tuple(tensor.shape)}"
                )
        return given

    def _as_given(self, states: tuple[Tensor, ...]) -> State:
        """Return states in torch's manner: one tensor for one state, else a tuple."""
        return states[0] if len(states) == 1 else states

    def _check_input(self, x: Tensor) -> None:
        layout = "[B, T, I]" if self.batch_first else "[T, B, I]"
        if not isinstance(x, Tensor) or x.dim() not in (2, 3):
            came = f"{x.dim()} axes" if isinstance(x, Tensor) else type(x).__name__
            raise ShapeError(f"input: wanted {layout}, or [T, I] for one sequence; got {came}")
        self._check_width(x.shape[-1])
        self._check_type("input", x)
        axes = "T" if x.dim() == 2 else "BT" if self.batch_first else "TB"
        for axis, size in zip(axes, x.shape, strict=False):
            if size == 0:
                raise ShapeError(f"input {layout}: wanted at least one of {axis} ({AXIS_NAMES[axis]}), got 0")

    def _check_type(self, name: str, tensor: Tensor) -> None:
        wanted = self._weight().dtype
        if tensor.dtype != wanted and not torch.is_autocast_enabled(tensor.device.type):
            raise ShapeError(
                f"{name}: wanted {wanted}, as the weights have it, got {tensor.dtype}; try .to({wanted})"
            )

    def _check_width(self, came: int) -> None:
        if came != self.input_size:
            raise ShapeError(f"input: wanted I = {self.input_size} (inputs), got {came}")

    def extra_repr(self) -> str:
        """Return the sizes, as torch's modules print them."""
        parts = [self.cell.name, str(self.input_size), str(self.hidden_size)]
        parts += [f"num_layers={self.num_layers}"] * (self.num_layers != 1)
        parts += ["bidirectional=True"] * self.bidirectional + [f"dropout={self.dropout}"] * bool(
            self.dropout
        )
        return ", ".join([*parts, *(["batch_first=True"] * self.batch_first)])


def suffixes(num_layers: int, bidirectional: bool) -> list[tuple[int, int, str]]:
    """Return (layer, direction, ending of its weights' names), as torch names them.

    >>> suffixes(1, True)
    [(0, 0, '_l0'), (0, 1, '_l0_reverse')]
    """
    directions = range(2 if bidirectional else 1)
    return [(k, d, f"_l{k}" + "_reverse" * d) for k, d in product(range(num_layers), directions)]


def empty_weight(
    name: str, shape: Sequence[int], device: torch.device | str | None, dtype: torch.dtype | None
) -> nn.Parameter:
    """Return a weight that is not filled yet.

    Raises
    ------
    ConfigError
        Where there is no memory for it.
    """
    try:
        return nn.Parameter(torch.empty(tuple(shape), device=device, dtype=dtype))
    except RuntimeError as error:
        sizes = " × ".join(map(str, shape))
        raise ConfigError(
            f"weight {name}: wanted {sizes} numbers, and there is no memory for them; try fewer units or "
            f"inputs ({str(error).splitlines()[0]:.90})"
        ) from None


def _tuple(state: State) -> tuple[Tensor, ...]:
    return tuple(state) if isinstance(state, tuple | list) else (state,)


def _checked(lengths: Lengths, steps: int, batch: int) -> Tensor:
    """Return lengths as int64 [B] on the CPU; refuse what does not fit the batch."""
    try:
        checked = torch.as_tensor(lengths, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        raise ShapeError(f"lengths: wanted {batch} whole numbers, got {lengths!r:.60}") from None
    if checked.shape != (batch,) or checked.is_floating_point() or checked.dtype == torch.bool:
        raise ShapeError(f"lengths: wanted {batch} whole numbers, one a sequence; got {lengths!r:.60}")
    for place, length in enumerate(checked.tolist()):
        if not 1 <= length <= steps:
            raise ShapeError(f"lengths[{place}]: wanted 1 to T = {steps} (time steps), got {length}")
    return checked.long()


def _check_sizes(cell: Cell, input_size: int, hidden_size: int, num_layers: int, dropout: float) -> None:
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < MOST:
            raise ConfigError(
                f"{name}: wanted a whole number of at least 1 and below {MOST:,}, got {value!r}"
            )
    if cell.states[0].width != "H":
        raise ConfigError(
            f"cell {cell.name!r}: its first state {cell.states[0].name} is the output and wants a value "
            f"a unit (width H), got width {cell.states[0].width}; return another state first"
        )
    if hidden_size % cell.block:
        raise ShapeError(
            f"hidden_size: cell {cell.name!r} has blocks of {cell.block} units; wanted a multiple of "
            f"{cell.block}, got {hidden_size}"
        )
    if not 0 <= dropout < 1:
        raise ConfigError(f"dropout: wanted at least 0 and below 1, got {dropout!r}")
