"""gatelab bench: how fast, beside what else there is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from gatelab.errors import ConfigError

app = typer.Typer(help="How fast, beside what else there is.", invoke_without_command=True)
Table = tuple[list[str], list[list[str]]]
CELLS = ("lstm-np", "lstm", "gru", "gru-after", "tanh")


@app.callback()
def bench(
    context: typer.Context,
    workload: Annotated[str, typer.Option(help="W1 to W5, ragged, music, long, or all.")] = "W1,W2",
    cell: Annotated[str, typer.Option(help="Cells, by name, with commas.")] = ",".join(CELLS),
    peer: Annotated[str, typer.Option(help="Peers, by name; all but slow ones by default.")] = "",
    threads: Annotated[str, typer.Option(help="Numbers of threads, with commas.")] = "1",
    repeat: Annotated[int, typer.Option(help="Rounds; each peer has a turn in each.", min=1)] = 15,
    slow: Annotated[bool, typer.Option("--slow", help="Also peers that compile for minutes.")] = False,
    all_cells: Annotated[
        bool, typer.Option("--all-cells", help="Every cell of the catalogue, gatelab alone.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write everything that was measured to this JSON file.")
    ] = None,
) -> None:
    """Time training steps of gatelab and of its peers, each verified before it is timed.

    A step is forward and back-propagation through time with the gradients of weights, biases and input.
    """
    if context.invoked_subcommand is not None:
        return
    from gatelab.bench import peers, record
    from gatelab.bench import workload as workloads
    from gatelab.bench.run import Plan
    from gatelab.bench.run import bench as measure
    from gatelab.bench.table import remarks, sections, told
    from gatelab.cells import CATALOGUE, get

    console = Console(highlight=False, emoji=False)
    if all_cells:
        cells, chosen = list(CATALOGUE), peers.find(["gatelab"])
    else:
        cells, chosen = [get(c).name for c in _words(cell)], peers.find(_words(peer), slow)
    plan = Plan(
        workloads.find(_words(workload)),
        cells,
        chosen,
        _cores(threads),
        repeat,
        together=all_cells,
    )
    _say_busy(console)
    result = measure(
        plan,
        lambda row: console.print(told(row), markup=False, style="dim", soft_wrap=not console.is_terminal),
        lambda so_far: record.write(output, so_far) if output else None,
    )
    _show(console, sections(result, console.width), remarks(result))
    if output:
        console.print(f"result: {output}", markup=False, soft_wrap=True)


@app.command()
def compare(
    epochs: Annotated[int, typer.Option(help="Epochs that each way trains in each round.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(help="Rounds.", min=1)] = 2,
    output: Annotated[Path | None, typer.Option(help="Write what was measured to this JSON file.")] = None,
) -> None:
    """Time the training of gatelab compare beside the same one written plainly in torch.

    Plain is the same equations in torch, with padded batches and hand-written loops where torch.nn lacks
    them; torch.nn is its nearest relatives. One thread, as gatelab compare trains.
    """
    from gatelab.bench import protocol, record
    from gatelab.bench.table import number

    console = Console(highlight=False, emoji=False)
    _say_busy(console)
    about = record.machine()
    whole = protocol.Protocol()
    found = protocol.measure(whole, epochs, rounds)
    names, rows = protocol.table(whole, found, number)
    _print(console, names, rows)
    console.print(protocol.remark(whole), markup=False)
    if output:
        protocol.write(output, about, whole, found)
        console.print(f"result: {output}", markup=False, soft_wrap=True)


@app.command()
def study(
    dataset: Annotated[str, typer.Option(help="jsb, or jsb=PATH of other music.")] = "jsb",
    cell: Annotated[str, typer.Option(help="Of lstm, np and gru, with commas.")] = "lstm,np,gru",
    trials: Annotated[int, typer.Option(help="Trials of each cell; all ways train the same.", min=1)] = 3,
    epochs: Annotated[int, typer.Option(help="Epochs of a trial that are timed.", min=1)] = 1,
    rounds: Annotated[int, typer.Option(help="Rounds; each way has a turn in each.", min=1)] = 2,
    output: Annotated[Path | None, typer.Option(help="Write what was measured to this JSON file.")] = None,
) -> None:
    """Count trials an hour of the study greff2015 beside the same trials written with torch alone.

    An update after every sequence, one thread: loops in Python and in TorchScript, and torch.nn where it has
    the cell or its nearest relative. Each is verified before it is timed.
    """
    from gatelab.bench import record
    from gatelab.bench import trials as timing
    from gatelab.bench.table import number
    from gatelab.papers import greff2015

    console = Console(highlight=False, emoji=False)
    _say_busy(console)
    about = record.machine()
    plan = greff2015.study([dataset], cells=_words(cell), trials=trials)
    found = timing.measure(plan, epochs, rounds)
    _print(console, *timing.table(plan, found, number))
    console.print(timing.remark(plan, found), markup=False)
    if output:
        timing.write(output, about, plan, found)
        console.print(f"result: {output}", markup=False, soft_wrap=True)


@app.command()
def workers(
    dataset: Annotated[str, typer.Option(help="jsb, or jsb=PATH of other music.")] = "jsb",
    cell: Annotated[str, typer.Option(help="Cells, with commas.")] = "lstm,gru",
    trials: Annotated[int, typer.Option(help="Trials of each cell.", min=1)] = 10,
    epochs: Annotated[int, typer.Option(help="Epochs of a trial.", min=1)] = 4,
    counts: Annotated[str, typer.Option(help="Numbers of workers, with commas.")] = "1,2",
    rounds: Annotated[int, typer.Option(help="Rounds; each number has a turn in each.", min=1)] = 3,
) -> None:
    """Count trials an hour of a whole study by the number of workers; how busy they keep the processors."""
    from gatelab.bench.table import number
    from gatelab.bench.workers import carry_out, table
    from gatelab.papers import greff2015

    console = Console(highlight=False, emoji=False)
    _say_busy(console)
    numbers = _cores(counts, "--counts")
    training = greff2015.TRAINING.model_copy(update={"max_epochs": epochs})
    plan = greff2015.study([dataset], cells=_words(cell), trials=trials, training=training)
    _print(console, *table(carry_out(plan, numbers, rounds), number))


@app.command("null-studies")
def null_studies(
    studies: Annotated[int, typer.Option(help="Studies of each kind.", min=1)] = 100,
    kinds: Annotated[str, typer.Option(help="Kinds of study, with commas; all where none is named.")] = "",
    tasks: Annotated[int, typer.Option(help="Tasks of a study.", min=1)] = 3,
    cells: Annotated[int, typer.Option(help="Names that the one cell has.", min=2)] = 9,
    trials: Annotated[int, typer.Option(help="Trials of each.", min=2)] = 200,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0)] = 0,
) -> None:
    """Count how often the statistics of studies see a difference where there is none.

    One cell under several names; results are drawn, nothing is trained. Prints a table in Markdown.
    """
    from gatelab.stats.null_studies import measured, table

    found = measured(_words(kinds), studies, tasks=tasks, cells=cells, trials=trials, seed=seed)
    typer.echo(table(found))


@app.command()
def show(
    result: Annotated[Path, typer.Argument(help="A JSON file that gatelab bench wrote.")],
    fastest: Annotated[
        bool, typer.Option("--fastest", help="Each step by its fastest time, not its median.")
    ] = False,
) -> None:
    """Print the tables of a result that was written before."""
    from gatelab.bench import record
    from gatelab.bench.table import remarks, sections

    found, console = replace(record.read(result), fastest=fastest), Console(highlight=False, emoji=False)
    _show(console, sections(found, console.width), remarks(found))


@app.command()
def figure(
    result: Annotated[Path, typer.Argument(help="A JSON file that gatelab bench wrote.")],
    output: Annotated[Path, typer.Option(help="The figure's file, .svg or .png.")] = Path("speed.svg"),
    dark: Annotated[bool, typer.Option("--dark", help="For a dark page.")] = False,
) -> None:
    """Draw a result: how many times as long as gatelab each peer takes."""
    from gatelab.bench import record
    from gatelab.bench.table import ratios
    from gatelab.draw.export import save
    from gatelab.draw.speed import speed

    rows = ratios(record.read(result))
    if not rows:
        raise ConfigError(f"{result}: wanted peers that were timed beside gatelab, got none")
    save(speed(rows), output, dark)
    typer.echo(f"figure: {output}")


@app.command("language")
def language(
    dataset: Annotated[str, typer.Argument(help="A text by its name or path.")] = "stdlib",
    hidden: Annotated[int, typer.Option(help="Hidden units of the LSTM.", min=1)] = 512,
    batch: Annotated[int, typer.Option(help="Lanes of a batch.", min=1)] = 50,
    unroll: Annotated[int, typer.Option(help="Steps of a piece.", min=1)] = 100,
    threads: Annotated[int, typer.Option(help="Threads of both.", min=1)] = 1,
    repeat: Annotated[int, typer.Option(help="Rounds; each way has a turn in each.", min=1)] = 7,
) -> None:
    """Time the training steps of a character LSTM, part by part, beside the same written with torch.nn."""
    from gatelab.bench import language as steps
    from gatelab.bench.table import number

    console = Console(highlight=False, emoji=False)
    _say_busy(console)
    timed = steps.measure(dataset, hidden, batch, unroll, rounds=repeat, threads=threads)
    title = f"A step of LSTM {hidden} on {dataset}: {batch} lanes of {unroll} steps, {threads} thread(s)"
    _show(console, [(title, [steps.table(timed, number)])])
    console.print(f"forward and backward through the network: {timed.share:.1%} of a step", markup=False)


@app.command("readers")
def readers(
    reading: Annotated[str, typer.Option(help="Which, with commas; all as a rule.")] = "",
    repeat: Annotated[int, typer.Option(help="Rounds; medians are shown.", min=1)] = 3,
) -> None:
    """Time the readers of texts, MIDI, speech, pens and tables on real files below GATELAB_DATA."""
    from gatelab import settings
    from gatelab.bench import readers as timed

    folder = settings.data_folder()
    if folder is None:
        raise ConfigError("GATELAB_DATA: wanted the folder with the data sets, came none")
    names = _words(reading) or list(timed.READINGS)
    strange = [n for n in names if n not in timed.READINGS]
    if strange:
        raise ConfigError(f"--reading: no {strange[0]!r}; known are {', '.join(timed.READINGS)}")
    console = Console(highlight=False, emoji=False)
    _say_busy(console)
    _show(
        console,
        [("Readers, a fresh process each, one thread", [timed.table(timed.measure(folder, names, repeat))])],
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _cores(text: str, option: str = "--threads") -> list[int]:
    most = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        found = [int(word) for word in _words(text)]
    except ValueError:
        raise ConfigError(f"{option}: wanted whole numbers with commas, such as 1,2; got {text!r}") from None
    if not found or min(found) < 1 or max(found) > most:
        raise ConfigError(f"{option}: wanted 1 to {most}, the cores of this machine; got {text!r}")
    return found


def _say_busy(console: Console) -> None:
    load = os.getloadavg()[0]
    if load > 0.3:
        console.print(f"note: the machine is at work already (load {load:.1f}); times will be noisy")


def _show(
    console: Console, sections: Iterable[tuple[str, Sequence[Table]]], remarks: Sequence[str] = ()
) -> None:
    """Print titles with their tables, and what has to be known."""
    for title, tables in sections:
        console.print(f"\n{title}", markup=False, style="bold")
        for columns, rows in tables:
            _print(console, columns, rows)
    for remark in remarks:
        console.print(remark, markup=False)


def _print(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False)
    for k, name in enumerate(columns):
        drawn.add_column(Text(name), justify="right" if k else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(value) for value in row))
    console.print(drawn)
