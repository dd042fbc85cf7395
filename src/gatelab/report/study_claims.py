"""What a study says of a paper's findings, one task at a time.

Findings of cells are judged by the tests of :mod:`gatelab.stats.findings`; those of hyper-parameters by the
functional analysis of variance over all cells, where what is said has to hold by more than two standard
deviations over the forest's trees, each of which met another sample of the trials.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gatelab.draw.importances import CELL, POOLED
from gatelab.report.numbers import probability, signed
from gatelab.report.study_numbers import StudyNumbers, TaskNumbers
from gatelab.runs.findings import Finding
from gatelab.stats.findings import Claim, Verdict, judge
from gatelab.stats.importance import Importance
from gatelab.stats.reference import Comparison

MARGIN = 0.02
"""The part of the reference's mean up to which a difference is called none."""
REACH = 2.0
"""Standard deviations over trees by which a share has to differ."""
LEVEL = 0.05
FEWEST = 20
"""Trials of a cell below which a finding is not judged: the best tenth would be one or two."""
EXPECTED = {"worse": "worse", "alike": "no difference", "not worse": "not worse", "not better": "not worse"}
DENIED = {"worse": (), "alike": ("worse", "better"), "not worse": ("worse",), "not better": ("better",)}
"""What the test must not say where a finding is called reproduced by the size of a difference."""
YES: Verdict = "reproduced"
NO: Verdict = "not reproduced"
OPEN: Verdict = "not shown either way"
UNTESTED: Verdict = "not tested"


class Judged(NamedTuple):
    """What the study says of a finding on one task.

    ``alone`` is what Welch's t-test alone says at 5 %, unadjusted, as in Greff et al. 2015: ``yes``, ``no``,
    or empty where that is no test for it; ``why`` names the test and its n.
    """

    finding: Finding
    task: str
    verdict: Verdict
    alone: str
    p: float
    why: str


def judged(numbers: StudyNumbers, findings: Iterable[Finding]) -> list[Judged]:
    """Return what the study says of findings, one row a finding and task that the study has."""
    tasks = {t.trials.name: t for t in numbers.tasks}
    return [_judged(numbers, f, tasks[name]) for f in findings for name in f.tasks if name in tasks]


def _judged(numbers: StudyNumbers, finding: Finding, task: TaskNumbers) -> Judged:
    if finding.relation in EXPECTED:
        return _of_cell(numbers, finding, task)
    found = task.importances.get(POOLED) or next(iter(task.importances.values()), None)
    missing = [n for n in finding.about if found is None or n not in found.names]
    if found is None or missing:
        why = f"no analysis of {', '.join(missing or finding.about)}: too few trials with results"
        return Judged(finding, task.trials.name, UNTESTED, "", math.nan, why)
    rule = RULES[finding.relation]
    verdict, said = rule(finding, found, task.trials.lower)
    counts = [n for c in task.trials.cells if (n := len(task.trials.of(c)))]
    cells = len(counts)
    if sum(counts) < FEWEST * cells:
        said, verdict = f"{_few(sum(counts), FEWEST * cells)}; {said}", UNTESTED
    single = {c: i for c, i in task.importances.items() if c != POOLED}
    agreeing = sum(rule(finding, i, task.trials.lower)[0] == YES for i in single.values())
    alone = f"; of single cells so in {agreeing} of {len(single)}" if single else ""
    why = (
        f"{said} (functional ANOVA of {found.n:,} trials of {cells} cells, ± standard deviation over "
        f"trees){alone}."
    )
    return Judged(finding, task.trials.name, verdict, "", math.nan, why)


def _of_cell(numbers: StudyNumbers, finding: Finding, task: TaskNumbers) -> Judged:
    name, cell = task.trials.name, finding.about[0]
    row = task.comparisons.get(cell)
    if row is None or finding.reference != numbers.reference:
        why = f"{cell} was not compared with {finding.reference}."
        return Judged(finding, name, UNTESTED, "", math.nan, why)
    claim = Claim(
        finding.sentence, cell, (name,), EXPECTED[finding.relation], relative_margin=_margin(finding)
    )
    (said,) = judge([claim], [_turned(row) if finding.relation == "not better" else row])
    why = said.why.removeprefix(f"{name}: ")  # which stands beside it
    if row.welch is not None:
        why += f" Welch's t-test of {row.best} and {row.best} alone: p = {probability(row.welch.p)}."
    verdict = said.verdict
    if verdict == YES and row.verdict in DENIED[finding.relation]:
        verdict, why = OPEN, f"{why} A difference is shown, but one within the margin."
    if row.trials < FEWEST:
        verdict, why = UNTESTED, f"{_few(row.trials, FEWEST)}; {why}"
    return Judged(finding, name, verdict, _alone(finding, row), said.p, why)


def _few(trials: int, wanted: int) -> str:
    return f"{trials:,} trials are too few, wanted {wanted:,}"


def _margin(finding: Finding) -> float | None:
    return None if finding.relation == "worse" else MARGIN


def _turned(row: Comparison) -> Comparison:
    """Return a comparison in which better is called worse: not better is then not worse."""
    other = {"worse": "better", "better": "worse"}
    return replace(row, lower=not row.lower, verdict=other.get(row.verdict, row.verdict))  # type: ignore[arg-type]


def _alone(finding: Finding, row: Comparison) -> str:
    if row.welch is None:
        return ""
    differs = row.welch.p <= LEVEL
    worse = differs and (row.welch.difference > 0) == row.lower
    better = differs and not worse
    holds = {"worse": worse, "alike": not differs, "not worse": not worse, "not better": not better}
    return "yes" if holds[finding.relation] else "no"


Rule = Callable[[Finding, Importance, bool], tuple[Verdict, str]]


def _largest(finding: Finding, found: Importance, lower: bool) -> tuple[Verdict, str]:
    return _place(finding, found, 0)


def _next(finding: Finding, found: Importance, lower: bool) -> tuple[Verdict, str]:
    return _place(finding, found, 1)


def _place(finding: Finding, found: Importance, place: int) -> tuple[Verdict, str]:
    """Judge whether as many hyper-parameters as ``place`` have a larger share, and the others a smaller."""
    name = finding.about[0]
    others = [n for n in found.names if n not in (name, CELL)]
    gaps = [_distance(found, name, other) for other in others]
    above, below = sum(g < -REACH for g in gaps), sum(g > REACH for g in gaps)
    verdict = OPEN
    if above == place and below == len(others) - place:
        verdict = YES
    elif above > place or below > len(others) - place:
        verdict = NO
    ordered = sorted([name, *others], key=lambda n: -found.shares[n,].mean)
    return verdict, "shares: " + ", ".join(f"{_named(n)} {_share(found, (n,))}" for n in ordered)


def _distance(found: Importance, first: str, second: str) -> float:
    """Return by how many standard deviations the first's share is larger."""
    gap = found.shares[first,].mean - found.shares[second,].mean
    spread = math.hypot(found.spreads[first,], found.spreads[second,])
    return gap / spread if spread else math.copysign(math.inf, gap)


def _at_least(finding: Finding, found: Importance, lower: bool) -> tuple[Verdict, str]:
    return _bounded(finding, found, (finding.about[0],), 1)


def _at_most(finding: Finding, found: Importance, lower: bool) -> tuple[Verdict, str]:
    about = tuple(n for n in found.names if n in finding.about)  # a pair, as the analysis orders it
    return _bounded(finding, found, about, -1)


def _bounded(finding: Finding, found: Importance, about: tuple[str, ...], sign: int) -> tuple[Verdict, str]:
    bound = finding.bound if finding.bound is not None else 0.5
    gap = sign * (found.shares[about].mean - bound)
    reach = REACH * found.spreads[about]
    verdict = YES if gap > reach else NO if gap < -reach else OPEN
    words = " × ".join(_named(n) for n in about)
    return verdict, f"share of {words} {_share(found, about)}, bound {100 * bound:.3g} %"


def _rising(finding: Finding, found: Importance, lower: bool) -> tuple[Verdict, str]:
    curve = found.marginals[finding.about[0]]
    quarter = max(1, len(curve.mean) // 4)
    worse = 1 if lower else -1
    gap = worse * float(curve.mean[-quarter:].mean() - curve.mean[:quarter].mean())
    reach = REACH * float(np.hypot(curve.std[-quarter:].mean(), curve.std[:quarter].mean()))
    verdict = YES if gap > reach else NO if gap < -reach else OPEN
    return verdict, (
        f"from the lowest to the highest quarter of {_named(finding.about[0])} the mean becomes worse by "
        f"{signed(gap)} ± {reach / REACH:.3f}"
    )


RULES: Mapping[str, Rule] = {
    "largest share": _largest,
    "next share": _next,
    "share at least": _at_least,
    "share at most": _at_most,
    "interaction at most": _at_most,
    "rising": _rising,
}


def _share(found: Importance, about: tuple[str, ...]) -> str:
    return f"{100 * found.shares[about].mean:.1f} ± {100 * found.spreads[about]:.1f} %"


def _named(name: str) -> str:
    return name.replace("_", " ")


def summed(rows: Sequence[Judged]) -> str:
    """Return how many findings were reproduced, of how many."""
    if not rows:
        return ""
    said = [f"{sum(r.verdict == v for r in rows)} {v}" for v in (YES, NO, OPEN, UNTESTED)]
    return f"Of {len(rows)} findings, each on one task: " + ", ".join(s for s in said if s[0] != "0") + "."
