"""Drop-in RNN, LSTM and GRU: torch.nn's signatures, state_dict keys, initial draws and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.cells import get
from gatelab.errors import ConfigError
from gatelab.nn.stack import Lengths, Stack, State, empty_weight, suffixes


class _Native(Stack):
    """A cell whose weights lie as torch.nn lays them: all gates of a matrix below one another.

    ``gates`` names, in torch's order, the weight that each part of the four tensors is; a gate with two
    names keeps its two biases apart, the others add them.
    """

    gates: tuple[tuple[str, str], ...]

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            get(cell), input_size, hidden_size, num_layers, bidirectional, dropout, batch_first, "auto"
        )
        self.bias = bias
        high = len(self.gates) * hidden_size
        for layer, _, suffix in suffixes(num_layers, self.bidirectional):
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (high, self.sizes(layer)["I"]),
                "weight_hh": (high, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (high,), "bias_hh": (high,)}
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, empty_weight(name + suffix, shape, device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights from U(−1/√H, 1/√H), in torch's order."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: torch.nn's modules have this for cuDNN."""

    def weights(self, layer: int, direction: int) -> Mapping[str, Tensor]:
        """Return the weights of a layer and direction by the names that the cell's equations use."""
        suffix = f"_l{layer}" + "_reverse" * direction
        found: dict[str, Tensor] = {}
        inputs = getattr(self, "weight_ih" + suffix).chunk(len(self.gates))
        states = getattr(self, "weight_hh" + suffix).chunk(len(self.gates))
        for (ours, apart), w, u in zip(self.gates, inputs, states, strict=True):
            found |= {f"W_{ours}": w, f"U_{apart}": u}
        if not self.bias:
            zero = states[0].new_zeros(self.hidden_size)
            return found | {p.name: zero for p in self.cell.parameters if p.weight.role == "bias"}
        of_inputs = getattr(self, "bias_ih" + suffix).chunk(len(self.gates))
        of_states = getattr(self, "bias_hh" + suffix).chunk(len(self.gates))
        for (ours, apart), b, d in zip(self.gates, of_inputs, of_states, strict=True):
            found |= {f"b_{ours}": b + d} if ours == apart else {f"b_{ours}": b, f"b_{apart}": d}
        return found

    def forward(  # torch's names
        self,
        input: Tensor | PackedSequence,
        hx: State | None = None,
        lengths: Lengths | None = None,
        watch: Sequence[str] | None = None,
    ) -> Any:
        """Run all layers, as torch.nn's module does; ``lengths`` may stand in for packing."""
        return super().forward(input, hx, lengths, watch)


class LSTM(_Native):
    """torch.nn.LSTM on gatelab's engines: same signature, state_dict keys and numbers.

    ``proj_size`` is not supported.

    Examples
    --------
    >>> import gatelab, torch
    >>> ours, theirs = gatelab.nn.LSTM(8, 16, num_layers=2), torch.nn.LSTM(8, 16, num_layers=2)
    >>> ours.load_state_dict(theirs.state_dict())
    <All keys matched successfully>
    >>> x = torch.randn(5, 3, 8)
    >>> torch.allclose(ours(x)[0], theirs(x)[0], atol=1e-6)
    True
    """

    gates = (("i", "i"), ("f", "f"), ("c", "c"), ("o", "o"))

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        **factory: Any,
    ) -> None:
        if proj_size:
            raise ConfigError(f"proj_size: wanted 0, got {proj_size}; try torch.nn.LSTM for projected states")
        super().__init__(
            "lstm-np",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            **factory,
        )
        self.proj_size = 0


class GRU(_Native):
    """torch.nn.GRU (reset gate after the product) on gatelab's engines; see :class:`LSTM`."""

    gates = (("r", "r"), ("z", "z"), ("h", "n"))

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        **factory: Any,
    ) -> None:
        super().__init__(
            "gru-after",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            **factory,
        )


class RNN(_Native):
    """torch.nn.RNN, with ``nonlinearity`` tanh or relu, on gatelab's engines; see :class:`LSTM`."""

    gates = (("h", "h"),)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        **factory: Any,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ConfigError(f"nonlinearity: wanted 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(
            nonlinearity,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            **factory,
        )
        self.nonlinearity = nonlinearity
