"""Trials an hour: those of a study as gatelab trains them, beside the same ones written with torch alone.

1. From the same weights, both make some updates on the same sequences and have the same losses; else nothing
   is timed.
2. In rounds, each way in turn trains every trial for some epochs: same sequences in the same order, same
   size, learning rate, momentum and noise, validation after each epoch, one thread, nothing stopped early.
   Time is the processor's, so that other work on the machine matters less.
3. An epoch's median time and that of the end give the time of a trial of the study's most epochs.
"""

from __future__ import annotations

import json
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.bench import plain
from gatelab.bench.peers.packing import packed
from gatelab.bench.peers.scripted import LOOPS
from gatelab.cells import get
from gatelab.errors import ConfigError, EngineError
from gatelab.runs import Epoch, Trial
from gatelab.runs.study import Key, Settings, StudyPlan
from gatelab.runs.study_table import plan_to_share
from gatelab.tasks import MusicTask, Network, open_task
from gatelab.tasks.music import KEYS
from gatelab.tasks.order import batches
from gatelab.train import train
from gatelab.train.flat import Flat
from gatelab.train.loop import annealed
from gatelab.train.optim import optimizer_for

EQUATIONS = {"lstm": "lstm", "np": "lstm-np", "gru": "gru"}
"""Cells that are written by hand here, and what their loops are called."""
NATIVE: Mapping[str, Callable[[int, int], nn.Module]] = {"np": nn.LSTM, "gru": nn.GRU}
"""What torch.nn has of them: its GRU has the reset gate after the product."""
WAYS = ("gatelab", "loop", "script", "torch.nn")
"""gatelab; a loop over steps in Python; the same loop in TorchScript; torch.nn."""
UPDATES, LIMIT = 4, 1e-4
"""How many losses are compared, and how far two may be apart, as a part of the loss."""
Table = tuple[list[str], list[list[str]]]


class ScriptedLoop(plain.Loop):
    """A cell in a hand-written loop that TorchScript compiles as a whole."""

    def __init__(self, cell: str, inputs: int, hidden: int) -> None:
        super().__init__(cell, inputs, hidden)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch calls it deprecated, but has it
            self.loop: Callable[..., Tensor] = torch.jit.script(LOOPS[cell])

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Return the outputs [T, B, H]."""
        return self.loop(x, *self.packed), None


@dataclass
class Timed:
    """One trial trained in one way; processor seconds of each epoch with its validation, and of each end."""

    cell: str
    number: int
    hidden: int
    way: str
    epochs: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, trained: plain.Trained) -> None:
        """Add the times of one training."""
        self.epochs += [b - a for a, b in pairwise([0.0, *trained.epochs])]
        self.ends.append(trained.done - trained.epochs[-1])

    def whole(self, epochs: int) -> float:
        """Return the seconds of a training of so many epochs."""
        return epochs * statistics.median(self.epochs) + statistics.median(self.ends)


def measure(
    plan: StudyPlan, epochs: int = 1, rounds: int = 2, told: Callable[[Timed], None] = lambda timed: None
) -> list[Timed]:
    """Train all trials of a study of music in every way for ``epochs`` epochs, ``rounds`` times.

    Raises
    ------
    ConfigError
        The study has another task, a cell that is not written by hand here, or another training than that of
        one sequence after the other.
    EngineError
        Two ways that should be the same have different losses.
    """
    keys = list(plan.keys())
    for key in keys:
        _check_known(plan, key)
    task = open_task(plan.tasks[0].record.load, "music")
    assert isinstance(task, MusicTask)
    splits = {name: plain.Split(getattr(task.data, name)) for name in ("train", "valid", "test")}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a study trains: one trial a core
    try:
        found = []
        for key in keys:
            found += _timed(task, splits, plan, key, epochs, rounds)
            for timed in found[-len(_ways(key.cell)) :]:
                told(timed)
        return found
    finally:
        torch.set_num_threads(threads)


def _check_known(plan: StudyPlan, key: Key) -> None:
    training, kind = plan.of(key).training, plan.task(key.task).record.kind
    if kind != "music" or len(plan.tasks) > 1 or key.cell not in EQUATIONS:
        raise ConfigError(
            f"trials beside torch: wanted one task of music and cells of {', '.join(EQUATIONS)}; "
            f"got {', '.join(t.record.kind for t in plan.tasks)} and {key.cell}"
        )
    odd = training.weight_noise or training.max_norm or training.annealing != 1
    if training.optimizer != "sgd" or training.batch_size != 1 or training.loss != "sum" or odd:
        raise ConfigError(
            "trials beside torch: wanted sgd on the sum of one sequence's loss, without clipping"
        )


def _ways(cell: str) -> Sequence[str]:
    return [w for w in WAYS if w != "torch.nn" or cell in NATIVE]


def _timed(
    task: MusicTask, splits: Mapping[str, plain.Split], plan: StudyPlan, key: Key, epochs: int, rounds: int
) -> list[Timed]:
    settings = plan.of(key)
    hidden = settings.hidden_size
    assert hidden is not None
    ways = {way: Timed(key.cell, key.number, hidden, way) for way in _ways(key.cell)}
    for way in ways:
        check(task, splits["train"], key.cell, settings, way)
    for round_ in range(-1, rounds):  # the first is a warm-up, of one epoch
        for way, timed in ways.items():
            count = epochs if round_ >= 0 else 1
            if way == "gatelab":
                trained = _ours(task, key, settings, count)
            else:
                model = _model(way, key.cell, hidden, settings.training.init_deviation)
                trained = _theirs(model, splits, settings, count)
            if round_ >= 0:
                timed.add(trained)
    return list(ways.values())


def _model(way: str, cell: str, hidden: int, deviation: float | None) -> plain.Model:
    if way == "torch.nn":
        layer = NATIVE[cell](KEYS, hidden)
    else:
        layer = (ScriptedLoop if way == "script" else plain.Loop)(EQUATIONS[cell], KEYS, hidden)
    model = plain.Model(layer, hidden, KEYS)
    for weight in model.parameters() if deviation else ():
        nn.init.normal_(weight, 0.0, deviation or 0.0)
    return model


def check(task: MusicTask, split: plain.Split, cell: str, settings: Settings, way: str) -> list[float]:
    """Return the losses [nats] that gatelab and another way have on the same sequences while both learn.

    torch.nn has two biases, which learn twice as fast as one: only the first loss is compared; and its GRU
    is another unit, of which none is.

    Raises
    ------
    EngineError
        Where they differ.
    """
    if way == "gatelab" or (way == "torch.nn" and cell == "gru"):
        return []
    assert settings.hidden_size is not None
    training = settings.training.model_copy(update={"input_noise": 0.0})
    network = task.network(get(cell), settings.hidden_size)
    for weight in network.parameters():
        nn.init.normal_(weight, 0.0, 0.1)
    flat = Flat(network)
    model = _model(way, cell, settings.hidden_size, None)
    _copy(network, model, EQUATIONS[cell])
    rate = min(settings.learning_rate, 1e-3)  # so that rounding is not blown up
    ours = optimizer_for(flat.vector, training, annealed(rate, training, 0))
    theirs = _optimizer(model, rate, training.momentum)
    losses: list[float] = []
    order = batches(split.lengths, 1, settings.seed, epoch=1)
    for chosen in order[: UPDATES if way != "torch.nn" else 1]:
        batch = task.batch("train", chosen)
        flat.zero_grad()
        loss = task.loss(network.head, network(batch.inputs), batch) * task.per_sequence(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        ours.step()
        other = _update(model, theirs, split, chosen[0], 0.0)
        if abs(loss.item() - other) > LIMIT * abs(other):
            raise EngineError(
                f"{cell}, {way}: wanted the same loss after {len(losses)} updates, got {loss.item():.7g} and "
                f"{other:.7g}"
            )
        losses.append(other)
    return losses


@torch.no_grad()
def _copy(network: Network, model: plain.Model, equations: str) -> None:
    """Give a model the network's weights; a second bias is 0."""
    weights = {k: v.numpy() for k, v in network.recurrent.weights(0, 0).items()}
    values = [torch.from_numpy(v) for v in packed(weights, equations)]
    parameters = list(model.layer.parameters())
    for parameter in parameters[len(values) :]:
        parameter.zero_()
    for parameter, value in zip(parameters, values, strict=False):
        parameter.copy_(value)
    model.head.load_state_dict(dict(zip(("weight", "bias"), network.head.parameters(), strict=True)))


def _optimizer(model: nn.Module, rate: float, momentum: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        model.parameters(), rate * (1 - momentum), momentum=momentum, nesterov=momentum > 0, fused=True
    )


def _update(
    model: plain.Model, optimizer: torch.optim.Optimizer, split: plain.Split, place: int, noise: float
) -> float:
    """Make an update by the sum of one sequence's loss, and return that [nats]."""
    inputs, targets = split.inputs[place], split.targets[place]
    if noise:
        inputs = inputs + noise * torch.randn_like(inputs)
    logits = model(inputs[:, None])[:, 0]
    loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.item()


def _ours(task: MusicTask, key: Key, settings: Settings, epochs: int) -> plain.Trained:
    found = plain.Trained()
    training = settings.training.model_copy(update={"max_epochs": epochs, "patience": epochs})
    trial = Trial(
        unit=key.cell, stage="search", number=0, learning_rate=settings.learning_rate, seed=settings.seed
    )
    assert settings.hidden_size is not None
    began = time.process_time()

    def report(epoch: Epoch) -> None:
        found.epochs.append(time.process_time() - began)

    train(None, trial, task, get(key.cell), settings.hidden_size, training, report=report)
    found.done = time.process_time() - began
    if len(found.epochs) < epochs:
        raise EngineError(f"{key.name}: diverged within {epochs} epochs; try another seed or fewer epochs")
    return found


def _theirs(
    model: plain.Model, splits: Mapping[str, plain.Split], settings: Settings, epochs: int
) -> plain.Trained:
    began, found, training = time.process_time(), plain.Trained(), settings.training
    optimizer = _optimizer(model, settings.learning_rate, training.momentum)
    best, weights = float("inf"), [w.detach().clone() for w in model.parameters()]
    for epoch in range(1, epochs + 1):
        model.train()
        for (place,) in batches(splits["train"].lengths, 1, settings.seed, epoch):
            _update(model, optimizer, splits["train"], place, training.input_noise)
        valid = plain.evaluate(model, splits["valid"])
        if valid < best:
            best, weights = valid, [w.detach().clone() for w in model.parameters()]
        found.epochs.append(time.process_time() - began)
    with torch.no_grad():
        for weight, value in zip(model.parameters(), weights, strict=True):
            weight.copy_(value)
    for split in splits.values():
        plain.evaluate(model, split)
    found.done = time.process_time() - began
    return found


def an_hour(timed: Sequence[Timed], cell: str, way: str, epochs: int) -> float | None:
    """Return the trials of so many epochs that one core trains in an hour; None where that was not timed."""
    seconds = [t.whole(epochs) for t in timed if (t.cell, t.way) == (cell, way)]
    return 3600 / statistics.mean(seconds) if seconds else None


def table(plan: StudyPlan, timed: Sequence[Timed], number: Callable[[float], str]) -> Table:
    """Return trials an hour of each cell in each way, and how many times as many gatelab's are."""
    epochs = plan.tasks[0].training.max_epochs
    rows = []
    for cell in dict.fromkeys(t.cell for t in timed):
        found = {way: an_hour(timed, cell, way, epochs) for way in WAYS}
        ours = found["gatelab"]
        assert ours is not None
        rows.append([cell, number(ours), *(_beside(ours, found[w], number) for w in WAYS[1:])])
    return ["trials an hour, one core", *WAYS], rows


def _beside(ours: float, theirs: float | None, number: Callable[[float], str]) -> str:
    return "–" if theirs is None else f"{number(theirs)} ({ours / theirs:.2g}×)"


def remark(plan: StudyPlan, timed: Sequence[Timed]) -> str:
    """Return what a reader of the table has to know."""
    sizes = sorted({t.hidden for t in timed})
    return (
        f"Trials of {plan.tasks[0].training.max_epochs} epochs on {plan.tasks[0].record.title}, nothing "
        f"stopped early; {', '.join(map(str, sizes))} hidden units, as drawn. In brackets, how many times as "
        "many gatelab trains. torch.nn has no peepholes; its GRU has the reset gate after the product."
    )


def write(path: Path, machine: Mapping[str, Any], plan: StudyPlan, timed: Sequence[Timed]) -> None:
    """Write what was measured as JSON."""
    content = {"machine": machine, "plan": plan_to_share(plan), "rows": [asdict(t) for t in timed]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
