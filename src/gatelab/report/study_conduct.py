"""What a study was asked, and how it was carried out: protocol, machines, time, what is still to come."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from gatelab.report.numbers import NOTHING, Table, count, duration
from gatelab.runs.study import StudyTask, StudyTrial
from gatelab.runs.study_table import StudyRecord

REASONS_SHOWN = 12


def plan_rows(record: StudyRecord) -> Table:
    """Return what the study was asked to do, one thing a row."""
    plan = record.plan
    rows = [
        ["study", plan.name],
        ["tasks", ", ".join(t.name for t in plan.tasks)],
        ["cells", ", ".join(c.name for c in plan.cells)],
        ["trials", f"{plan.trials:,} of each cell on each task, {len(plan):,} in all"],
        [
            "settings drawn",
            "at random; the k-th trial of every cell on a task has the same settings and seed",
        ],
        ["set for all trials", _said(plan.settings)],
        [
            "stopped early",
            {"none": "no trial", "median": "trials worse than the median of those before"}[plan.pruner],
        ],
        ["seed", str(plan.seed)],
        ["digest of space, settings, seed", plan.digest],
    ]
    if plan.paper is not None:
        rows.append(["paper", f"{plan.paper.citation}, {plan.paper.table}"])
    return Table(("asked", "value"), rows)


def protocol_rows(task: StudyTask) -> Table:
    """Return a task's data and how its networks are trained where the space says nothing else."""
    record = task.record
    rows = [
        ["task", f"{record.title} ({record.kind})"],
        ["data", record.source],
        ["digest of the data", record.digest],
        ["sequences: train, valid, test", " / ".join(count(n) for n in record.sequences)],
        ["steps: train, valid, test", " / ".join(count(n) for n in record.steps)],
        ["inputs, outputs", f"{count(record.input_size)}, {count(record.output_size)}"],
        ["trained on", record.objective.title],
        ["compared by", f"{record.measure.title}, {record.measure.better} is better"],
        ["options", _said(record.options)],
        ["training", _said(task.training.model_dump())],
        ["network", _said(task.body.model_dump())],
    ]
    rows += [["note", note] for note in record.notes]
    return Table((task.name, "value"), rows)


def time_rows(record: StudyRecord) -> Table:
    """Return the time of each task's trials, and of those that are still to come at the speed so far."""
    columns = (
        "task", "trials", "ended", "processor time", "a trial", "to come", "processor time to come",
        "wall-clock time to come",
    )  # fmt: skip
    by_task: dict[str, list[StudyTrial]] = defaultdict(list)
    for trial in record.trials:
        by_task[trial.task].append(trial)
    missing = Counter(key.task for key in record.missing)
    side_by_side = max(1.0, busy(record.trials) / (span(record.trials) or 1.0))
    planned = record.plan.trials * len(record.plan.cells)
    rows, totals = [], [0.0, 0.0, 0.0]
    for task in record.plan.tasks:
        ended = by_task[task.name]
        spent = sum(t.cpu_seconds for t in ended)
        each = spent / len(ended) if ended else None
        wall = busy(ended) / len(ended) * missing[task.name] / side_by_side if ended else None
        coming = None if each is None else each * missing[task.name]
        rows.append(
            [
                task.name, count(planned), count(len(ended)), duration(spent), duration(each),
                count(missing[task.name]),
                *(duration(t) if missing[task.name] else NOTHING for t in (coming, wall)),
            ]
        )  # fmt: skip
        totals = [a + (b or 0.0) for a, b in zip(totals, (spent, coming, wall), strict=True)]
    number, to_come = len(record.trials), sum(missing.values())
    rows.append(
        [
            "all", count(len(record.plan)), count(number), duration(totals[0]),
            duration(totals[0] / number if number else None), count(to_come),
            *(duration(t) if to_come else NOTHING for t in totals[1:]),
        ]
    )  # fmt: skip
    return Table(columns, rows)


def projection(record: StudyRecord) -> list[str]:
    """Return sentences that say what the paper's own number of trials would cost at the speed so far.

    Of each task that both have: the mean processor time of its trials × the paper's number of them.
    """
    paper = record.plan.paper
    if paper is None or paper.effort is None:
        return []
    parts, total = [], 0.0
    for task, trials in paper.effort.trials.items():
        spent = [t.cpu_seconds for t in record.trials if t.task == task]
        if spent:
            mean = sum(spent) / len(spent)
            total += mean * trials
            parts.append(f"{trials:,} × {mean:.1f} s (mean of {len(spent):,} trials of {task})")
    if not parts:
        return []
    whole, years = sum(paper.effort.trials.values()), paper.effort.years
    absent = [t for t in paper.effort.trials if not any(r.task == t for r in record.trials)]
    beside = f"; {', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not in it" if absent else ""
    return [
        f"The paper's trials at this speed: {' + '.join(parts)} = {total / 86400:.2f} days of one core"
        f"{beside}. The paper reports about {years:g} years of processor time, {years * 365.25:,.0f} days, "
        f"for {whole:,} trials, on the processors of its time and its own data."
    ]


def conduct_rows(record: StudyRecord) -> Table:
    """Return when and by how many workers the study was carried out, and how its trials ended."""
    trials = record.trials
    endings = Counter(t.status for t in trials)
    rows = [
        ["trials ended", f"{len(trials):,} of {len(record.plan):,}"],
        ["endings", ", ".join(f"{n:,} {s}" for s, n in endings.most_common()) or NOTHING],
        ["begun more than once", count(sum(t.attempts > 1 for t in trials))],
        ["first begun, last ended (UTC)", _between(trials)],
        ["wall-clock time", duration(span(trials)) if trials else NOTHING],
        ["processor time", duration(sum(t.cpu_seconds for t in trials))],
        ["workers", count(len({t.worker for t in trials}))],
        ["trials at the same time, mean", f"{busy(trials) / span(trials):.1f}" if span(trials) else NOTHING],
    ]
    return Table(("carried out", "value"), rows)


def machine_rows(record: StudyRecord) -> list[Table]:
    """Return a table for each kind of machine, with the names of those that are alike."""
    found: dict[str, tuple[list[str], list[list[str]]]] = {}
    for name, machine in record.environments.items():
        rows = [[k, v if isinstance(v, str) else json.dumps(v)] for k, v in machine.items()]
        found.setdefault(json.dumps(rows), ([], rows))[0].append(name)
    return [Table((", ".join(names), "value"), rows) for names, rows in found.values()]


def reason_rows(record: StudyRecord) -> Table:
    """Return why trials diverged or failed, the most frequent reasons first."""
    unfinished = [t for t in record.trials if t.status in ("diverged", "failed")]
    found = Counter((t.status, t.reason or "no reason given") for t in unfinished)
    rows = [[status, reason, count(n)] for (status, reason), n in found.most_common(REASONS_SHOWN)]
    rest = sum(found.values()) - sum(n for _, n in found.most_common(REASONS_SHOWN))
    if rest:
        rows.append(["others", "", count(rest)])
    return Table(("ending", "reason", "trials"), rows)


def missing_lines(record: StudyRecord) -> list[str]:
    """Return what is missing, a sentence a task; empty where all trials have ended."""
    missing = Counter(key.task for key in record.missing)
    planned = record.plan.trials * len(record.plan.cells)
    return [f"{task}: {n:,} of {planned:,} trials are still to come." for task, n in missing.items()]


def busy(trials: Sequence[StudyTrial]) -> float:
    """Return seconds of wall-clock time of all trials together."""
    return sum(max(0.0, t.ended - t.began) for t in trials)


def span(trials: Sequence[StudyTrial]) -> float:
    """Return seconds from the first trial's beginning to the last one's end."""
    timed = [t for t in trials if t.ended > 0]
    return max(t.ended for t in timed) - min(t.began for t in timed) if timed else 0.0


def _between(trials: Sequence[StudyTrial]) -> str:
    timed = [t for t in trials if t.ended > 0]
    if not timed:
        return NOTHING
    ends = min(t.began for t in timed), max(t.ended for t in timed)
    try:
        return ", ".join(datetime.fromtimestamp(e, UTC).strftime("%Y-%m-%d %H:%M") for e in ends)
    except (ValueError, OverflowError, OSError):  # no time of this world
        return NOTHING


def _said(values: object) -> str:
    assert isinstance(values, dict)
    said = [f"{k.replace('_', ' ')} {_short(v)}" for k, v in values.items()]
    return ", ".join(said) or "nothing"


def _short(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
