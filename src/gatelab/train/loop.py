"""The training of one trial, top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn

from gatelab.data.splits import SPLITS
from gatelab.engine.direct import writing
from gatelab.graph.cell import Cell
from gatelab.nn.stack import State
from gatelab.runs import Epoch, Outcome, Training, Trial
from gatelab.runs.config import ONE_LAYER, Body
from gatelab.tasks import Batch, Network, Task
from gatelab.tasks.ahead import ahead
from gatelab.train.checkpoint import Progress
from gatelab.train.clock import UNTIMED, Clock
from gatelab.train.evaluate import Scores, evaluate, score
from gatelab.train.flat import Flat
from gatelab.train.optim import noisy, optimizer_for, rescale
from gatelab.train.record import Folder, Nowhere, Record


def train(
    folder: Path | None,
    trial: Trial,
    task: Task,
    cell: Cell,
    hidden_size: int,
    training: Training,
    body: Body = ONE_LAYER,
    report: Callable[[Epoch], None] = lambda epoch: None,
    clock: Clock = UNTIMED,
) -> Outcome:
    """Train one network, from its checkpoint where there is one, and write and return its outcome.

    1. Draw the initial weights from the trial's seed.
    2. Each epoch, for each batch: gradient of the task's loss at noisy weights and inputs, rescaled, one
       update; then the objective on validation, a line of metrics and a checkpoint.
    3. Stop after ``max_epochs``, after ``patience`` epochs without a better validation, or when a number is
       no longer finite or the objective is worse than the task's ``worst``.
    4. With the weights of the best epoch, compute all measures on train, valid and test.

    Parameters
    ----------
    folder
        The trial's folder; made where it is not there. None: nothing is written.
    report
        Called after each epoch; what it raises ends the training.
    clock
        Told where each part of the training ends.
    """
    record: Record = Nowhere() if folder is None else Folder(folder, trial)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        network = task.network(cell, hidden_size, body)
        network.input_noise = training.input_noise
        _initialise(network, training.init_deviation)
        flat = Flat(network)
        weights = [flat.vector]
        optimizer = optimizer_for(flat.vector, training, trial.learning_rate)
        progress = record.begin(flat, optimizer)
        reason, failure = _reason_to_stop(progress, training), ""
        clock.lap("start-up")
        while not reason:
            began = time.perf_counter()
            network.train()
            optimizer.learning_rate = annealed(trial.learning_rate, training, progress.epoch)
            total, terms, state = 0.0, 0, None
            for batch in _batches(task, training.batch_size, trial.seed, progress.epoch + 1):
                clock.lap("data")
                flat.zero_grad()
                with noisy(weights, training.weight_noise, flat.draw), writing(flat.sink):
                    clock.lap("update")
                    answers, state = network.carried(batch.inputs, None if batch.fresh else cut(state))
                    clock.lap("forward")
                    loss = task.loss(network.head, answers, batch)
                    clock.lap("loss")
                    terms_each = torch.tensor(task.per_sequence(batch)) if training.loss == "sum" else None
                    loss.backward(terms_each)  # type: ignore[no-untyped-call]
                    clock.lap("backward")
                norm = rescale(weights, training.max_norm)
                if not math.isfinite(norm):
                    failure = f"the gradient's norm became {norm} at update {progress.updates + 1}"
                    break
                optimizer.step()
                progress.updates += 1
                total, terms = total + loss.item() * batch.terms, terms + batch.terms
                clock.lap("update")
            progress.seconds += time.perf_counter() - began
            if failure:
                break
            progress.epoch += 1
            valid = evaluate(network, task, "valid")
            clock.lap("evaluation")
            failure = _divergence(total / terms, valid, task)
            if failure:
                break
            _remember(progress, flat, valid)
            epoch = Epoch(
                epoch=progress.epoch, updates=progress.updates, seconds=round(progress.seconds, 3),
                train=total / terms, valid=valid,
            )  # fmt: skip
            record.epoch(epoch, flat, optimizer, progress)
            report(epoch)
            reason = _reason_to_stop(progress, training)
            clock.lap("files")
        return _finish(record, network, flat, task, progress, reason, failure, clock)


def _batches(task: Task, size: int, seed: int, epoch: int) -> Iterator[Batch]:
    batches = task.batches("train", size, seed, epoch)
    return ahead(batches) if task.streams else batches


def _initialise(network: nn.Module, deviation: float | None) -> None:
    """Draw all weights from N(0, deviation²); None: they stay as their layers drew them."""
    if deviation is not None:
        for weight in network.parameters():
            nn.init.normal_(weight, 0.0, deviation)


def annealed(learning_rate: float, training: Training, epochs: int) -> float:
    """Return the learning rate of the epoch that follows ``epochs`` epochs."""
    if training.normalized_momentum:
        learning_rate *= 1 - training.momentum
    return learning_rate * training.annealing ** max(0, epochs + 1 - training.anneal_after)


def cut(state: State | None) -> State | None:
    """Return states whose past takes no gradient: back-propagation through time is truncated here."""
    if state is None:
        return None
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def _divergence(train: float, valid: float, task: Task) -> str:
    measure = task.measures[0]
    for name, value in (("training", train), ("validation", valid)):
        if not math.isfinite(value) or value > task.worst:
            return (
                f"diverged: the {name} {measure.name} became {value:.4g}, "
                f"worse than {task.worst:.4g} {measure.unit}"
            )
    return ""


def _remember(progress: Progress, flat: Flat, valid: float) -> None:
    if valid < progress.best_valid:
        progress.best_valid, progress.best_epoch, progress.stale = valid, progress.epoch, 0
        progress.best = flat.vector.detach().clone()
    else:
        progress.stale += 1


def _reason_to_stop(progress: Progress, training: Training) -> str:
    if progress.epoch >= training.max_epochs:
        return f"{training.max_epochs} epochs"
    if progress.stale >= training.patience:
        return f"no better validation for {training.patience} epochs"
    return ""


def _finish(
    record: Record,
    network: Network,
    flat: Flat,
    task: Task,
    progress: Progress,
    reason: str,
    failure: str,
    clock: Clock,
) -> Outcome:
    scores: dict[str, Scores] = {}
    microseconds = None
    clock.lap("files")
    if progress.best is not None:
        flat.load(progress.best)
        scores = {split: score(network, task, split) for split in SPLITS[:2]}
        began = time.perf_counter()
        scores["test"] = score(network, task, "test")
        microseconds = 1e6 * (time.perf_counter() - began) / max(1, task.steps("test"))
        clock.lap("evaluation")
        record.best(network, scores["test"])
    outcome = Outcome(
        status="diverged" if failure else "finished", reason=failure or reason, epochs=progress.epoch,
        updates=progress.updates, seconds=round(progress.seconds, 3),
        best_epoch=progress.best_epoch or None,
        **{split: found.objective for split, found in scores.items()},
        measures={split: found.others() for split, found in scores.items()},
        microseconds=None if microseconds is None else float(f"{microseconds:.3g}"),
    )  # fmt: skip
    record.end(outcome)
    clock.lap("files")
    return outcome
