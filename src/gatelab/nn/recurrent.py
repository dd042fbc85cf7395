"""Layers of any cell."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gatelab.cells import get
from gatelab.graph.cell import Cell
from gatelab.nn.init import Scheme, check_schemes, initialise
from gatelab.nn.stack import Stack, empty_weight, suffixes


class Recurrent(Stack):
    """Layers of a cell, in one or both directions, over whole sequences.

    Parameters
    ----------
    cell
        A cell, or the name of one in the catalogue (``gatelab cells`` lists them).
    input_size, hidden_size
        Inputs I and hidden units H.
    num_layers
        Layers; each above the first reads the outputs of the one below.
    bidirectional
        Whether a second network reads each sequence from its own end; outputs are joined.
    dropout
        Rate of dropout on the outputs of each layer but the last; recurrent connections keep all.
    batch_first
        Whether input and output are [B, T, …] instead of [T, B, …]; states are not affected.
    init
        How weights start, by role (``input``, ``recurrent``, ``peephole``, ``bias``, ``gain``) or by
        name: a number, ``"uniform"``, ``"uniform=0.08"``, ``"normal=0.1"``, ``"glorot"``,
        ``"orthogonal"``, ``"identity"``. By default U(−1/√H, 1/√H), and gains 1.
    engine
        ``"auto"``, ``"tile"`` (the compiled engine) or ``"reference"`` (the definition, in torch); the
        attribute ``engine`` tells which was taken and why.

    Inputs
    ------
    x
        [T, B, I] (or [B, T, I], or [T, I] for one sequence), or a PackedSequence.
    state
        States before the first step, [L · directions, B, H]: one tensor, or a tuple of them where the
        cell has several; zero by default.
    lengths
        The length of each sequence, [B]; the reverse direction starts at each sequence's own end, and
        outputs after it are 0.
    watch
        Names of inner values, such as ``["i", "f", "c"]``; a third result then holds them.

    Returns
    -------
    output
        [T, B, directions · H], in the layout of ``x``; a PackedSequence where ``x`` is one.
    state
        The states after each sequence's last step, in the form of the input ``state``; give them to the
        next call to go on (detach them to cut the gradient).
    watched
        With ``watch``: by name, the values of every layer, direction and step,
        [L · directions, T, B, width] in the layout of ``x`` ([L · directions, N, width] for a
        PackedSequence); they can be differentiated like the output.

    Raises
    ------
    ShapeError, ConfigError
        Where sizes do not fit.

    Examples
    --------
    >>> import gatelab, torch
    >>> layer = gatelab.Recurrent("gru", input_size=88, hidden_size=46, bidirectional=True)
    >>> output, state = layer(torch.randn(10, 3, 88), lengths=[10, 7, 1])
    >>> output.shape, state.shape
    (torch.Size([10, 3, 92]), torch.Size([2, 3, 46]))
    >>> output, state, gates = layer(torch.randn(10, 3, 88), watch=["z", "r"])
    >>> gates["z"].shape
    torch.Size([2, 10, 3, 46])
    """

    def __init__(
        self,
        cell: str | Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        dropout: float = 0.0,
        batch_first: bool = False,
        init: Mapping[str, Scheme] | None = None,
        engine: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            get(cell), input_size, hidden_size, num_layers, bidirectional, dropout, batch_first, engine
        )
        self.init: dict[str, Scheme] = dict(init or {})
        check_schemes(self.init, {p.name for p in self.cell.parameters})
        for layer, _, suffix in suffixes(num_layers, self.bidirectional):
            sizes = self.sizes(layer)
            for weight in (p.weight for p in self.cell.parameters):
                shape = [sizes[w] for w in (weight.rows, weight.columns) if w is not None]
                name = weight.name + suffix
                self.register_parameter(name, empty_weight(name, shape, device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialise all weights anew."""
        for layer, direction, _ in suffixes(self.num_layers, self.bidirectional):
            tensors = self.weights(layer, direction)
            for node in self.cell.parameters:
                initialise(tensors[node.name], node.weight, self.hidden_size, self.init)

    def weights(self, layer: int, direction: int) -> Mapping[str, Tensor]:
        """Return the weights of a layer and direction by the names that the cell's equations use."""
        suffix = f"_l{layer}" + "_reverse" * direction
        own = self._parameters  # asked first: getattr takes a microsecond a weight
        return {
            name: found if (found := own.get(name + suffix)) is not None else getattr(self, name + suffix)
            for name in self.cell.parameter_names
        }
