"""The measures of a model on a split of the data that it was trained on, or of other data of the kind."""

from __future__ import annotations

from gatelab.errors import DataError
from gatelab.models.folder import Model
from gatelab.tasks import open_task, reopen
from gatelab.train.evaluate import score

SYMBOLS = ("names", "vocabulary", "labels", "source", "target")
"""What a task may keep that gives numbers their meaning."""


def measured(model: Model, data: str | None = None, split: str = "test") -> dict[str, float | None]:
    """Return the measures by name.

    Parameters
    ----------
    data
        A name or path of other data, which has to have the same inputs, and vocabulary or classes; None: that
        of the training.
    split
        ``"train"``, ``"valid"`` or ``"test"``.

    Raises
    ------
    DataError
        The data is another one than in training, or does not fit the model.
    """
    card = model.card
    task = reopen(card.task) if data is None else open_task(data, card.task.kind, card.task.options)
    if task.blueprint != card.blueprint:
        came = f"came {task.blueprint}, wanted {card.blueprint}"
        raise DataError(f"{data}: does not fit the model: {came}; try the data that it was trained on")
    kept = task.kept()
    odd = next((k for k in SYMBOLS if kept.get(k) != card.kept.get(k)), None)
    if odd is not None:
        raise DataError(f"{data}: has other {odd} than the model; try the data that it was trained on")
    return score(model.network, task, split).values()
