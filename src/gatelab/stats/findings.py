"""Is what a paper says of its cells found again? Claims, and what a study's comparisons say of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gatelab.errors import ConfigError
from gatelab.stats.reference import Comparison

Verdict = Literal["reproduced", "not reproduced", "not shown either way", "not tested"]
EXPECTATIONS = ("worse", "better", "no difference", "not worse")


@dataclass(frozen=True)
class Claim:
    """What a paper says of a cell on tasks, compared with the reference.

    Attributes
    ----------
    text
        As a reader should see it: ``"without a forget gate it is worse on music"``.
    cell
        The cell's name.
    tasks
        Names of the tasks; the claim is of each of them.
    expectation
        ``worse`` and ``better`` than the reference; ``no difference`` that is larger than the margin;
        ``not worse`` by more than the margin. Claims of other kinds may expect anything.
    margin
        The largest difference that is called none, in the measure's units.
    relative_margin
        The same as a share of the mean of the reference's best trials, for claims on tasks with several
        measures. At most one of both is given; with none, ``no difference`` cannot be shown.
    source
        Where the paper says so.
    kind
        ``comparison`` is decided here; claims of other kinds, such as of the importance of hyper-parameters,
        by who knows of them.

    Raises
    ------
    ConfigError
        There is no such expectation, or a margin is none.
    """

    text: str
    cell: str
    tasks: tuple[str, ...]
    expectation: str
    margin: float | None = None
    relative_margin: float | None = None
    source: str = ""
    kind: str = "comparison"

    def __post_init__(self) -> None:
        if self.kind == "comparison" and self.expectation not in EXPECTATIONS:
            raise ConfigError(f"claim: wanted one of {', '.join(EXPECTATIONS)}; got {self.expectation!r}")
        given = [m for m in (self.margin, self.relative_margin) if m is not None]
        if len(given) > 1 or not all(m > 0 for m in given):
            raise ConfigError(f"claim: wanted one margin at most, above 0; got {given}")

    def reach(self, row: Comparison) -> float:
        """Return the margin in the measure's units; nan where there is none."""
        if self.margin is not None:
            return self.margin
        if self.relative_margin is None or row.found is None:
            return math.nan
        return self.relative_margin * abs(row.found.means[1])


@dataclass(frozen=True)
class Finding:
    """What a study says of a claim on one task, or on all of the claim's tasks together.

    Attributes
    ----------
    claim, task
        The claim, and the task; empty for all together.
    verdict
        ``reproduced`` and ``not reproduced`` are both shown by a test or an interval. What neither shows is
        ``not shown either way``: no evidence of a difference is no evidence that there is none.
    p
        Of the permutation test, adjusted by Holm; of several tasks the largest; nan where not tested.
    why
        One sentence with n and the test.
    parts
        The findings on each task, where this one is of all together.
    """

    claim: Claim
    task: str
    verdict: Verdict
    p: float
    why: str
    parts: tuple[Finding, ...] = ()


def judge(claims: Iterable[Claim], rows: Sequence[Comparison]) -> tuple[Finding, ...]:
    """Return what a study says of each claim of the kind ``comparison``.

    With p adjusted by Holm, and the interval of the difference at 1 − 2·level (two one-sided tests):

    ==================  =======================================  ===========================================
    claim               reproduced                               not reproduced
    ==================  =======================================  ===========================================
    ``worse``           p ≤ level, and worse                     p ≤ level, and better; or interval in margin
    ``better``          p ≤ level, and better                    p ≤ level, and worse; or interval in margin
    ``no difference``   interval in ± margin                     p ≤ level, and beyond the margin
    ``not worse``       p ≤ level, and better; or the interval   p ≤ level, and worse by more than the margin
                        is below the margin
    ==================  =======================================  ===========================================

    A claim of several tasks is reproduced where it is on each, and not reproduced where it is not on one.

    Parameters
    ----------
    rows
        Of :func:`gatelab.stats.reference.compare_to_reference`.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.findings import Claim, judge
    >>> from gatelab.stats.reference import compare_to_reference
    >>> from gatelab.stats.trials import Sample
    >>> loss = 8 + np.random.default_rng(0).gamma(2, size=100)
    >>> cells = {"lstm": Sample("lstm", loss, loss), "nfg": Sample("nfg", loss + 1, loss + 1)}
    >>> rows = compare_to_reference({"jsb": cells}, "lstm", draws=200, permutations=999)
    >>> found, = judge([Claim("a forget gate is needed", "nfg", ("jsb",), "worse")], rows)
    >>> found.verdict, found.p
    ('reproduced', 0.001)

    Notes
    -----
    Two one-sided tests: D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987; that no
    evidence of a difference is none for its absence: D. G. Altman and J. M. Bland, BMJ 311, 1995.
    """
    by_place = {(r.task, r.cell): r for r in rows}
    found = []
    for claim in claims:
        if claim.kind != "comparison":
            continue
        parts = tuple(_on_task(claim, task, by_place.get((task, claim.cell))) for task in claim.tasks)
        found.append(parts[0] if len(parts) == 1 else _together(claim, parts))
    return tuple(found)


def _on_task(claim: Claim, task: str, row: Comparison | None) -> Finding:
    if row is None or row.found is None or row.verdict == "not tested":
        why = f"{claim.cell} was not compared on {task}." if row is None else row.sentence
        return Finding(claim, task, "not tested", math.nan, why)
    margin, narrow = claim.reach(row), row.found.narrow
    if not row.lower:
        narrow = type(narrow)(-narrow.value, -narrow.high, -narrow.low)  # now higher is worse
    within = -margin < narrow.low and narrow.high < margin
    beyond = abs(narrow.value) > margin or math.isnan(margin)
    worse, better = row.verdict == "worse", row.verdict == "better"
    yes, no = {
        "worse": (worse, better or within),
        "better": (better, worse or within),
        "no difference": (within, (worse or better) and beyond),
        "not worse": (better or narrow.high < margin, worse and beyond),
    }[claim.expectation]
    verdict: Verdict = "reproduced" if yes else "not reproduced" if no else "not shown either way"
    gap = row.found.narrow
    said = (
        f"{task}: difference {gap.value:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}] ",
        f"({100 * (1 - 2 * row.level):g} %, bootstrap of {row.trials} pairs, best {row.best} of each), ",
        f"p = {row.p:.2g} (permutation of {row.trials} pairs, Holm over {row.family})",
        "." if math.isnan(margin) else f", margin ±{margin:.3g}.",
    )
    return Finding(claim, task, verdict, row.p, "".join(said))


def _together(claim: Claim, parts: tuple[Finding, ...]) -> Finding:
    verdicts = {p.verdict for p in parts}
    worst: Verdict = "not tested"
    for verdict in ("not reproduced", "not tested", "not shown either way", "reproduced"):
        if verdict in verdicts:
            worst = verdict
            break
    known = [p.p for p in parts if not math.isnan(p.p)]
    largest = max(known) if len(known) == len(parts) and known else math.nan
    return Finding(claim, "", worst, largest, " ".join(p.why for p in parts), parts)
