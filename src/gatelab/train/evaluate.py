"""The measure of a network on a split."""

from __future__ import annotations

import torch

from gatelab.tasks import MusicTask, Network
from gatelab.train.batches import in_order

SEQUENCES, STEPS = 256, 1 << 15
"""The most of a batch: all of a small split at once; of a large one, what takes some hundred megabytes."""


@torch.no_grad()
def evaluate(network: Network, task: MusicTask, split: str) -> float:
    """Return the NLL per step [nats], averaged over all steps of the split, without noise or dropout."""
    network.eval()
    total, steps = 0.0, 0
    for chosen in in_order(task.lengths(split), SEQUENCES, STEPS):
        batch = task.batch(split, chosen)
        total += float(task.nll(network, batch).double().sum())
        steps += batch.steps
    return total / steps
