"""The measures of a model on a split of the data that it was trained on, or of other data of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from gatelab.data.scale import Scale
from gatelab.data.splits import SPLITS
from gatelab.errors import DataError
from gatelab.models.folder import Model
from gatelab.models.kept import ForecastKept, LabelKept, LanguageKept, PenScales, Scales, WaveformKept
from gatelab.tasks import Task, open_task, reopen
from gatelab.tasks.language import LanguageTask
from gatelab.tasks.ragged import RaggedTask
from gatelab.tasks.waveform import WaveformTask
from gatelab.train.evaluate import score

MEANING = ("names", "vocabulary", "labels", "source", "target", "inputs", "targets", "known", "rate")
"""What a task may keep that gives numbers their meaning."""


def measured(model: Model, data: str | None = None, split: str = "test") -> dict[str, float | None]:
    """Return the measures by name.

    Other data is read as the model's own was: on the scale of its training, a text by its vocabulary, and in
    windows of its lengths.

    Parameters
    ----------
    data
        A name or path of other data, which has to have the same inputs, and classes or words; None: that of
        the training.
    split
        ``"train"``, ``"valid"`` or ``"test"``.

    Raises
    ------
    DataError
        The data is another one than in training, or does not fit the model.
    """
    task = reopen(model.card.task) if data is None else _other(model, data)
    place = data or model.card.task.load
    kept, own = task.kept(), model.card.kept
    keys = MEANING if data is not None else sorted(kept.keys() | own.keys())
    odd = next((k for k in keys if kept.get(k) != own.get(k)), None)
    if odd is not None:
        came, wanted = (repr(found.get(odd))[:60] for found in (kept, own))
        raise DataError(
            f"{place}: has other {odd} than the model: came {came}, wanted {wanted}; try the data that it "
            "was trained on"
        )
    fields = type(model.card.blueprint).model_fields
    odd = next((k for k in fields if getattr(task.blueprint, k) != getattr(model.card.blueprint, k)), None)
    if odd is not None:
        came, wanted = (getattr(b, odd) for b in (task.blueprint, model.card.blueprint))
        raise DataError(
            f"{place}: does not fit the model: {odd}: came {came}, wanted {wanted}; try the data that it was "
            "trained on"
        )
    return score(model.network, task, split).values()


def _other(model: Model, data: str) -> Task:
    """Return the model's task on other data."""
    kept, options = model.kept, dict(model.card.task.options)
    if isinstance(kept, ForecastKept):
        options |= {"horizon": kept.horizon, "context": kept.context, "season": kept.season}
        options["target"] = ",".join(kept.targets)
    if isinstance(kept, LanguageKept):
        return _spelt(kept, data, options)
    task = open_task(data, model.card.task.kind, options)
    if isinstance(task, WaveformTask) and isinstance(kept, WaveformKept):
        return _heard(task, Scale(np.asarray(kept.scale.mean), np.asarray(kept.scale.deviation)))
    if isinstance(task, RaggedTask) and isinstance(kept, LabelKept):
        _rescale(task, kept)
    return task


def _spelt(kept: LanguageKept, data: str, options: Mapping[str, Any]) -> LanguageTask:
    """Return a text by the symbols of the model, of whatever symbols the text itself is made."""
    task = open_task(data, "language", {"level": "bytes"})
    assert isinstance(task, LanguageTask)
    symbols, corpus = kept.symbols, task.corpus
    parts = [corpus.vocabulary.decode(getattr(corpus, split)) for split in SPLITS]
    if symbols.kind != "bytes":
        encoding = str(options.get("encoding", "utf-8"))
        parts = [_decoded(part, encoding, data) for part in parts]
    ids: list[Any] = [symbols.encode(part) for part in parts]
    train, valid, test = map(len, ids)
    whole: Any = np.concatenate(ids)
    again = replace(corpus, vocabulary=symbols, ids=whole, sizes=(train, valid, test))
    return LanguageTask(again, int(options.get("unroll", 100)), options.get("embedding"))


def _decoded(part: str | bytes, encoding: str, data: str) -> str:
    assert isinstance(part, bytes)
    try:
        return part.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise DataError(f"{data}: is no text in {encoding} ({error}); try to convert it") from None


def _heard(task: WaveformTask, scale: Scale) -> WaveformTask:
    """Return recordings on the scale of the model."""
    parts: dict[str, Any] = {s: replace(getattr(task.data, s), scale=scale) for s in SPLITS}
    return WaveformTask(replace(task.data, scale=scale, **parts))


def _rescale(task: RaggedTask, kept: LabelKept) -> None:
    """Put inputs from the scale of their own training part on that of the model."""
    own = type(kept).model_validate(task.kept())
    before, after = _line(own), _line(kept)
    if before is None or after is None or len(before[0]) != len(after[0]):
        return
    for table in task.tables.values():
        rows = table.rows.double() * torch.from_numpy(before[1]) + torch.from_numpy(before[0])
        rows = (rows - torch.from_numpy(after[0])) / torch.from_numpy(after[1])
        table.rows = rows.to(table.rows.dtype)


def _line(kept: LabelKept) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what is subtracted from each number of a step, and what it is divided by."""
    if isinstance(kept.scale, Scales):
        return np.asarray(kept.scale.mean), np.asarray(kept.scale.deviation)
    if isinstance(kept.scale, PenScales):
        return np.zeros(4), np.array([kept.scale.movement, kept.scale.movement, kept.scale.time, 1.0])
    return None
