"""The tables of a study's report: what each cell found on a task, against the reference, and what matters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from gatelab.draw.place_axis import title_of
from gatelab.report.numbers import (
    MINUS,
    NOTHING,
    Table,
    count,
    decimal,
    duration,
    probability,
    signed,
    spread,
)
from gatelab.report.study_claims import Judged
from gatelab.report.study_numbers import StudyNumbers, TaskNumbers
from gatelab.stats import Interval, mean_interval
from gatelab.stats.reference import Comparison
from gatelab.stats.resampling import Estimate

ENDINGS = ("finished", "diverged", "pruned", "failed")


def result_rows(numbers: StudyNumbers, task: TaskNumbers) -> Table:
    """Return what each cell found on a task, a row a cell in the plan's order."""
    best = f"mean of the best {100 * numbers.share:g} %"
    pruned = any(t.status == "pruned" for t in numbers.record.trials)
    endings = ENDINGS if pruned else tuple(e for e in ENDINGS if e != "pruned")
    columns = ("cell", "trials", *endings, "best", best, "hidden units", "parameters", "time a trial")
    if any(_reported(numbers, task, c) is not None for c in task.trials.cells):
        columns = (*columns, "reported")
    return Table(columns, [_result_row(numbers, task, cell, columns) for cell in task.trials.cells])


def _result_row(numbers: StudyNumbers, task: TaskNumbers, cell: str, columns: Sequence[str]) -> list[str]:
    trials = task.trials
    ended, chosen = trials.of(cell), trials.best(cell, numbers.share)
    met = Counter[str](t.status for t in ended)
    tests = trials.tests(chosen)
    parameters = [t.parameters for t in chosen if t.parameters is not None]
    hidden = [t.hidden_size for t in chosen if t.hidden_size is not None]
    times = [t.seconds for t in ended if t.seconds > 0]
    return [
        cell,
        count(len(ended)),
        *(count(met[e]) for e in ENDINGS if e in columns),
        decimal(tests[0] if tests else None),
        spread(mean_interval(tests)) if tests else NOTHING,
        _mean(hidden),
        _mean(parameters),
        duration(sum(times) / len(times) if times else None),
        *([decimal(_reported(numbers, task, cell))] if "reported" in columns else []),
    ]


def _reported(numbers: StudyNumbers, task: TaskNumbers, cell: str) -> float | None:
    paper = numbers.record.plan.paper
    found = paper.reported.get(f"{task.trials.name}/{cell}") if paper else None
    return found.test if found else None


def _mean(values: Sequence[int]) -> str:
    return count(round(sum(values) / len(values))) if values else NOTHING


def comparison_rows(numbers: StudyNumbers, task: TaskNumbers) -> Table:
    """Return each cell's comparison with the reference on a task, the tests and what they were made of."""
    columns = (
        f"against {numbers.reference}", "difference", "95 % interval", "Hedges' g", "better than it",
        "p", "Welch p", "Mann–Whitney p", "n", "verdict",
    )  # fmt: skip
    return Table(columns, [_comparison_row(row) for row in task.comparisons.values()])


def _comparison_row(row: Comparison) -> list[str]:
    n = f"{row.best} of {row.trials}"
    if row.found is None or row.superiority is None:
        return [row.cell, *[NOTHING] * 7, n, row.verdict]
    lost = f", {row.without_result[0]} without a result" if row.without_result[0] else ""
    difference = row.found.difference
    return [
        row.cell,
        signed(difference.value),
        f"[{signed(difference.low)}, {signed(difference.high)}]",
        _estimate(row.found.effect),
        f"{100 * row.superiority.value:.0f} %",
        probability(row.p),
        _both(row.welch.p if row.welch else None, row.adjusted[1]),
        _both(row.mann_whitney.p if row.mann_whitney else None, row.adjusted[2]),
        n + lost,
        row.verdict,
    ]


def _both(p: float | None, adjusted: float) -> str:
    return f"{probability(p)} ({probability(adjusted)})"


def _estimate(estimate: Estimate) -> str:
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{v:.2f}".replace("-", MINUS) if math.isfinite(v) else NOTHING for v in ends)
    return f"{value} [{low}, {high}]"


def importance_rows(numbers: StudyNumbers, task: TaskNumbers) -> Table:
    """Return the shares of variance on a task in percent, a row a cell."""
    names = list(dict.fromkeys(n for found in task.importances.values() for n in found.names))
    columns = (
        "share of variance, %", *(n.replace("_", " ") for n in names), "two together", "three and more",
        "R² on trials not met", "n",
    )  # fmt: skip
    rows = []
    for cell, found in task.importances.items():
        shares = [_share(found.shares.get((n,))) for n in names]
        clipped = f", {found.clipped} clipped" if found.clipped else ""
        rows.append(
            [
                cell, *shares, _share(found.interactions), _share(found.rest),
                decimal(found.explained)[:-1], f"{count(found.n)}{clipped}",
            ]
        )  # fmt: skip
    return Table(columns, rows)


def interaction_rows(task: TaskNumbers) -> Table:
    """Return each interaction's share of variance on a task in percent: a row a pair, a column a cell."""
    pairs = list(dict.fromkeys(k for i in task.importances.values() for k in i.shares if len(k) == 2))
    rows = [
        [
            " × ".join(n.replace("_", " ") for n in pair),
            *(_share(i.shares.get(pair)) for i in task.importances.values()),
        ]
        for pair in pairs
    ]
    return Table(("interaction, %", *task.importances), rows)


def _share(share: Interval | None) -> str:
    if share is None:
        return NOTHING
    return f"{100 * share.mean:.1f}" + (f" ± {100 * share.half_width:.1f}" if share.known else "")


def rank_rows(numbers: StudyNumbers) -> Table:
    """Return the mean rank of each cell over tasks, best first, and the groups that it is in."""
    ranks = numbers.ranks
    if ranks is None:
        return Table(("cell", "mean rank", "not told apart from"), [])
    rows = []
    for cell, value in ranks.ranks.items():
        near = {other for group in ranks.groups if cell in group for other in group} - {cell}
        rows.append([cell, f"{value:.2f}", ", ".join(c for c in ranks.ranks if c in near) or "none"])
    return Table(("cell", "mean rank", "not told apart from"), rows)


def rank_note(numbers: StudyNumbers) -> str:
    """Return what was tested of the ranks, with n."""
    ranks = numbers.ranks
    if ranks is None:
        return ""
    tests = (
        f" Friedman's test: χ² = {ranks.friedman:.2f}, p = {probability(ranks.p)} by permuting ranks within "
        f"tasks ({probability(ranks.chi_p)} by χ² with {len(ranks.ranks) - 1} degrees of freedom; Iman and "
        f"Davenport's F = {ranks.iman:.2f}, p = {probability(ranks.iman_p)}); n = {ranks.tasks} tasks, "
        f"{len(ranks.ranks)} cells. Nemenyi's critical difference at {100 * ranks.level:g} %: "
        f"{ranks.difference:.2f}."
    )
    said = f" {ranks.note[0].upper()}{ranks.note[1:]}." if ranks.note else ""
    return (
        f"Cells are ranked on each task by the mean test value of their best {100 * numbers.share:g} % of "
        f"trials on validation, 1 for the best.{tests if math.isfinite(ranks.friedman) else ''}{said}"
    )


def claim_overview(rows: Sequence[Judged]) -> Table:
    """Return a paper's findings with the verdict on each task."""
    tasks = list(dict.fromkeys(r.task for r in rows))
    verdicts: dict[str, dict[str, str]] = {}
    for row in rows:
        alone = {"yes": " (Welch: yes)", "no": " (Welch: no)"}.get(row.alone, "")
        verdicts.setdefault(_sentence(row), {})[row.task] = row.verdict + alone
    found = [[said, *(on.get(t, NOTHING) for t in tasks)] for said, on in verdicts.items()]
    return Table(("finding", *tasks), found)


def _sentence(row: Judged) -> str:
    return row.finding.sentence + ("" if row.finding.checked else " [remembered]")


def claim_rows(rows: Sequence[Judged]) -> Table:
    """Return a paper's findings, and what the study says of them."""
    found = [
        [
            _sentence(row), row.task, row.verdict, row.alone or NOTHING, probability(row.p), row.why,
        ]
        for row in rows
    ]  # fmt: skip
    return Table(("finding", "task", "here", "by Welch alone", "p", "by what"), found)


def space_rows(numbers: StudyNumbers) -> Table:
    """Return how each hyper-parameter is drawn."""
    rows = []
    for name, dimension in numbers.record.plan.space.items():
        data = dimension.model_dump()
        kind = {"choice": "each equally often"}.get(data["kind"], data["kind"].replace("-", " "))
        said = ", ".join(str(v) for v in data.get("values", ()))
        between = said or f"{data['low']:g} to {data['high']:g}" + (", whole" if data["whole"] else "")
        rows.append([name, title_of(name), kind, between])
    return Table(("hyper-parameter", "meaning", "drawn", "values"), rows)
