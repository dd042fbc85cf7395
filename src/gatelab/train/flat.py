"""All weights of a network below each other in one vector, so that an update is one pass over it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatelab.engine.direct import Sink


class Flat:
    """The weights of a network as one vector, and their gradients as another.

    The parameters of the network stay what they are, ordinary parameters of their own names and shapes, but
    their memory, and that of their gradients, are pieces of the two vectors: back-propagation adds to the
    one, and who changes the other changes the network. A copy of the network owns its memory.

    Parameters
    ----------
    network
        Its parameters have one dtype and device; their values are kept.

    Attributes
    ----------
    vector
        The weights [P], in the order of ``network.parameters()``, with their gradient.
    sink
        Where the tile machine may write the gradients, see :func:`gatelab.engine.direct.writing`.

    Examples
    --------
    >>> import torch
    >>> from gatelab.train.flat import Flat
    >>> network = torch.nn.Linear(3, 2)
    >>> flat = Flat(network)
    >>> network(torch.ones(1, 3)).sum().backward()
    >>> flat.vector.grad
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, network: nn.Module) -> None:
        assert len(network.state_dict()) == len(list(network.parameters())), "all that is kept is a parameter"
        parameters = list(network.parameters())
        self.vector = nn.Parameter(torch.cat([p.detach().flatten() for p in parameters]))
        self.vector.grad = torch.zeros_like(self.vector)
        self._noise = torch.empty_like(self.vector.grad)
        counts = [p.numel() for p in parameters]
        self._pieces = torch.split(self._noise, counts)
        weights = torch.split(self.vector.detach(), counts)
        gradients = torch.split(self.vector.grad, counts)
        for parameter, weight, gradient in zip(parameters, weights, gradients, strict=True):
            parameter.data = weight.view_as(parameter)
            parameter.grad = gradient.view_as(parameter)
        self.sink = Sink({id(p): p.grad for p in parameters if p.grad is not None})

    def zero_grad(self) -> None:
        """Set the gradient to zero, in place: the parameters' gradients stay pieces of it."""
        assert self.vector.grad is not None
        self.vector.grad.zero_()
        self.sink.clear()

    def load(self, weights: Tensor) -> None:
        """Put these weights [P] into the network; raises a ValueError where their number is another."""
        if weights.shape != self.vector.shape:
            raise ValueError(f"wanted {self.vector.numel()} weights, got {weights.numel()}")
        self.vector.detach().copy_(weights)

    def draw(self, like: Tensor) -> Tensor:
        """Return N(0, 1) for each weight, [P], the numbers that a draw for each parameter would give.

        They stand until the next draw.
        """
        assert like is self.vector or like.shape == self.vector.shape
        for piece in self._pieces:
            piece.normal_()
        return self._noise
