"""Studies as tables of the terminal: where one stands, who works on it, and what was found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from gatelab.runs.progress import Progress, Row
    from gatelab.runs.store import Running
    from gatelab.runs.study import StudyPlan, StudyTrial
    from gatelab.runs.study_table import StudyRecord

NOTHING = "–"
WIDE = 80
"""Columns of a terminal from which on it is said what running trials drew."""


def duration(seconds: float | None) -> str:
    """Return a time as people say it.

    >>> duration(42), duration(3 * 60 + 7), duration(5000), duration(200_000)
    ('42 s', '3 min', '1 h 23 min', '2 d 7 h')
    """
    if seconds is None:
        return NOTHING
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def figures(value: float | None) -> str:
    """Return a measure with four figures.

    >>> figures(8.54321), figures(None)
    ('8.543', '–')
    """
    return NOTHING if value is None else f"{value:.4g}".replace("-", "−")


def headline(plan: StudyPlan) -> str:
    """Say what a study is."""
    tasks, cells = len(plan.tasks), len(plan.cells)
    drawn = ", ".join(plan.space) or "nothing but seeds"
    pruner = "" if plan.pruner == "none" else f", pruner {plan.pruner}"
    return (
        f"{plan.name}: {tasks} {_plural('task', tasks)} × {cells} {_plural('cell', cells)} × {plan.trials} "
        f"{_plural('trial', plan.trials)}; each draws {drawn}; seed {plan.seed}{pruner}"
    )


def speed(found: Progress, workers: str = "") -> str:
    """Say how far a study is, how fast it goes, and how long it will take."""
    share = f" ({found.ended / found.total:.1%})" if found.total else ""
    said = [f"{found.ended:,} of {found.total:,} trials ended{share}"]
    if found.ended < found.total:
        said += [f"{found.rate:,.0f} an hour"] if found.rate else []
        said += [f"{duration(found.left)} left"] if found.left is not None else []
    return ", ".join(said + ([workers] if workers else []))


def counts(plan: StudyPlan, rows: Sequence[Row], width: int) -> Table:
    """Return a table of how many trials of each task and cell ended, and how, and the best.

    What has no room in the width is left out.
    """
    tasks = [r.task if not k or rows[k - 1].task != r.task else "" for k, r in enumerate(rows)]
    bests = [r.best for r in rows]
    columns = [
        ("task", "left", tasks),
        ("cell", "left", [r.cell for r in rows]),
        ("ended", "right", [f"{r.ended}/{r.total}" for r in rows]),
        ("best", "right", [figures(b.valid if b else None) for b in bests]),
        ("diverged", "right", [_some(r.diverged) for r in rows]),
        ("failed", "right", [_some(r.failed) for r in rows]),
        ("running", "right", [_some(r.running) for r in rows]),
        ("pruned", "right", [_some(r.pruned) for r in rows]),
        ("validation", "left", [plan.task(r.task).record.objective.title for r in rows]),
        ("best with", "left", [drawn(b.settings) if b else "" for b in bests]),
    ]
    table, left = plain_table(), width - 2
    for number, (name, justify, values) in enumerate(columns):
        least = max(map(len, (name, *values)), default=0) + 2
        if (name == "pruned" and plan.pruner == "none") or (number > 2 and least > left):
            continue
        left -= least
        table.add_column(name, justify="left" if justify == "left" else "right", no_wrap=True)
    shown = {str(c.header) for c in table.columns}
    for cells in zip(*(values for name, _, values in columns if name in shown), strict=True):
        table.add_row(*map(Text, cells))
    return table


def workers(running: Sequence[Running], now: float | None = None) -> Table:
    """Return a table of who works on which trial, and since when."""
    table = plain_table("trial")
    for name in ("machine", "process", "for"):
        table.add_column(name, no_wrap=True)
    now = time.time() if now is None else now
    for one in running:
        machine, process = (*one.owner.rsplit(":", 2), "")[:2]
        since = duration(max(0.0, now - one.began)) + (", its process is gone" if one.lost else "")
        table.add_row(*map(Text, (one.key.name, machine, process, since)))
    return table


def best(record: StudyRecord, task: str, rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of each cell's best trial on a task: its measures and its settings."""
    about = record.plan.task(task).record
    names = list(record.plan.space)
    shown = about.objective if about.headline == about.objective.name else about.measure
    columns = ["cell", "ended", f"validation {about.objective.name}", f"test {shown.name}"]
    columns += [n.replace("_", " ") for n in names] + ([] if "hidden_size" in names else ["hidden size"])
    found = []
    for row in (r for r in rows if r.task == task):
        drawn = dict(row.best.settings) if row.best else {}
        values = [_setting(drawn.get(n)) for n in names]
        values += [] if "hidden_size" in names else [_setting(row.best.hidden_size if row.best else None)]
        measured = _measured(row.best, shown.name, about.objective.name)
        found.append([row.cell, f"{row.ended}/{row.total}", *measured, *values])
    return columns, found


def _measured(trial: StudyTrial | None, shown: str, objective: str) -> list[str]:
    if trial is None:
        return [NOTHING, NOTHING]
    test = trial.test if shown == objective else trial.value("test", shown)
    return [figures(trial.valid), figures(test)]


def troubles(record: StudyRecord, rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each cell that never came to a result, and for each error that trials met."""
    said = []
    for row in rows:
        if row.ended and row.diverged == row.ended:
            said.append(
                f"{row.cell} diverged in all {row.ended} trials on {row.task}: its learning rates are too "
                "high, or its gradients not clipped"
            )
    reasons: dict[str, list[str]] = {}
    for trial in record.trials:
        if trial.status == "failed":
            last = trial.reason.strip().splitlines()[-1] if trial.reason.strip() else "no reason given"
            reasons.setdefault(last[:200], []).append(trial.key.name)
    for reason, keys in reasons.items():
        said.append(f"{len(keys)} {_plural('trial', len(keys))} failed, such as {keys[0]}: {reason}")
    return said


def drawn(settings: Mapping[str, object]) -> str:
    """Return what a trial drew, briefly."""
    return " ".join(f"{_short(n)} {_setting(v)}" for n, v in settings.items())


def _short(name: str) -> str:
    return {"learning_rate": "rate", "hidden_size": "units"}.get(name, name.replace("_", " "))


def _setting(value: object) -> str:
    if value is None:
        return NOTHING
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _some(number: int) -> str:
    return str(number) if number else ""


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


def named(names: Sequence[str], what: str) -> str:
    """Return a few names, or how many there are.

    >>> named(["lstm", "gru"], "cells"), named(["a", "b", "c", "d"], "cells")
    ('lstm, gru', '4 cells')
    """
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} {what}"


def literal(text: str) -> Text:
    """Return a text that is shown as it is."""
    return Text(text)


def plain_table(*names: str) -> Table:
    """Return an empty table with these columns, on the left."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in names:
        table.add_column(name, no_wrap=True)
    return table
