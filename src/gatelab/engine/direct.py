"""Weights' gradients written where they belong, in one backward pass and nothing beside it.

Torch makes a tensor for each gradient, hands all of them through its graph and adds each to what stands in
its weight. A training of small updates spends more time on that than on computing. Inside :func:`writing`,
the tile machine writes a weight's gradient into the memory that it has in ``.grad``, which must have been set
to zero; a second use of the same weight is added. Outputs, inputs and states are differentiated by torch as
ever; what is not given: a derivative of the derivative, hooks on weights, and a second backward pass of the
same graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gatelab.engine import cpu


class Sink:
    """The gradients of some weights.

    Parameters
    ----------
    gradients
        By the weight's id; dense, of the weight's shape.
    """

    def __init__(self, gradients: Mapping[int, Tensor]) -> None:
        self.gradients = gradients
        self.written: set[int] = set()

    def clear(self) -> None:
        """Take all gradients for zeros: the next of each weight is written over what stands there."""
        self.written.clear()

    def takes(self, weights: Mapping[str, Tensor]) -> bool:
        """Return whether it holds all of these weights' gradients."""
        gradients = self.gradients
        return gradients.keys() >= {id(w) for w in weights.values()}

    def places(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return, by the weights' names, where gradients are written, and where others are to be added."""
        new: dict[str, Tensor] = {}
        again: dict[str, Tensor] = {}
        for name, weight in weights.items():
            key = id(weight)
            (again if key in self.written else new)[name] = self.gradients[key]
            self.written.add(key)
        return new, again


_SINK: ContextVar[Sink | None] = ContextVar("sink", default=None)


@contextmanager
def writing(sink: Sink) -> Iterator[None]:
    """Let forward passes inside the block send the gradients of their weights to ``sink``."""
    token = _SINK.set(sink)
    try:
        yield
    finally:
        _SINK.reset(token)


def sink_for(weights: Mapping[str, Tensor]) -> Sink | None:
    """Return where the gradients of these weights are to be written; None: torch hands them on."""
    sink = _SINK.get()
    return sink if sink is not None and sink.takes(weights) else None


class DirectFunction(torch.autograd.Function):
    """A cell over a batch of rows: (x, anchor, *states) → (*outputs, *last states).

    ``anchor`` is a weight, so that the result is differentiable where x and states are not.
    """

    @staticmethod
    def forward(
        ctx: Any, batch: cpu.Batch, sink: Sink, x: Tensor, anchor: Tensor, *states: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Run the cell and keep what its adjoint reads."""
        given, finals, kept = cpu.forward(batch, True)
        ctx.batch, ctx.sink, ctx.kept = batch, sink, kept
        ctx.save_for_backward(*given)  # outputs would hold themselves alive in any other place
        ctx.set_materialize_grads(False)
        return (*given, *finals)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        """Run the adjoint, and write the weights' gradients."""
        batch, kept, given = ctx.batch, ctx.kept, ctx.saved_tensors
        assert kept is not None, "one backward pass"
        ctx.kept = ctx.batch = None  # memory that is used up
        count = len(batch.outputs)
        new, again = ctx.sink.places(batch.weights)
        to_input, to_starts, found = cpu.backward(
            batch, given, kept, cotangents[:count], cotangents[count:],
            wanted=frozenset(batch.weights),
            with_input=ctx.needs_input_grad[2], with_starts=any(ctx.needs_input_grad[4:]), into=new,
        )  # fmt: skip
        for name, place in again.items():
            if name in found:
                place.add_(found[name])
        return (None, None, to_input, None, *to_starts)


def anchor_of(weights: Mapping[str, Tensor]) -> Tensor:
    """Return any of the weights."""
    return next(iter(weights.values()))


def run_direct(batch: cpu.Batch, sink: Sink) -> Sequence[Tensor]:
    """Run a cell so that its backward pass writes the weights' gradients into ``sink``."""
    found: Sequence[Tensor] = DirectFunction.apply(  # type: ignore[no-untyped-call]
        batch, sink, batch.x, anchor_of(batch.weights), *batch.states
    )
    return found
