"""Whether a cell is one that ONNX has an operator for, told from its equations alone.

ONNX's own cells are, with ⊙ left out, f and g activations, and any weight possibly missing::

    RNN    h' = f(W x + U h + b)
    GRU    z = f(W x + U h + b)     r = f(W x + U h + b)     h' = z h + (1 − z) n
           n = g(W x + U (r h) + b), or with linear_before_reset n = g(W x + b + r (U h + d))
    LSTM   i = f(W x + U h + V c + b)     f likewise     c' = f c + i g(W x + U h + b)
           o = f(W x + U h + V c' + b)    h' = o a(c')

The names of cells, states and weights play no part, nor does the order of summands and factors.
Source: https://onnx.ai/onnx/operators/, RNN, GRU and LSTM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatelab.graph.cell import Cell
from gatelab.graph.node import Node
from gatelab.graph.op import Op

ACTIVATIONS = {Op.SIGMOID: "Sigmoid", Op.TANH: "Tanh", Op.RELU: "Relu"}


@dataclass(frozen=True)
class Gate:
    """The weights of a gate by name, None where it has none.

    ``biases`` are those that ONNX adds to the product with the input and to that with the state.
    ``negated`` asks for −W, −U and −b: for σ(−v) = 1 − σ(v), where the cell's gate is ONNX's 1 − z.
    """

    matrix: str | None = None
    recurrent: str | None = None
    biases: tuple[str | None, str | None] = (None, None)
    peephole: str | None = None
    negated: bool = False


@dataclass(frozen=True)
class Native:
    """An operator of ONNX: ``LSTM``, ``GRU`` or ``RNN``, its activations, its gates in ONNX's order."""

    operator: str
    activations: tuple[str, ...]
    gates: tuple[Gate, ...]
    linear_before_reset: int = 0


def recognise(cell: Cell) -> Native | None:
    """Return the operator that computes ``cell``, or None.

    Parameters
    ----------
    cell
        Simplified, without masks.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.export import recognise
    >>> recognise(gatelab.cells.get("gru-after")).linear_before_reset
    1
    >>> recognise(gatelab.cells.get("cifg")) is None
    True
    """
    if any(s.width != "H" for s in cell.states):
        return None
    found = (native for rule in (_rnn, _gru, _lstm) for native in rule(cell))
    return next(found, None)


def _rnn(cell: Cell) -> Iterator[Native]:
    if len(cell.states) == 1 and (gate := _gate(cell, cell.output)) is not None:
        yield Native("RNN", (ACTIVATIONS[cell.output.op],), (gate,))


def _gru(cell: Cell) -> Iterator[Native]:
    if len(cell.states) > 1 or cell.output.op is not Op.MIX:
        return
    (h,), (z, new, old) = cell.states, cell.output.sources
    update = _gate(cell, z, negated=old is h)
    candidate = new if old is h else old
    if update is None or h not in (new, old) or candidate.op not in ACTIVATIONS:
        return
    if update.negated and z.op is not Op.SIGMOID:
        return
    for reset, r, last, after in _candidate(cell, candidate):
        if z.op is r.op:
            names = ACTIVATIONS[z.op], ACTIVATIONS[candidate.op]
            yield Native("GRU", names, (update, reset, last), after)


def _candidate(cell: Cell, candidate: Node) -> Iterator[tuple[Gate, Node, Gate, int]]:
    """Yield the reset gate, its node, the candidate's weights, and whether the product comes first."""
    terms = _summands(candidate.sources[0])
    for k, term in enumerate(terms):
        others, before = terms[:k] + terms[k + 1 :], term.op is Op.MATMUL
        for r, rest in _orders(term.sources[1] if before else term, Op.MUL):
            reset, read = _gate(cell, r), _weights(cell, others)
            inner = _weights(cell, _summands(rest))
            if reset is None or read is None or read.recurrent is not None:
                continue
            if before and rest is cell.states[0]:
                yield reset, r, Gate(read.matrix, term.sources[0].name, read.biases), 0
            elif not before and inner and inner.matrix is None and read.biases[1] is inner.biases[1] is None:
                biases = read.biases[0], inner.biases[0]
                yield reset, r, Gate(read.matrix, inner.recurrent, biases), 1


def _lstm(cell: Cell) -> Iterator[Native]:
    if len(cell.states) != 2:
        return
    c, memory = cell.states[1], cell.results[1]
    for o, read in _orders(cell.output, Op.MUL):
        if read.op not in ACTIVATIONS or read.sources[0] is not memory:
            continue
        for f, i, g in _memory(memory, c):
            gates = [_gate(cell, i, c), _gate(cell, o, memory), _gate(cell, f, c), _gate(cell, g)]
            found = tuple(gate for gate in gates if gate is not None)
            if len(found) == len(gates) and i.op is f.op is o.op:
                yield Native("LSTM", tuple(ACTIVATIONS[n.op] for n in (i, g, read)), found)


def _memory(memory: Node, c: Node) -> Iterator[tuple[Node, Node, Node]]:
    """Yield f, i and g of f c + i g."""
    for kept, new in _orders(memory, Op.ADD):
        for f, past in _orders(kept, Op.MUL):
            if past is c:
                yield from ((f, i, g) for i, g in _orders(new, Op.MUL))


def _gate(cell: Cell, node: Node, memory: Node | None = None, negated: bool = False) -> Gate | None:
    """Return the weights of an activation of a sum; ``memory`` is what its peephole may see."""
    if node.op not in ACTIVATIONS:
        return None
    return _weights(cell, _summands(node.sources[0]), memory, negated)


def _weights(cell: Cell, terms: list[Node], memory: Node | None = None, negated: bool = False) -> Gate | None:
    """Return the weights of W x + U h + V memory + b, or None where a summand is something else."""
    found: dict[str, list[str]] = {"matrix": [], "recurrent": [], "peephole": [], "bias": []}
    for term in terms:
        kind, name = _kind(cell, term, memory)
        if kind not in found:
            return None
        found[kind].append(name)
    if any(len(names) > (2 if kind == "bias" else 1) for kind, names in found.items()):
        return None
    first = {kind: names[0] if names else None for kind, names in found.items()}
    second = found["bias"][1] if len(found["bias"]) > 1 else None
    return Gate(first["matrix"], first["recurrent"], (first["bias"], second), first["peephole"], negated)


def _kind(cell: Cell, term: Node, memory: Node | None) -> tuple[str, str]:
    """Return which weight a summand has, and its name."""
    if term.op is Op.PARAM and term.width == "H":
        return "bias", term.name
    if term.op is Op.MATMUL and term.width == "H" and term.sources[1] in (cell.input, cell.states[0]):
        return "matrix" if term.sources[1] is cell.input else "recurrent", term.sources[0].name
    for vector, value in _orders(term, Op.MUL):
        if vector.op is Op.PARAM and value is memory:
            return "peephole", vector.name
    return "", ""


def _summands(node: Node) -> list[Node]:
    if node.op is not Op.ADD:
        return [node]
    return [term for source in node.sources for term in _summands(source)]


def _orders(node: Node, op: Op) -> Iterator[tuple[Node, Node]]:
    """Yield the two sources of an operation that commutes, both ways round."""
    if node.op is op:
        first, second = node.sources
        yield first, second
        yield second, first
