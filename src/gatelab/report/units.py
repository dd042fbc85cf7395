"""What a report says of each compared unit: equations, weights, cost."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

from gatelab.draw.equation import equations, weights
from gatelab.errors import CellError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data
from gatelab.passes.measure import measure
from gatelab.report.numbers import Table, count
from gatelab.runs import RunRecord, Unit

LARGEST = 3_000  # nodes; more would fill the page with equations that nobody reads


@dataclass(frozen=True)
class Card:
    """A unit's part of the report; ``problem`` says why there are no equations."""

    name: str
    summary: str = ""
    source: str = ""
    problem: str = ""
    equations: list[Markup] = field(default_factory=list)
    cost: Table = field(default_factory=lambda: Table(("what", "formula", "value"), []))
    weights: Table = field(default_factory=lambda: Table(("weight", "shape", "role", "starts at"), []))


def card(run: RunRecord, unit: Unit) -> Card:
    """Return what is said of a unit; a cell that cannot be read costs its card, not the report."""
    try:
        cell = from_data(unit.cell)
    except CellError as error:
        return Card(unit.name, problem=f"Its equations cannot be read: {error}")
    if len(cell.nodes) > LARGEST:
        return Card(unit.name, problem=f"Its {len(cell.nodes):,} operations are too many to print.")
    return Card(
        name=unit.name,
        summary=cell.summary,
        source=cell.source,
        # MathML of our own making, in which every name is escaped
        equations=[Markup(line) for line in equations(cell, "mathml")],
        cost=_cost(cell, unit, run.config.task.input_size),
        weights=_weights(cell),
    )


def _cost(cell: Cell, unit: Unit, inputs: int) -> Table:
    cost, units = measure(cell), unit.hidden_size
    columns = ("a step", "formula", f"at I\u00a0=\u00a0{inputs}, H\u00a0=\u00a0{units}")
    if units % cell.block:
        return Table(columns, [["parameters", str(cost.parameters), count(unit.parameters)]])
    named = [
        ("parameters", cost.parameters), ("operations", cost.flops),
        ("of them exp, tanh, σ", cost.activations), ("bytes moved", cost.bytes),
    ]  # fmt: skip
    rows = [[what, str(formula), count(formula(inputs, units))] for what, formula in named]
    return Table(columns, [*rows, ["with output layer", "", count(unit.model_parameters)]])


def _weights(cell: Cell) -> Table:
    rows = [[w.name, w.shape, w.role, w.start or "by its role"] for w in weights(cell)]
    return Table(("weight", "shape", "role", "starts at"), rows)
