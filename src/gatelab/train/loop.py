"""The training of one trial, top to bottom."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save

from gatelab.graph.cell import Cell
from gatelab.runs import Epoch, Outcome, Training, Trial, write_atomic, write_json
from gatelab.runs.folder import append_line
from gatelab.runs.tables import read_epochs
from gatelab.tasks import MusicTask, Network
from gatelab.train.batches import batches
from gatelab.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from gatelab.train.clock import UNTIMED, Clock
from gatelab.train.evaluate import evaluate
from gatelab.train.flat import Flat
from gatelab.train.optim import Optimizer, noisy, optimizer_for, rescale


def train(
    folder: Path,
    trial: Trial,
    task: MusicTask,
    cell: Cell,
    hidden_size: int,
    training: Training,
    report: Callable[[Epoch], None] = lambda epoch: None,
    clock: Clock = UNTIMED,
) -> Outcome:
    """Train one network, from its checkpoint where there is one, and write its outcome.

    1. Draw the initial weights from the trial's seed.
    2. Each epoch, for each batch: gradient of the mean NLL per step at noisy weights, rescaled, one
       update; then the validation NLL, a line of metrics and a checkpoint.
    3. Stop after ``max_epochs``, after ``patience`` epochs without a better validation NLL, or when a
       number is no longer finite or the NLL is worse than the task's ``worst``.
    4. With the weights of the best epoch, compute the NLL of train, valid and test.

    Parameters
    ----------
    folder
        The trial's folder; made where it is not there.
    report
        Called after each epoch.
    clock
        Told where each part of the training ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "trial.json", trial)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        network = task.network(cell, hidden_size)
        flat = Flat(network)
        weights = [flat.vector]
        optimizer = optimizer_for(flat.vector, training, trial.learning_rate)
        progress = _resume(folder, flat, optimizer)
        reason, failure = _reason_to_stop(progress, training), ""
        clock.lap("start-up")
        while not reason:
            began = time.perf_counter()
            network.train()
            total, steps = 0.0, 0
            for chosen in batches(task.lengths("train"), training.batch_size, trial.seed, progress.epoch + 1):
                batch = task.batch("train", chosen)
                clock.lap("data")
                flat.zero_grad()
                with noisy(weights, training.weight_noise, flat.draw):
                    clock.lap("update")
                    answers = network(batch.inputs)
                    clock.lap("forward")
                    loss = task.loss(answers, batch).mean()
                    clock.lap("loss")
                    loss.backward()  # type: ignore[no-untyped-call]
                    clock.lap("backward")
                norm = rescale(weights, training.max_norm)
                if not math.isfinite(norm):
                    failure = f"the gradient's norm became {norm} at update {progress.updates + 1}"
                    break
                optimizer.step()
                progress.updates += 1
                total, steps = total + loss.item() * batch.steps, steps + batch.steps
                clock.lap("update")
            progress.seconds += time.perf_counter() - began
            if failure:
                break
            progress.epoch += 1
            valid = evaluate(network, task, "valid")
            clock.lap("evaluation")
            failure = _divergence(total / steps, valid, task.worst)
            if failure:
                break
            _remember(progress, flat, valid)
            epoch = Epoch(
                epoch=progress.epoch, updates=progress.updates, seconds=round(progress.seconds, 3),
                train=total / steps, valid=valid,
            )  # fmt: skip
            append_line(folder / "metrics.jsonl", json.dumps(epoch.model_dump()))
            save_checkpoint(folder / "checkpoint.safetensors", flat, optimizer, progress)
            report(epoch)
            reason = _reason_to_stop(progress, training)
            clock.lap("files")
        return _finish(folder, network, flat, task, progress, reason, failure, clock)


def _resume(folder: Path, flat: Flat, optimizer: Optimizer) -> Progress:
    """Go on from the checkpoint; metrics that are newer than it are dropped, they will come again."""
    checkpoint = folder / "checkpoint.safetensors"
    progress = load_checkpoint(checkpoint, flat, optimizer) if checkpoint.exists() else Progress()
    metrics = folder / "metrics.jsonl"
    if metrics.exists():
        kept = [json.dumps(e.model_dump()) + "\n" for e in read_epochs(metrics) if e.epoch <= progress.epoch]
        write_atomic(metrics, "".join(kept))
    return progress


def _divergence(train: float, valid: float, worst: float) -> str:
    for name, value in (("training", train), ("validation", valid)):
        if not math.isfinite(value) or value > worst:
            return f"diverged: the {name} NLL became {value:.4g}, worse than {worst:.4g} nats per step"
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
        return f"no better validation NLL for {training.patience} epochs"
    return ""


def _finish(
    folder: Path,
    network: Network,
    flat: Flat,
    task: MusicTask,
    progress: Progress,
    reason: str,
    failure: str,
    clock: Clock,
) -> Outcome:
    nll: dict[str, float] = {}
    clock.lap("files")
    if progress.best is not None:
        flat.load(progress.best)
        nll = {split: evaluate(network, task, split) for split in ("train", "valid", "test")}
        clock.lap("evaluation")
        own = {k: v.clone() for k, v in network.state_dict().items()}  # safetensors wants no shared memory
        write_atomic(folder / "weights.safetensors", save(own))
    outcome = Outcome(
        status="diverged" if failure else "finished", reason=failure or reason, epochs=progress.epoch,
        updates=progress.updates, seconds=round(progress.seconds, 3),
        best_epoch=progress.best_epoch or None, **nll,
    )  # fmt: skip
    write_json(folder / "outcome.json", outcome)
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    clock.lap("files")
    return outcome
