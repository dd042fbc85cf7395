"""One trial of a study, from its key to its outcome."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Literal

from gatelab.errors import GatelabError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data
from gatelab.runs import Epoch, Outcome, Trial
from gatelab.runs.process import owner
from gatelab.runs.study import Key, Settings, StudyPlan, StudyTrial
from gatelab.tasks import Task
from gatelab.train import train

LONGEST_REASON = 2000
"""Characters of an error's trace that an outcome keeps, the last ones."""


class Pruned(Exception):  # noqa: N818
    """A trial promises too little to go on."""


def run_trial(
    plan: StudyPlan,
    tasks: Mapping[str, Task],
    key: Key,
    attempt: int = 1,
    tell: Callable[[Epoch], None] = lambda epoch: None,
) -> StudyTrial:
    """Train one network and return what came of it; an error is an outcome, too.

    Parameters
    ----------
    plan, key
        The study, and which of its trials.
    tasks
        The study's tasks by their names, with data.
    tell
        Called after each epoch; where it raises :class:`Pruned`, the trial ends there.
    """
    began, busy = time.time(), time.process_time()
    curve: list[Epoch] = []

    def told(epoch: Epoch) -> None:
        curve.append(epoch)
        tell(epoch)

    size = parameters = None
    outcome: Outcome | None = None
    status: Literal["finished", "diverged", "pruned", "failed"]
    try:
        settings, task = plan.of(key), tasks[key.task]
        cell = from_data(plan.cell(key.cell).cell)
        size = _size(settings, task, cell)
        parameters = task.counted(cell, size, settings.body)[0]
        trial = Trial(
            unit=key.cell, stage="search", number=key.number, learning_rate=settings.learning_rate,
            seed=settings.seed,
        )  # fmt: skip
        outcome = train(None, trial, task, cell, size, settings.training, settings.body, told)
        status, reason = outcome.status, outcome.reason
    except Pruned as why:
        status, reason = "pruned", str(why)
    except GatelabError as error:
        status, reason = "failed", f"{type(error).__name__}: {error}"
    except Exception:
        status, reason = "failed", traceback.format_exc()[-LONGEST_REASON:]
    return StudyTrial(
        task=key.task, cell=key.cell, number=key.number, status=status, reason=reason,
        settings=plan.drawn(key), hidden_size=size, parameters=parameters,
        curve=tuple((e.train, e.valid) for e in curve), worker=owner(), began=began, ended=time.time(),
        cpu_seconds=round(time.process_time() - busy, 3), attempts=attempt, **_found(outcome, curve),
    )  # fmt: skip


def _size(settings: Settings, task: Task, cell: Cell) -> int:
    if settings.hidden_size is not None:
        blocks = max(1, round(settings.hidden_size / cell.block))
        return blocks * cell.block
    assert settings.parameters is not None
    return task.size_for(cell, settings.parameters, "recurrent", settings.body)


def _found(outcome: Outcome | None, curve: list[Epoch]) -> dict[str, Any]:
    """Return the numbers of an outcome; of a pruned trial, those of its epochs."""
    if outcome is not None:
        return outcome.model_dump(
            include=set(Outcome.model_fields) & set(StudyTrial.model_fields) - {"status", "reason"}
        )
    if not curve:
        return {}
    best = min(curve, key=lambda e: e.valid)
    last = curve[-1]
    return {
        "epochs": last.epoch, "updates": last.updates, "seconds": last.seconds, "valid": best.valid,
        "best_epoch": best.epoch,
    }  # fmt: skip
