"""Training steps of a character model, part by part, beside the same training written with torch alone.

1. At the same weights both have the same loss on the same piece of text; else nothing is timed.
2. In rounds, each in turn makes some updates on the same pieces: truncated back-propagation through time with
   the state carried, the gradient's norm bounded, Adam.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.data.text.corpus import load_text
from gatelab.errors import ConfigError, EngineError
from gatelab.nn import LSTM, Categorical
from gatelab.nn.stack import State
from gatelab.runs import Training
from gatelab.tasks import Batch, Network
from gatelab.tasks.blueprint import OneHot
from gatelab.tasks.language import LanguageTask
from gatelab.train.clock import Clock
from gatelab.train.flat import Flat
from gatelab.train.loop import cut
from gatelab.train.optim import optimizer_for, rescale

PARTS = ("data", "forward", "loss", "backward", "update")
RATE = 2e-3
NORM = 5.0
CLOSE = 1e-4
"""The most that the two losses may differ."""


@dataclass
class Timed:
    """Seconds of a step: of gatelab by its parts, and of torch alone, a number a round."""

    parts: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})
    torch: list[float] = field(default_factory=list)

    @property
    def ours(self) -> float:
        """Median seconds of a step of gatelab's."""
        return statistics.median(map(sum, zip(*self.parts.values(), strict=True)))

    @property
    def ratio(self) -> float:
        """Median over rounds of torch's time by gatelab's in the same round."""
        ours = map(sum, zip(*self.parts.values(), strict=True))
        return statistics.median(t / o for t, o in zip(self.torch, ours, strict=True))

    @property
    def share(self) -> float:
        """Share of a step that is forward and backward through the network."""
        sums = {part: statistics.median(seconds) for part, seconds in self.parts.items()}
        return (sums["forward"] + sums["backward"]) / sum(sums.values())


Pair = tuple[Tensor, Tensor]


class Plain(nn.Module):
    """The model as it is written with torch alone."""

    def __init__(self, symbols: int, hidden: int) -> None:
        super().__init__()
        self.symbols = symbols
        self.recurrent = nn.LSTM(symbols, hidden)
        self.head = nn.Linear(hidden, symbols)

    def forward(
        self, ids: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return logits [T · B, V] and the states after the last step."""
        output, state = self.recurrent(functional.one_hot(ids, self.symbols).float(), state)
        return self.head(output.flatten(0, 1)), state


def measure(
    dataset: str = "stdlib", hidden: int = 512, batch: int = 50, unroll: int = 100, steps: int = 4,
    rounds: int = 7, threads: int = 1,
) -> Timed:  # fmt: skip
    """Return the seconds of a step, ``rounds`` times the mean over ``steps`` updates.

    Raises
    ------
    EngineError
        The two losses differ.
    """
    if min(steps, rounds, threads) < 1:
        raise ConfigError(f"steps, rounds, threads: wanted at least 1, got {steps}, {rounds}, {threads}")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        task = LanguageTask(load_text(dataset), unroll)
        return _measure(task, hidden, batch, steps, rounds)
    finally:
        torch.set_num_threads(before)


def _measure(task: LanguageTask, hidden: int, batch: int, steps: int, rounds: int) -> Timed:
    network = Network(LSTM(task.symbols, hidden), Categorical(hidden, task.symbols), OneHot(task.symbols))
    plain = Plain(task.symbols, hidden)
    plain.recurrent.load_state_dict(network.recurrent.state_dict())
    plain.head.load_state_dict(network.head.affine.state_dict())  # type: ignore[union-attr]
    check(task, network, plain, next(task.batches("train", batch, seed=0, epoch=1)))
    ours, theirs, found = _Ours(task, network), _Theirs(plain), Timed()
    pieces = _endless(task, batch)
    for round_ in range(-1, rounds):  # the first is a warm-up
        clock = Clock()
        for piece in itertools.islice(pieces, steps):
            clock.lap("data")
            ours.step(piece, clock)
        chosen = list(itertools.islice(pieces, steps))
        began = time.perf_counter()
        for piece in chosen:
            theirs.step(piece)
        seconds = time.perf_counter() - began
        if round_ >= 0:
            for part in PARTS:
                found.parts[part].append(clock.seconds[part] / steps)
            found.torch.append(seconds / steps)
    return found


def check(task: LanguageTask, network: Network, plain: Plain, batch: Batch) -> float:
    """Return the loss of both on a batch; raise an EngineError where it is not the same."""
    with torch.no_grad():
        ours = float(task.loss(network.head, network(batch.inputs), batch))
        theirs = float(functional.cross_entropy(plain(batch.inputs, None)[0], batch.targets))
    if not math.isclose(ours, theirs, rel_tol=CLOSE):
        raise EngineError(
            f"the two trainings have different losses: {ours:.6f} and {theirs:.6f}; nothing is timed"
        )
    return ours


def _endless(task: LanguageTask, batch: int) -> Iterator[Batch]:
    for epoch in itertools.count(1):
        yield from task.batches("train", batch, 0, epoch)


class _Ours:
    """A step as :func:`gatelab.train.train` makes it, but for files."""

    def __init__(self, task: LanguageTask, network: Network) -> None:
        self.task, self.network, self.flat = task, network, Flat(network)
        self.optimizer = optimizer_for(self.flat.vector, Training(optimizer="adam"), RATE)
        self.state: State | None = None

    def step(self, batch: Batch, clock: Clock) -> None:
        """Make one update."""
        self.flat.zero_grad()
        clock.lap("update")
        answers, self.state = self.network.carried(batch.inputs, None if batch.fresh else cut(self.state))
        clock.lap("forward")
        loss = self.task.loss(self.network.head, answers, batch)
        clock.lap("loss")
        loss.backward()  # type: ignore[no-untyped-call]
        clock.lap("backward")
        rescale([self.flat.vector], NORM)
        self.optimizer.step()
        loss.item()
        clock.lap("update")


class _Theirs:
    """A step with torch alone."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.optimizer = torch.optim.Adam(plain.parameters(), RATE)
        self.state: Pair | None = None

    def step(self, batch: Batch) -> None:
        """Make one update."""
        self.optimizer.zero_grad()
        state = None if batch.fresh or self.state is None else tuple(s.detach() for s in self.state)
        answers, self.state = self.plain(batch.inputs, state)
        loss = functional.cross_entropy(answers, batch.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.plain.parameters(), NORM)
        self.optimizer.step()
        loss.item()


def table(timed: Timed, number: Callable[[float], str]) -> tuple[list[str], list[list[str]]]:
    """Return milliseconds of a step by parts, and beside torch's."""
    whole = timed.ours
    rows = [
        [part, number(1e3 * statistics.median(seconds)), f"{statistics.median(seconds) / whole:.1%}"]
        for part, seconds in timed.parts.items()
    ]
    rows.append(["gatelab, a step", number(1e3 * whole), "100.0%"])
    rows.append(["torch.nn, a step", number(1e3 * statistics.median(timed.torch)), f"{timed.ratio:.2f}×"])
    return ["milliseconds", "median", "share"], rows
