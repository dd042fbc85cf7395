"""Music and sound that a trained network makes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.data.speech.waveform import INPUTS, TARGETS
from gatelab.errors import ConfigError, RunError, near_misses
from gatelab.models.folder import Model
from gatelab.models.kept import MusicKept, TuneKept, WaveformKept
from gatelab.nn import Bernoulli, GaussianMixture, Stream
from gatelab.nn.border import check_positive
from gatelab.search.space import check_seed
from gatelab.tasks.music import KEYS

LONGEST = 3600
"""The most seconds of sound."""
MOST_STEPS = 10_000
"""The most time steps of music: 45 minutes at 110 beats a minute."""


def compose(
    model: Model,
    steps: int,
    temperature: float = 1.0,
    seed: int = 0,
    label: str = "",
    prompt: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Return a piano roll ``[steps, 88]`` that a model of music writes, after the prompt if there is one.

    1. It begins as sequences did in training: from the zero state and silence, and with the label, where the
       model has labels; see :func:`label_of`. Then it reads the prompt.
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
        One of the model's labels, such as ``"3/4"``; none is the first one.
    prompt
        ``[T, 88]`` of 0 and 1: what was played before, in C as music of training is; see
        :func:`gatelab.models.heard.read_roll`.

    Returns
    -------
    numpy.ndarray
        ``[steps, 88]`` of 0 and 1, uint8, without the prompt.

    Raises
    ------
    ConfigError
        The model makes no music, has no such label, or a number is impossible.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise ConfigError(f"length: wanted 1 to {MOST_STEPS:,} steps, got {steps:,}")
    check_seed(seed)
    begun, told = label_of(model, label), torch.zeros(model.card.blueprint.inputs - KEYS)
    if isinstance(model.kept, TuneKept):
        told[model.kept.labels.index(begun)] = 1
    generator = torch.Generator().manual_seed(seed)
    stream = Stream(model.network.recurrent, model.network.head)
    given = np.zeros((0, KEYS), np.uint8) if prompt is None else prompt
    roll = np.zeros((len(given) + steps, KEYS), np.uint8)
    heard = torch.zeros(KEYS)
    for step in range(len(roll)):
        answers = torch.as_tensor(stream.step(torch.cat([heard, told])))
        known = step < len(given)
        heard = (
            torch.from_numpy(given[step]).float()
            if known
            else Bernoulli.sample(answers, generator, temperature)
        )
        roll[step] = heard.to(torch.uint8).numpy()
        told = torch.zeros_like(told)
    return roll[len(given) :]


def label_of(model: Model, label: str = "") -> str:
    """Return the label that music begins with: the one asked for, else the model's first, if it has any.

    Raises
    ------
    ConfigError
        The model makes no music, or has no such label.
    """
    if not isinstance(model.kept, MusicKept | TuneKept):
        raise ConfigError(f"a model of kind {model.kind} makes no music; wanted one of kind music or tune")
    labels = model.kept.labels if isinstance(model.kept, TuneKept) else ()
    if label and label not in labels:
        known = f"known are {', '.join(labels)}" if labels else "this model has none"
        raise ConfigError(f"label: there is no {label!r}{near_misses(label, labels) or ';'} {known}")
    return label or next(iter(labels), "")


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
    kept, head = model.kept, model.network.head
    if not isinstance(kept, WaveformKept):
        raise ConfigError(f"a model of kind {model.kind} makes no waveform; wanted one of kind waveform")
    if not 0 < seconds <= LONGEST:
        raise ConfigError(f"seconds: wanted more than 0 and at most {LONGEST:,}, got {seconds}")
    check_seed(seed)
    check_positive(temperature=temperature)
    assert isinstance(head, GaussianMixture)
    count = max(1, int(seconds * kept.rate))
    mean, deviation = kept.scale.mean, kept.scale.deviation
    generator = torch.Generator().manual_seed(seed)
    heard, written, state = torch.full((INPUTS,), -mean / deviation), [], None
    for _ in range(-(-count // TARGETS)):
        answers, state = model.network.carried(heard[None, None], state)
        new = head.sample(answers, generator, temperature)[0]
        heard = torch.cat([heard[TARGETS:], new])
        written.append(new)
    samples = torch.cat(written)[:count].double().numpy() * deviation + mean
    if not np.isfinite(samples).all():
        raise RunError("the model's samples did not stay finite; try a lower temperature")
    return np.clip(samples, -1, 1).astype(np.float32), kept.rate
