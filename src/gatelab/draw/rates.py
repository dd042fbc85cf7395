"""The search for the learning rate: the objective on validation of every candidate, diverged ones marked."""

from __future__ import annotations

from typing import Any

import altair as alt

from gatelab.draw.scale import Domain, robust_domain
from gatelab.draw.style import HEIGHT, unit_legend
from gatelab.runs import RunRecord, TrialRecord

Chart = alt.LayerChart | alt.FacetChart
ABOVE = "above the axis"
SHAPES = {"finished": "circle", "diverged": "M-1,-1L1,1M1,-1L-1,1", ABOVE: "triangle-up"}


def rate_rows(run: RunRecord) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each candidate that has ended.

    ``shown`` is its objective on validation, or the axis' end for one that is above it or has none.
    """
    domain = _domain(run)
    return [_row(run, t, domain) for u in run.config.units for t in run.of(u.name, "search")]


def _row(run: RunRecord, record: TrialRecord, domain: Domain) -> dict[str, Any]:
    outcome = record.outcome
    assert outcome is not None
    valid, best = outcome.valid, run.best(record.trial.unit)
    above = valid is None or valid > domain.high
    return {
        "unit": record.trial.unit,
        "rate": record.trial.learning_rate,
        "shown": domain.high if above else valid,
        "ending": "diverged" if outcome.status == "diverged" else ABOVE if above else "finished",
        "said": "none" if valid is None else f"{valid:.4f}",
        "reason": outcome.reason,
        "chosen": best is not None and best.trial == record.trial,
        "joined": not above and outcome.status == "finished",
    }


def _domain(run: RunRecord) -> Domain:
    ended = [t.outcome for u in run.config.units for t in run.of(u.name, "search")]
    values = [o.valid for o in ended if o and o.valid is not None and o.status == "finished"]
    return robust_domain(values, {})


def learning_rates(run: RunRecord) -> Chart:
    """Return the objective on validation against learning rate as a chart, each unit's chosen rate ringed.

    A cross is a trial that diverged, drawn at the axis' end where it left no value; a triangle one whose
    value is above the axis.
    """
    rows, domain, measure = rate_rows(run), _domain(run), run.config.task.objective.title
    names = [u.name for u in run.config.units]
    chosen = alt.selection_point(fields=["unit"], bind="legend", name="unit_of_legend")
    y = alt.Y(
        "shown:Q",
        title=f"validation {measure}",
        scale=alt.Scale(domain=[domain.low, domain.high], zero=False),
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("rate:Q", title="learning rate", scale=alt.Scale(type="log", nice=False, padding=12),
                axis=alt.Axis(format=".0e", tickCount=5, labelOverlap=True)),
        y=y,
        color=alt.Color("unit:N", sort=None, scale=alt.Scale(domain=names), legend=unit_legend(names)),
        opacity=alt.condition(chosen, alt.value(1), alt.value(0.08)),
    )  # fmt: skip
    line = base.transform_filter("datum.joined").mark_line(strokeWidth=1.5).add_params(chosen)
    points = base.mark_point(size=80, filled=False, strokeWidth=2).encode(
        shape=_shape(rows), tooltip=_tooltip(measure)
    )
    ring = base.transform_filter("datum.chosen").mark_point(
        size=300, filled=False, shape="circle", strokeWidth=1.5
    )
    return alt.layer(line, ring, points).properties(width="container", height=HEIGHT)


def _shape(rows: list[dict[str, Any]]) -> alt.Shape:
    met = [e for e in SHAPES if any(r["ending"] == e for r in rows)]
    return alt.Shape(
        "ending:N", title="trial", sort=None, scale=alt.Scale(domain=met, range=[SHAPES[e] for e in met])
    )


def _tooltip(measure: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("unit:N", title="unit"),
        alt.Tooltip("rate:Q", title="learning rate", format=".3e"),
        alt.Tooltip("said:N", title=f"validation {measure}"),
        alt.Tooltip("ending:N", title="ended"),
        alt.Tooltip("reason:N", title="reason"),
    ]
