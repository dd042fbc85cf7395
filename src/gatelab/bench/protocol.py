"""The comparison's wall-clock time: gatelab's own training beside the same one written plainly in torch.

1. At the same weights, both have the same loss on the same batch; else nothing is timed.
2. In rounds, each in turn trains some epochs: same data, same batches, same sizes, one thread.
3. An epoch's median time, with its validation, and that of the end give the time of the whole protocol:
   every learning rate and repeat at the most epochs, as ``gatelab compare`` has them by default.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from gatelab.bench import plain
from gatelab.bench.peers.packing import packed
from gatelab.cells import get, hidden_size_for
from gatelab.data import MusicData, load_music
from gatelab.errors import EngineError
from gatelab.runs import Epoch, Training, Trial
from gatelab.tasks import MusicTask, Network
from gatelab.tasks.music import KEYS
from gatelab.tasks.order import batches
from gatelab.train import train

UNITS = ("tanh", "gru", "lstm")
WAYS = ("gatelab", "plain", "torch.nn")
"""gatelab; the same equations in torch; torch.nn's nearest relatives. For tanh the last two are the same."""
Table = tuple[list[str], list[list[str]]]
LEARNING_RATE, SEED = 1e-3, 0
LIMIT = 1e-5
"""How far two losses may be apart, as a part of the loss."""


@dataclass
class Timed:
    """One unit trained in one way.

    Attributes
    ----------
    epochs
        Seconds of each epoch, its validation included.
    ends
        Seconds of each training's end: NLL of all splits.
    """

    unit: str
    way: str
    hidden: int
    epochs: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, trained: plain.Trained) -> None:
        """Add the times of one training."""
        self.epochs += [b - a for a, b in pairwise([0.0, *trained.epochs])]
        self.ends.append(trained.done - trained.epochs[-1])

    def whole(self, max_epochs: int) -> float:
        """Return the seconds of a training of so many epochs."""
        return max_epochs * statistics.median(self.epochs) + statistics.median(self.ends)


@dataclass(frozen=True)
class Protocol:
    """What is trained: the defaults are those of ``gatelab compare``."""

    dataset: str = "chorales"
    parameters: int = 20_000
    trials: int = 4
    repeats: int = 3
    training: Training = field(default_factory=lambda: Training(batch_size=4, max_epochs=20))

    def updates(self, data: MusicData) -> int:
        """Return the updates of an epoch."""
        return len(batches([len(s) for s in data.train], self.training.batch_size, seed=SEED, epoch=1))

    def seconds(self, timed: Sequence[Timed], way: str) -> float:
        """Return the seconds of everything on one core."""
        each = sum(t.whole(self.training.max_epochs) for t in timed if t.way == way)
        return (self.trials + self.repeats) * each


def measure(
    protocol: Protocol, epochs: int, rounds: int, told: Callable[[Timed], None] = lambda timed: None
) -> list[Timed]:
    """Train every unit in every way for ``epochs`` epochs, ``rounds`` times, and note the time.

    Raises
    ------
    EngineError
        Where two ways that should be the same have different losses.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the comparison trains: one trial a core
    try:
        return _measure(protocol, epochs, rounds, told)
    finally:
        torch.set_num_threads(threads)


def table(protocol: Protocol, timed: Sequence[Timed], number: Callable[[float], str]) -> Table:
    """Return the seconds of an epoch with its validation, and those of the whole protocol."""
    rows = []
    for unit in dict.fromkeys(t.unit for t in timed):
        ways = {t.way: statistics.median(t.epochs) for t in timed if t.unit == unit}
        hidden = next(t.hidden for t in timed if t.unit == unit)
        rows.append([unit, str(hidden), *_beside(ways, number)])
    whole = {way: protocol.seconds(timed, way) for way in WAYS}
    return ["seconds of an epoch", "H", *WAYS], [*rows, ["the whole, one core", "", *_beside(whole, number)]]


def _beside(seconds: dict[str, float], number: Callable[[float], str]) -> list[str]:
    """Return each way's seconds, with how many times gatelab's they are."""
    ours = seconds["gatelab"]
    return [number(s) + (f" ({s / ours:.2g}×)" if way != "gatelab" else "") for way, s in seconds.items()]


def write(path: Path, machine: Mapping[str, Any], protocol: Protocol, timed: Sequence[Timed]) -> None:
    """Write what was measured as JSON."""
    plan = asdict(protocol) | {"training": protocol.training.model_dump()}
    content = {"machine": machine, "protocol": plan, "rows": [asdict(t) for t in timed]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def remark(protocol: Protocol) -> str:
    """Return what a reader of the table has to know."""
    data, training = load_music(protocol.dataset), protocol.training
    return (
        f"An epoch is {protocol.updates(data)} updates of {training.batch_size} sequences, and the "
        "validation. "
        f"The whole is {protocol.trials} learning rates and {protocol.repeats} repeats of each unit, "
        f"{training.max_epochs} epochs each: nothing stops early. torch.nn: without peepholes, and with the "
        "reset gate after the product."
    )


def _measure(protocol: Protocol, epochs: int, rounds: int, told: Callable[[Timed], None]) -> list[Timed]:
    data = load_music(protocol.dataset)
    task = MusicTask(data)
    splits = {name: plain.Split(getattr(data, name)) for name in ("train", "valid", "test")}
    training = protocol.training.model_copy(update={"max_epochs": epochs})
    found: list[Timed] = []
    for unit in UNITS:
        hidden = hidden_size_for(unit, KEYS, protocol.parameters)
        check(task, splits["train"], unit, hidden, training.batch_size)
        ways = {way: Timed(unit, way, hidden) for way in WAYS}
        for round_ in range(-1, rounds):  # the first is a warm-up, of one epoch
            for way, timed in ways.items():
                asked = training if round_ >= 0 else training.model_copy(update={"max_epochs": 1})
                if way == "gatelab":
                    trained = _ours(task, unit, hidden, asked)
                else:
                    trained = _plain(splits, way, unit, hidden, asked)
                if round_ >= 0:
                    timed.add(trained)
        for timed in ways.values():
            told(timed)
        found += ways.values()
    return found


def check(task: MusicTask, split: plain.Split, unit: str, hidden: int, batch_size: int) -> float:
    """Return the loss that both ways have at the same weights.

    Raises
    ------
    EngineError
        Where they differ.
    """
    chosen = batches(split.lengths, batch_size, seed=SEED, epoch=1)[0]
    network = task.network(get(unit), hidden)
    model = _model("plain", unit, hidden)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # biases and peepholes start at 0
    _copy(network, model, unit)
    batch = task.batch("train", chosen)
    ours = float(task.loss(network.head, network(batch.inputs), batch).detach())
    padded = split.batch(chosen)
    theirs = float((plain.total_nll(model, padded) / padded.mask.sum()).detach())
    if abs(ours - theirs) > LIMIT * abs(theirs):
        raise EngineError(
            f"{unit}: wanted the same loss at the same weights, got {ours:.7g} and {theirs:.7g}"
        )
    return ours


def _model(way: str, unit: str, hidden: int) -> plain.Model:
    layers = plain.NATIVE if way == "torch.nn" else plain.LAYERS
    return plain.Model(layers[unit](KEYS, hidden), hidden, KEYS)


@torch.no_grad()
def _copy(network: Network, model: plain.Model, unit: str) -> None:
    """Give the plain model the network's weights."""
    weights = {k: v.numpy() for k, v in network.recurrent.weights(0, 0).items()}
    values = [torch.from_numpy(v) for v in packed(weights, unit)]
    parameters = list(model.layer.parameters())
    for parameter, value in zip(parameters, [*values, *parameters[len(values) :]], strict=True):
        parameter.copy_(value if value is not parameter else torch.zeros_like(value))  # nn.RNN's second bias
    model.head.load_state_dict(dict(zip(("weight", "bias"), network.head.parameters(), strict=True)))


def _ours(task: MusicTask, unit: str, hidden: int, training: Training) -> plain.Trained:
    """Train with gatelab, files and checkpoints included."""
    found = plain.Trained()
    trial = Trial(unit=unit, stage="search", number=0, learning_rate=LEARNING_RATE, seed=SEED)
    with tempfile.TemporaryDirectory(prefix="gatelab-bench-") as folder:
        began = time.perf_counter()

        def report(epoch: Epoch) -> None:
            found.epochs.append(time.perf_counter() - began)

        train(Path(folder), trial, task, get(unit), hidden, training, report=report)
        found.done = time.perf_counter() - began
    return found


def _plain(
    splits: dict[str, plain.Split], way: str, unit: str, hidden: int, training: Training
) -> plain.Trained:
    torch.manual_seed(SEED)
    assert training.max_norm is not None
    settings = plain.Settings(
        LEARNING_RATE, training.decay, training.weight_noise, training.max_norm, training.max_epochs
    )
    order = partial(_order, training.batch_size)
    return plain.train(_model(way, unit, hidden), splits, order, settings)


def _order(batch_size: int, lengths: Sequence[int], epoch: int) -> list[list[int]]:
    return batches(lengths, batch_size, SEED, epoch)
