"""A trained network heard step by step: one input in, one output out, the states in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from gatelab.engine import Choice, Rows, run
from gatelab.engine.reference import Sizes
from gatelab.engine.single import Array, Single
from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.heads.affine import affine_of
from gatelab.nn.stack import Stack, State

V = TypeVar("V", Tensor, Array)
Shaped = Callable[[Tensor], Tensor]  # from what a head's affine map gave to its answers
NUMPY: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}


class Stream:
    """A network that hears one step at a time, within microseconds.

    The weights are copied when the stream is made: train first. Masks and dropout are what they are without
    training. The tile machine runs on one thread here, and its memory is prepared once; two threads may not
    share a stream.

    Parameters
    ----------
    stack
        Layers of any cell, in one direction: :class:`gatelab.Recurrent`, or an LSTM, GRU or RNN of
        ``gatelab.nn``.
    head
        What the top layer's output becomes: ``torch.nn.Linear``, or a head of ``gatelab.nn``, whose answers
        a step then returns.
    batch_size
        Sequences B that are heard side by side.

    Attributes
    ----------
    engine
        Which engine runs the steps, and why.

    Raises
    ------
    ConfigError, ShapeError
        Where the stack reads sequences from their end, too, or the head does not fit.

    Examples
    --------
    >>> import gatelab, numpy as np
    >>> layer = gatelab.Recurrent("lstm", input_size=3, hidden_size=8, num_layers=2)
    >>> stream = gatelab.nn.Stream(layer)
    >>> stream.step(np.ones(3, np.float32)).shape
    (8,)
    >>> h, c = stream.state
    >>> h.shape
    torch.Size([2, 1, 8])
    """

    def __init__(self, stack: Stack, head: nn.Module | None = None, batch_size: int = 1) -> None:
        if not isinstance(stack, Stack):
            raise ConfigError(f"wanted a layer of gatelab, such as Recurrent; got {type(stack).__name__}")
        if stack.bidirectional:
            raise ConfigError(
                "a stream hears one step at a time, and a bidirectional layer has to hear a sequence's end "
                "first; try a layer with bidirectional=False"
            )
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"batch_size: wanted a whole number of at least 1, got {batch_size!r}")
        affine = None if head is None else affine_of(head, stack.hidden_size)
        weight = stack._weight()
        if affine is not None and (affine.weight.dtype, affine.weight.device) != (
            weight.dtype,
            weight.device,
        ):
            raise ShapeError(
                f"head: wanted {weight.dtype} on {weight.device}, as the layers have it, got "
                f"{affine.weight.dtype} on {affine.weight.device}"
            )
        self.engine: Choice = stack.engine
        self._names = [s.name for s in stack.cell.states]
        shaped = getattr(head, "shaped", None)
        self._steps = (_Bound if self.engine.name == "tile" else _Defined)(stack, affine, shaped, batch_size)

    def step(self, x: V) -> V:
        """Hear one step.

        Parameters
        ----------
        x
            [B, I], or [I] where B is 1: a numpy array or a tensor of the weights' type.

        Returns
        -------
        Array or Tensor
            What ``x`` is: the top layer's output [B, H], or the head's answers [B, …]; without B where
            ``x`` has none. It is the caller's own.

        Raises
        ------
        ShapeError
            Where shape or type do not fit.
        """
        return self._steps.step(x)

    def reset(self) -> None:
        """Begin anew, from states that are zero."""
        self._steps.load(None)

    @property
    def state(self) -> State:
        """The states after the last step, [L, B, H]: one tensor, or a tuple of them; a copy.

        Set it, to the same or to None for zeros, to go on from elsewhere.
        """
        found = self._steps.states()
        return found[0] if len(found) == 1 else tuple(found)

    @state.setter
    def state(self, state: State | None) -> None:
        if state is None:
            return self.reset()
        given = tuple(state) if isinstance(state, tuple | list) else (state,)
        wanted = self._steps.states()
        if len(given) != len(wanted):
            raise ShapeError(f"wanted {len(wanted)} state(s) ({', '.join(self._names)}), got {len(given)}")
        tensors = [torch.as_tensor(s).detach() for s in given]
        for name, new, old in zip(self._names, tensors, wanted, strict=True):
            if new.shape != old.shape or new.dtype != old.dtype:
                raise ShapeError(
                    f"state {name}: wanted [L, B, H] = {tuple(old.shape)} of {old.dtype}, got "
                    f"{tuple(new.shape)} of {new.dtype}"
                )
        self._steps.load(tensors)


class _Bound:
    """Steps on the tile machine: each layer reads the memory into which the one below has written."""

    def __init__(self, stack: Stack, affine: nn.Linear | None, shaped: Shaped | None, batch: int) -> None:
        like = stack._weight()
        self.kind, self.type = like.dtype, NUMPY[like.dtype]
        self.x = np.zeros((batch, stack.input_size), self.type)
        self.shapes = {self.x.shape, *([self.x.shape[1:]] if batch == 1 else [])}
        widths = [stack.sizes(0)[s.width] for s in stack.cell.states]
        self.memory = [np.zeros((stack.num_layers, batch, w), self.type) for w in widths]
        self.layers: list[Single] = []
        below = self.x
        for layer in range(stack.num_layers):
            sizes = Sizes(below.shape[1], stack.hidden_size, stack.cell.block, like.new_empty(0))
            states = [m[layer] for m in self.memory]
            self.layers.append(Single(stack.still, sizes, stack.weights(layer, 0), below, states))
            below = self.layers[-1].output
        self.runs = [layer.run for layer in self.layers]
        self.output = below
        (self.matrix, self.bias), self.shaped = _head(affine), shaped

    def step(self, x: V) -> V:
        given = x if type(x) is np.ndarray else _array(x)
        if given.dtype != self.type or given.shape not in self.shapes:
            _refuse(given, self.x, self.type)
        self.x[...] = given
        for layer in self.runs:
            layer()
        found = self.output.copy() if self.matrix is None else self.output @ self.matrix
        if self.bias is not None:
            found += self.bias
        if self.shaped is not None:
            found = self.shaped(torch.from_numpy(found)).numpy()
        if given.ndim == 1:
            found = found[0]
        answer: Any = found if type(x) is np.ndarray else torch.from_numpy(found)
        return answer  # type: ignore[no-any-return]

    def states(self) -> list[Tensor]:
        return [torch.from_numpy(m.copy()) for m in self.memory]

    def load(self, states: Sequence[Tensor] | None) -> None:
        for k, memory in enumerate(self.memory):
            memory[...] = 0 if states is None else states[k].numpy()


class _Defined:
    """Steps by the definition, in torch's own operations: for any type and device."""

    def __init__(self, stack: Stack, affine: nn.Linear | None, shaped: Shaped | None, batch: int) -> None:
        self.like = stack._weight().detach()
        self.cell, self.hidden, self.shaped = stack.still, stack.hidden_size, shaped
        self.affine = None if affine is None else [p.detach().clone() for p in affine.parameters()]
        layers = range(stack.num_layers)
        self.weights = [{k: w.detach().clone() for k, w in stack.weights(n, 0).items()} for n in layers]
        self.x = self.like.new_zeros(batch, stack.input_size)
        self.shapes = {self.x.shape, *([self.x.shape[1:]] if batch == 1 else [])}
        widths = [stack.sizes(0)[s.width] for s in self.cell.states]
        self.memory = [self.like.new_zeros(stack.num_layers, batch, w) for w in widths]
        self.rows = Rows.full(1, batch)

    @torch.no_grad()
    def step(self, x: V) -> V:
        given = torch.from_numpy(x) if isinstance(x, np.ndarray) else x
        if not isinstance(given, Tensor) or given.dtype != self.x.dtype or given.shape not in self.shapes:
            _refuse(given, self.x, self.x.dtype)
        row = given.to(self.x.device).reshape(self.x.shape)
        for layer, weights in enumerate(self.weights):
            states = [m[layer] for m in self.memory]
            done = run(self.cell, row, states, weights, {}, self.rows, self.hidden, "reference")
            for memory, new in zip(self.memory, done.finals, strict=True):
                memory[layer] = new
            row = done.output
        found = row.clone() if self.affine is None else nn.functional.linear(row, *self.affine)
        found = found if self.shaped is None else self.shaped(found)
        found = found if given.dim() == 2 else found[0]
        answer: Any = found.cpu().numpy() if isinstance(x, np.ndarray) else found
        return answer  # type: ignore[no-any-return]

    def states(self) -> list[Tensor]:
        return [m.clone() for m in self.memory]

    def load(self, states: Sequence[Tensor] | None) -> None:
        for k, memory in enumerate(self.memory):
            memory.zero_() if states is None else memory.copy_(states[k])


def _head(affine: nn.Linear | None) -> tuple[Array | None, Array | None]:
    """Return the head's matrix [H, outputs] and its bias."""
    if affine is None:
        return None, None
    matrix = affine.weight.detach().numpy().T.copy()
    return matrix, None if affine.bias is None else affine.bias.detach().numpy().copy()


def _array(x: Any) -> Array:
    if not isinstance(x, Tensor):
        raise ShapeError(f"input: wanted a numpy array or a tensor, got {type(x).__name__}")
    return x.detach().cpu().numpy()


def _refuse(came: Any, wanted: Any, kind: Any) -> None:
    batch, inputs = wanted.shape
    layout = f"[I] = [{inputs}] or [B, I] = [1, {inputs}]" if batch == 1 else f"[B, I] = [{batch}, {inputs}]"
    got = f"{list(came.shape)} of {came.dtype}" if hasattr(came, "shape") else type(came).__name__
    raise ShapeError(f"input: wanted one step {layout} of {kind}, got {got}")
