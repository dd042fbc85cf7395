"""The peers, as data: what each can compute, what it needs, in which process it runs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

from gatelab.bench.answers import Answers
from gatelab.bench.problem import Problem
from gatelab.errors import ConfigError, near_misses

Cells = dict[str, str]
"""Cell asked for → cell that the peer computes in its place."""


class Step(Protocol):
    """A training step, prepared: calling it runs forward and backward over all batches of the problem."""

    engine: str

    def __call__(self) -> None:
        """Run the step; nothing of it is left undone when it returns."""

    def answers(self) -> list[Answers]:
        """Run the step and return outputs and gradients of each batch."""


class Maker(Protocol):
    """What a peer's module has: a function that prepares a step."""

    def make(self, problem: Problem, variant: str) -> Step:
        """Prepare the step of ``problem``."""


@dataclass(frozen=True)
class Peer:
    """One way of computing a step.

    Attributes
    ----------
    name, about
        Its name in tables, and what it is in one line.
    module, variant
        The module whose ``make(problem, variant)`` prepares a step.
    cells
        The cells it has, each with the one that it computes in its place: itself, or its nearest relative
        where it has no better. None: every cell of the catalogue.
    process
        The process it runs in: ``plain``, ``malloc`` (memory kept from step to step by glibc) or ``jax``.
    needs
        The module that must be importable.
    slow
        Whether it is run only when asked for.
    ragged
        Whether it is of interest only where sequences differ in length.
    most_steps
        The longest sequence that it is tried on.
    """

    name: str
    about: str
    module: str
    cells: Cells | None
    variant: str = ""
    process: str = "plain"
    needs: str = "torch"
    slow: bool = False
    ragged: bool = False
    most_steps: int | None = None

    def computes(self, cell: str) -> str | None:
        """Return the cell that this peer computes when ``cell`` is asked for, or None."""
        return cell if self.cells is None else self.cells.get(cell)

    def make(self, problem: Problem) -> Step:
        """Prepare a step; raises ImportError where what it needs is not installed."""
        importlib.import_module(self.needs)
        maker = cast(Maker, importlib.import_module(f"gatelab.bench.peers.{self.module}"))
        return maker.make(problem, self.variant)


def _same(*names: str) -> Cells:
    return {name: name for name in names}


LOOPS = _same("lstm-np", "lstm", "gru", "gru-after", "tanh")
NATIVE = LOOPS | {"lstm": "lstm-np", "gru": "gru-after"}

_ALL = (
    Peer("gatelab", "gatelab.Recurrent with the engine that it chooses", "ours", None, "auto"),
    Peer("gatelab-padded", "the same, not told the lengths", "ours", None, "padded", ragged=True),
    Peer("nn", "torch.nn.LSTM, GRU, RNN; ragged batches packed", "native", NATIVE, "packed"),
    Peer("nn-padded", "the same, not told the lengths", "native", NATIVE, "padded", ragged=True),
    Peer("gatelab+malloc", "gatelab, glibc tuned", "ours", None, "auto", process="malloc"),
    Peer("nn+malloc", "torch.nn, glibc tuned", "native", NATIVE, "packed", process="malloc"),
    Peer("jax", "jax.lax.scan under jit", "scan", LOOPS, process="jax", needs="jax"),
    Peer("jit", "a loop in TorchScript", "scripted", LOOPS),
    Peer("eager", "a loop in Python over torch", "loops", LOOPS, "eager"),
    Peer("torchrecurrent", "torchrecurrent.PeepholeLSTM", "foreign", _same("lstm"), needs="torchrecurrent"),
    Peer("reference", "gatelab's definition of a cell", "ours", None, "reference", slow=True),
    Peer("compile-step", "a loop over a compiled step", "loops", LOOPS, "compile-step", slow=True),
    Peer(
        "compile-loop", "a compiled loop", "loops", LOOPS, "compile-loop", slow=True, most_steps=100
    ),
)  # fmt: skip

PEERS: Mapping[str, Peer] = MappingProxyType({p.name: p for p in _ALL})
"""Every peer, by name; the first is the one that all others are compared with."""


def find(names: Sequence[str], slow: bool = False) -> list[Peer]:
    """Return the peers with these names, or all: the slow ones where ``slow``.

    Raises
    ------
    ConfigError
        Where there is no such peer; near misses are listed.

    Examples
    --------
    >>> [p.name for p in find(["nn", "jax"])]
    ['nn', 'jax']
    """
    for name in names:
        if name not in PEERS:
            raise ConfigError(
                f"unknown peer {name!r}{near_misses(name, PEERS)}; known are {', '.join(PEERS)}"
            )
    return [PEERS[n] for n in dict.fromkeys(names)] or [p for p in PEERS.values() if slow or not p.slow]
