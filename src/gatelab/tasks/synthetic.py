"""Made-up sequences with known answers: arithmetic, XML, memorisation, copying, adding, parity, brackets.

Source: Hochreiter and Schmidhuber 1997; Jozefowicz, Zaremba and Sutskever 2015; the generators say more.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.splits import SPLITS
from gatelab.data.synthetic import (
    Adding,
    Arithmetic,
    Brackets,
    Copying,
    Memorisation,
    Parity,
    Synthetic,
    Tags,
)
from gatelab.errors import ConfigError, near_misses
from gatelab.nn import Bernoulli, Categorical
from gatelab.runs.config import Measure, Training
from gatelab.tasks.batch import Batch, Layout, Table, averaged
from gatelab.tasks.blueprint import Blueprint, HeadName
from gatelab.tasks.options import Options
from gatelab.tasks.task import About, Task

GENERATORS: Mapping[str, type[Synthetic]] = MappingProxyType(
    {g.name: g for g in (Arithmetic, Tags, Memorisation, Copying, Adding, Parity, Brackets)}
)
"""The kinds of sequences by name."""
HEADS: Mapping[str, HeadName] = {"class": "categorical", "set": "bernoulli", "value": "value"}


class SyntheticTask(Task):
    """Sequences that a generator makes: as many as are asked for in training, fixed ones for the rest.

    Parameters
    ----------
    generator
        What is made.
    epoch
        Sequences that count as an epoch of training; no sequence comes twice.
    held_out
        Sequences for validation, and as many for test.
    """

    kind = "synthetic"
    onward = True
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=1.0, batch_size=20, max_epochs=30, patience=8
    )
    rates = (math.log(1e-3), math.log(1e-2))

    def __init__(self, generator: Synthetic, epoch: int = 4000, held_out: int = 500) -> None:
        self.generator, self.epoch, self.held_out = generator, epoch, held_out
        said = json.dumps({"name": generator.name, **asdict(generator)}, sort_keys=True)
        digest = hashlib.sha256(f"{said} {epoch} {held_out}".encode()).hexdigest()
        notes = ("training makes new sequences in every epoch; validation and test are fixed",)
        self.about = About(
            generator.name, generator.name.replace("_", " "), f"generated: {said}", digest, notes
        )
        first = generator.examples("valid", 0, 1)[0]
        outputs = 1 if generator.answer == "value" else len(generator.classes)
        self.blueprint = Blueprint(
            inputs=0 if generator.symbols else first.inputs.shape[1], symbols=len(generator.symbols),
            head=HEADS[generator.answer], outputs=outputs,
        )  # fmt: skip
        self.measures, self.headline = _measures(generator)
        self.worst = 10 * outputs * math.log(max(2, outputs))
        self._held = {s: self._made(s, 0, held_out) for s in SPLITS[1:]}

    @classmethod
    def load(cls, load: str, told: Options) -> SyntheticTask:
        """Return the task by a generator's name; the generator's parameters are options, and ``epoch``."""
        if load not in GENERATORS:
            hint = near_misses(load, GENERATORS) or ";"
            raise ConfigError(f"no generator is called {load!r}{hint} known are {', '.join(GENERATORS)}")
        chosen = GENERATORS[load]
        values = {f.name: _told(told, f.name, f.default) for f in fields(chosen)}
        return cls(chosen(**values), told.whole("epoch", 4000, least=1), told.whole("held_out", 500, least=1))

    def _made(self, split: str, first: int, count: int) -> _Made:
        return _Made(self.generator, split, first, count)

    def lengths(self, split: str) -> list[int]:
        """Return the steps of each sequence; those of training are of its first epoch's."""
        made = self._held[split] if split in self._held else self._made(split, 0, self.epoch)
        lengths: list[int] = made.inputs.lengths.tolist()
        return lengths

    def batches(self, split: str, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield batches of new sequences, which follow from seed and epoch: the same for all units."""
        for at in range(0, self.epoch, size):
            first = (seed % 1000 * 1000 + epoch) * self.epoch + at
            made = self._made("train", first, min(size, self.epoch - at))
            yield made.batch(range(len(made.inputs.lengths)))

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side."""
        made = self._held[split] if split in self._held else self._made(split, 0, self.epoch)
        return made.batch(chosen)

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each scored step: nats, or the squared error of a value."""
        target, kept = batch.targets
        asked = answers.index_select(0, kept)
        if self.generator.answer == "class":
            return Categorical.nll(asked, target)
        if self.generator.answer == "set":
            return Bernoulli.nll(asked, target.to(asked.dtype))
        return functional.mse_loss(asked, target, reduction="none").sum(-1)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return whether each scored step is right: the class, all of the set, or the value within 0.04."""
        target, kept = batch.targets
        asked = answers.index_select(0, kept)
        if self.generator.answer == "class":
            hits = asked.argmax(-1) == target
        elif self.generator.answer == "set":
            hits = ((asked > 0) == target).all(-1)
        else:
            hits = ((asked - target).abs() < 0.04).all(-1)
        return {"accuracy": averaged(hits)}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return what the generator knows in closed form, and the most frequent answer's share."""
        found: dict[str, dict[str, float]] = {}
        for said, value in self.generator.baselines().items():
            name = said.removesuffix(" NLL").removesuffix(" accuracy")
            measure = "accuracy" if said.endswith(" accuracy") else self.measures[0].name
            found.setdefault(name, {})[measure] = 100 * value if measure == "accuracy" else value
        if self.generator.answer in ("class", "set"):
            asked = torch.cat([self.batch("test", [k]).targets[0] for k in range(min(200, self.held_out))])
            _, counts = torch.unique(asked, dim=0, return_counts=True)
            found["most frequent"] = {"accuracy": 100 * float(counts.max()) / len(asked)}
        return found


class _Made:
    """Sequences that were made, as tables to cut batches from."""

    def __init__(self, generator: Synthetic, split: str, first: int, count: int) -> None:
        examples = generator.examples(split, first, count)
        self.inputs = Table([e.inputs for e in examples])
        self.targets = Table([e.targets for e in examples])
        self.masks = Table([e.mask for e in examples])

    def batch(self, chosen: Sequence[int]) -> Batch:
        layout = Layout.of(self.inputs.lengths, chosen)
        places = self.inputs.places(layout)
        kept = self.masks.rows.index_select(0, places).nonzero()[:, 0]
        inputs = PackedSequence(self.inputs.rows.index_select(0, places), layout.batch_sizes)
        targets = self.targets.rows.index_select(0, places).index_select(0, kept)
        return Batch(inputs, (targets, kept), layout.owner.index_select(0, kept))


def _told(told: Options, name: str, default: Any) -> Any:
    if isinstance(default, bool):
        return told.flag(name, default)
    return told.text(name, default) if isinstance(default, str) else told.whole(name, default)


def _measures(generator: Synthetic) -> tuple[tuple[Measure, ...], str]:
    accuracy = Measure(name="accuracy", unit="%", better="higher", formula="percent")
    if generator.answer == "value":
        return (Measure(name="squared error"), accuracy), "squared error"
    return (Measure(name="NLL", unit="nats per step"), accuracy), "accuracy"
