"""gatelab cells: the catalogue, and one cell in detail."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="The catalogue of cells.", invoke_without_command=True, no_args_is_help=False)


@app.callback()
def cells(context: typer.Context) -> None:
    """List the catalogue: every cell with its parameters and one sentence."""
    if context.invoked_subcommand is not None:
        return
    from gatelab.cells import CATALOGUE, WRAPPERS
    from gatelab.passes import measure

    console = Console(highlight=False, emoji=False)
    table = Table("cell", "parameters", "what it is")
    for name, cell in CATALOGUE.items():
        table.add_row(name, str(measure(cell).parameters), cell.summary)
    console.print(table)
    console.print(
        f"Around any of them: {', '.join('+' + w for w in WRAPPERS)}; such as lstm+layer-norm+zoneout=0.1.\n"
        "gatelab cells show NAME prints equations, weights, cost and source."
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A cell's name, with wrappers if any: gru+zoneout=0.1.")],
    inputs: Annotated[int, typer.Option(help="Inputs I at which counts are shown.", min=1)] = 88,
    units: Annotated[int, typer.Option(help="Hidden units H at which counts are shown.", min=1)] = 100,
    plan: Annotated[bool, typer.Option("--plan", help="Also print how the tile machine runs it.")] = False,
) -> None:
    """Print a cell's equations in text and LaTeX, its weights, its cost and its source."""
    from gatelab.cells import get
    from gatelab.draw.equation import equations, weights
    from gatelab.errors import ConfigError
    from gatelab.passes import measure

    cell = get(name)
    if units % cell.block:
        raise ConfigError(f"--units: {cell.name} has blocks of {cell.block}; wanted a multiple, got {units}")
    console = Console(highlight=False, emoji=False, soft_wrap=True)

    def section(title: str, lines: list[str]) -> None:
        console.print(f"\n[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", markup=False)

    cost = measure(cell)
    console.print(f"[bold]{cell.name}[/bold]  {cell.summary}")
    console.print(f"source: {cell.source or 'not given'}", markup=False)
    section("equations", equations(cell))
    section("LaTeX", equations(cell, "latex"))
    section("weights", [f"{w.name:<12} {w.shape:<8} {w.role:<10} {w.start}".rstrip() for w in weights(cell)])
    counted = [("parameters", cost.parameters), ("flops", cost.flops), ("activations", cost.activations)]
    lines = [f"{what:<12} {formula!s:<28} {formula(inputs, units):>12,}" for what, formula in counted]
    lines.append(f"{'bytes':<12} {cost.bytes!s:<28} {cost.bytes(inputs, units):>12,}")
    section(f"a step of one sequence; right, at I = {inputs} and H = {units}", lines)
    if plan:
        from gatelab.engine.describe import describe
        from gatelab.passes import simplify_cell

        section(
            "plan of a training step on the tile machine",
            describe(simplify_cell(cell), columns=console.width - 2),
        )
