"""Music and sound that a trained network makes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.errors import ConfigError, near_misses
from gatelab.models.folder import Model
from gatelab.nn import Bernoulli, GaussianMixture, Stream
from gatelab.tasks.music import KEYS


def compose(
    model: Model, steps: int, temperature: float = 1.0, seed: int = 0, label: str = ""
) -> NDArray[np.uint8]:
    """Return a piano roll ``[steps, 88]`` that a model of music writes.

    1. It begins as sequences did in training: from the zero state and silence, and with the label, where the
       model has labels.
    2. At each step every key is drawn by its probability, and what was drawn is read next.

    Parameters
    ----------
    steps
        Time steps, as long as those of the music that the model was trained on: an eighth note as a rule.
    temperature
        Log-odds are divided by it: below 1, likelier keys are struck more often than they were learnt to be.
    seed
        Of the draws.
    label
        One of the model's labels, such as ``"3/4"``.

    Raises
    ------
    ConfigError
        The model makes no music, has no such label, or a number is impossible.
    """
    if model.kind not in ("music", "tune"):
        raise ConfigError(f"a model of kind {model.kind} makes no music; wanted one of kind music or tune")
    if steps < 1:
        raise ConfigError(f"length: wanted at least 1 step, got {steps}")
    told = _told(model, label)
    generator = torch.Generator().manual_seed(seed)
    stream = Stream(model.network.recurrent, model.network.head)
    roll = np.zeros((steps, KEYS), np.uint8)
    heard = torch.zeros(KEYS)
    for step in range(steps):
        answers = torch.as_tensor(stream.step(torch.cat([heard, told])))
        heard = Bernoulli.sample(answers, generator, temperature)
        roll[step] = heard.to(torch.uint8).numpy()
        told = torch.zeros_like(told)
    return roll


def _told(model: Model, label: str) -> torch.Tensor:
    labels = [str(name) for name in model.card.kept.get("labels", [])]
    told = torch.zeros(model.card.blueprint.inputs - KEYS)
    if label and label not in labels:
        known = f"known are {', '.join(labels)}" if labels else "this model has none"
        raise ConfigError(f"label: there is no {label!r}{near_misses(label, labels) or ';'} {known}")
    if labels:
        told[labels.index(label) if label else 0] = 1
    return told


@torch.no_grad()
def speak(
    model: Model, seconds: float, temperature: float = 1.0, seed: int = 0
) -> tuple[NDArray[np.float32], int]:
    """Return samples in [−1, 1] that a model of waveforms makes, and their rate in Hz.

    It reads 20 samples of silence first, then those that it wrote: 10 a step, drawn from its mixture.

    Raises
    ------
    ConfigError
        The model makes no sound, or is to make none.
    """
    if model.kind != "waveform":
        raise ConfigError(f"a model of kind {model.kind} makes no waveform; wanted one of kind waveform")
    if not seconds > 0:
        raise ConfigError(f"seconds: wanted more than 0, got {seconds}")
    kept, head = model.card.kept, model.network.head
    assert isinstance(head, GaussianMixture)
    rate = int(kept["rate"])
    mean, deviation = (float(np.asarray(kept["scale"][k])) for k in ("mean", "deviation"))
    generator = torch.Generator().manual_seed(seed)
    heard, written, state = torch.full((20,), -mean / deviation), [], None
    for _ in range(-(-int(seconds * rate) // 10)):
        answers, state = model.network.carried(heard[None, None], state)
        new = head.sample(answers, generator, temperature)[0]
        heard = torch.cat([heard[10:], new])
        written.append(new)
    samples = torch.cat(written)[: int(seconds * rate)].numpy() * deviation + mean
    return np.clip(samples, -1, 1).astype(np.float32), rate
