"""A whole network as an ONNX model: what reads its inputs, its layers, and its head's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from torch import nn

from gatelab.errors import ConfigError, ShapeError
from gatelab.export.graph import Graph, value_info
from gatelab.export.heads import head_answers
from gatelab.export.layers import Layers, numbers_of
from gatelab.export.network import finished, said_of, states_of
from gatelab.export.onnx_model import TYPES, check_stack
from gatelab.export.recognise import recognise
from gatelab.nn.stack import Stack

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

WHOLE = np.dtype(np.int64)


@dataclass(frozen=True)
class Parts:
    """What a network is put together of.

    Attributes
    ----------
    layers
        The recurrent layers, not ``batch_first``.
    head
        A head of ``gatelab.nn`` or ``torch.nn.Linear``; None: the network answers with its states alone.
    symbols
        Size of the vocabulary where inputs are symbols; 0 where they are vectors.
    embedding
        What a symbol is embedded by; None: a vector that is 1 at one place.
    reads
        Whether the head answers at every step, or once a sequence, from the top layer's output at the last
        step that it has met in each direction.
    """

    layers: Stack
    head: nn.Module | None = None
    symbols: int = 0
    embedding: nn.Embedding | None = None
    reads: Literal["steps", "end"] = "steps"


def onnx_network(
    parts: Parts,
    *,
    begins: bool = False,
    ends: bool = False,
    lengths: bool = False,
    native: bool = True,
    said: Mapping[str, str] | None = None,
) -> ModelProto:
    """Return a whole network as an ONNX model, opset 17, checked by ``onnx.checker``.

    Parameters
    ----------
    begins, ends
        Whether the states before the first step are inputs, and those after the last one outputs.
    lengths
        Whether the length of each sequence is an input.
    native
        As in :func:`gatelab.export.onnx_model`.
    said
        What else the metadata is to hold; ``gatelab.`` is put before each key.

    Returns
    -------
    onnx.ModelProto
        Inputs, in this order: ``input`` [T, B, I], or int64 [T, B] of symbols; with ``begins``
        ``initial_STATE`` [L · directions, B, width]; with ``lengths`` ``lengths`` int64 [B]. Outputs: with a
        head ``answers`` [T, B, …], or [B, …] where the head reads the end, as the head in torch returns them;
        with ``ends`` ``final_STATE``. Time T and batch B are dynamic. Beyond a sequence's end the input may
        be anything (a symbol below the vocabulary's size), and answers mean nothing there. A symbol that is
        not in the vocabulary is refused by onnxruntime.

    Raises
    ------
    ConfigError, ShapeError
        As :func:`gatelab.export.onnx_model`, or a part does not fit the others.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.export.whole import Parts, onnx_network
    >>> layers = gatelab.Recurrent("lstm", 50, 8)
    >>> parts = Parts(layers, gatelab.nn.Categorical(8, 3), symbols=50, reads="end")
    >>> model = onnx_network(parts, lengths=True)
    >>> [i.name for i in model.graph.input], [o.name for o in model.graph.output]
    (['input', 'lengths'], ['answers'])
    """
    kind = _checked(parts)
    writer = _Writer(parts, kind, native)
    return writer.model(begins, ends, lengths, dict(said or {}))


class _Writer:
    """A network on its way into an ONNX graph."""

    def __init__(self, parts: Parts, kind: np.dtype[Any], native: bool) -> None:
        self.parts, self.kind, self.graph = parts, kind, Graph()
        operator = recognise(parts.layers.still) if native and kind == np.float32 else None
        self.layers = Layers(self.graph, parts.layers, operator, kind)
        self.scope = self.layers.scope(0)

    def model(self, begins: bool, ends: bool, lengths: bool, said: dict[str, str]) -> ModelProto:
        fresh = self.graph.fresh
        given, counted = fresh("input"), fresh("lengths") if lengths else ""
        answers = fresh("answers") if self.parts.head is not None else ""
        initial = [fresh(f"initial_{s.name}") for s in self.layers.cell.states] if begins else []
        output, finals = self.layers.write(self._read(given), initial, counted)
        inputs = [self._input(given), *states_of(self.layers, initial)]
        inputs += [value_info(counted, WHOLE, ["B"])] if counted else []
        outputs = self._answers(output, finals, answers) if answers else []
        outputs += states_of(self.layers, self.layers.joined(finals)) if ends else []
        return finished(self.graph, inputs, outputs, said | said_of(self.layers))

    def _input(self, name: str) -> ValueInfoProto:
        if self.parts.symbols:
            return value_info(name, WHOLE, ["T", "B"])
        return value_info(name, self.kind, ["T", "B", self.parts.layers.input_size])

    def _read(self, given: str) -> str:
        """Write the layers' input, [T, B, I]."""
        add, embedding, symbols = self.graph.add, self.parts.embedding, self.parts.symbols
        if not symbols:
            return given
        depth, zero = (
            self.graph.array(np.array(symbols), "vocabulary"),
            self.graph.array(np.array(0), "row_0"),
        )
        ids = add("Where", add("Less", given, zero), depth, given)  # or −1 would be the last symbol
        if embedding is not None:
            return add("Gather", self.graph.array(numbers_of(embedding.weight), "embedding"), ids, axis=0)
        # OneHot makes zeros of a symbol that there is not; a look-up refuses it, as an embedding does.
        known = add("Gather", self.graph.array(np.arange(symbols), "symbols"), ids, axis=0)
        values = self.graph.array(np.array([0, 1], self.kind), "off_on")
        return add("OneHot", known, depth, values, axis=-1)

    def _answers(self, output: str, finals: list[list[str]], name: str) -> list[ValueInfoProto]:
        head, stack = self.parts.head, self.parts.layers
        assert head is not None
        end = self.parts.reads == "end"
        axes: list[str | int] = ["B"] if end else ["T", "B"]
        width = stack.num_directions * stack.hidden_size
        hidden = self._end(finals[0]) if end else output
        found, tail = head_answers(self.scope, head, hidden, width, len(axes) + 1)
        self.graph.add("Identity", found, name=name)
        return [value_info(name, self.kind, [*axes, *tail])]

    def _end(self, outputs: list[str]) -> str:
        """Write the top layer's last outputs, [B, directions · H]."""
        add, whole, stack = self.graph.add, self.graph.whole, self.parts.layers
        every = add("Concat", *outputs, axis=0)
        first = self.layers.rows - stack.num_directions
        last = add("Slice", every, whole(first), whole(self.layers.rows), whole(0))
        return add("Reshape", add("Transpose", last, perm=[1, 0, 2]), whole(0, -1))


def _checked(parts: Parts) -> np.dtype[Any]:
    """Refuse parts that do not fit; return the type of their numbers."""
    stack, embedding = parts.layers, parts.embedding
    beside = [m for m in (parts.head, embedding) if m is not None]
    check_stack(stack, [p for module in beside for p in module.parameters()])
    kind = stack._weight().dtype
    if stack.batch_first:
        raise ConfigError("ONNX: wanted layers with batch_first=False, got batch_first=True")
    if any(p.dtype != kind for module in beside for p in module.parameters()):
        raise ShapeError(f"head and embedding: wanted {kind}, as the layers have it, got others")
    if embedding is not None and tuple(embedding.weight.shape) != (parts.symbols, stack.input_size):
        wanted = f"[{parts.symbols}, {stack.input_size}]"
        raise ShapeError(
            f"embedding: wanted {wanted}, as the vocabulary and the layers are large, got {embedding}"
        )
    if parts.symbols and embedding is None and parts.symbols != stack.input_size:
        raise ShapeError(f"symbols: wanted {stack.input_size}, the layers' inputs, got {parts.symbols}")
    return TYPES[kind]
