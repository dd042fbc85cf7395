"""gatelab study: tasks × cells × trials over a space of hyper-parameters, kept in a database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from gatelab.cli import options
from gatelab.cli import study_view as view
from gatelab.cli.study_run import Workers, carry_out, conclude, go_on, table_path
from gatelab.cli.study_storage import Storage, open_store, storage_url
from gatelab.errors import ConfigError, RunError

if TYPE_CHECKING:
    from gatelab.runs.store import Store
    from gatelab.runs.study import StudyPlan
    from gatelab.runs.study_table import StudyRecord

app = typer.Typer(
    help="Studies: tasks × cells × trials over a space of hyper-parameters.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The study's name, or its table, NAME.study.json.gz.")]
CELLS, TRIALS = "tanh,lstm,gru", 50


@app.command()
def run(
    what: Annotated[
        list[str], typer.Argument(help="A file of TOML that declares the study; or data, such as jsb.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The study's; as a rule the data's.", show_default=False)
    ] = None,
    cells: Annotated[
        str | None, typer.Option(help="Units, by name, with commas; see gatelab cells.", show_default=CELLS)
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials of each cell on each task.", min=1, show_default=str(TRIALS))
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="What trials draw: NAME=log:LOW:HIGH, uniform:LOW:HIGH, one-minus-log:LOW:HIGH, or A,B,C; "
            "may be repeated. A learning rate within the task's bounds as a rule.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE for all trials; may be repeated.", show_default=False),
    ] = None,
    parameters: Annotated[
        int | None,
        typer.Option(
            help="Parameters that each cell gets; 20,000 where no size is drawn or set.",
            min=1,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything that is drawn.", min=0, show_default="0")
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(help="none, or median: stop trials worse than most.", show_default="none"),
    ] = None,
    task: options.TaskKind = None,
    option: options.TaskOptions = None,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    workers: Workers = None,
    storage: Storage = None,
) -> None:
    """Begin a study, or go on with it; trials that ended are not run again.

    With more cells, tasks or trials than before, it grows by these.
    """
    said: dict[str, Any] = {
        "--name": name, "--cells": cells, "--trials": trials, "--space": space, "--set": settings,
        "--parameters": parameters, "--seed": seed, "--pruner": pruner, "--task": task, "--option": option,
        "--epochs": epochs, "--patience": patience,
    }  # fmt: skip
    carry_out(_planned(what, said), storage, workers)


def _planned(what: list[str], said: dict[str, Any]) -> StudyPlan:
    """Return what a file declares, or the options."""
    from gatelab.search.declaration import from_words, read_declaration
    from gatelab.search.declare import declare

    if any(word.lower().endswith(".toml") for word in what):
        if len(what) > 1:
            raise ConfigError(f"wanted one file that declares a study, got {', '.join(what)}")
        if both := [key for key, value in said.items() if value]:
            raise ConfigError(f"{both[0]}: stands in the file where there is one; change {what[0]}")
        return read_declaration(Path(what[0]))
    space, fixed = from_words(said["--space"] or [], said["--set"] or [])
    if said["--parameters"] is not None:
        if twice := {"parameters", "hidden_size"} & {*space, *fixed}:
            raise ConfigError(f"--parameters: {twice.pop()} is drawn or set, too; wanted one of both")
        fixed["parameters"] = said["--parameters"]
    asked = options.given(max_epochs=said["--epochs"], patience=said["--patience"])
    if said["--task"] is not None:
        asked["task"] = said["--task"]
    asked["options"] = options.told(said["--option"])
    return declare(
        [{"data": data, **asked} for data in what],
        [c for c in (said["--cells"] or CELLS).split(",") if c.strip()],
        name=said["--name"], trials=said["--trials"] or TRIALS, space=space, settings=fixed,
        seed=said["--seed"] or 0, pruner=said["--pruner"] or "none",
    )  # fmt: skip


@app.command()
def resume(
    study: Name,
    trials: Annotated[
        int | None,
        typer.Option(help="So many trials of each cell from now on.", min=1, max=100_000, show_default=False),
    ] = None,
    workers: Workers = None,
    storage: Storage = None,
) -> None:
    """Go on with a study from where it stands, in its storage or in a table."""
    if _is_table(study):
        store, plan = _imported(Path(study), storage)
    else:
        store = open_store(storage, study)
        plan = store.plan()
    if trials is not None:
        plan = store.begin(plan.model_copy(update={"trials": trials}))
    go_on(store, plan, storage, workers)


@app.command()
def status(
    study: Annotated[
        str | None, typer.Argument(help="The study's name; all of the storage as a rule.", show_default=False)
    ] = None,
    storage: Storage = None,
) -> None:
    """Show where studies stand: how many trials ended, who works on which, how long it will take."""
    from gatelab.runs.progress import progress

    console = Console(highlight=False, emoji=False)
    if study is None:
        _list(console, storage)
        return
    store = open_store(storage, study)
    record, running = store.record(), store.running()
    found = progress(record.plan, record.trials, running, time.time())
    console.print(view.headline(record.plan), markup=False, soft_wrap=not console.is_terminal)
    console.print(view.speed(found), markup=False)
    console.print(view.counts(record.plan, found.rows, console.width))
    if running:
        console.print(view.workers(running))
    elif record.missing:
        console.print("nobody works on it", markup=False)
    for sentence in view.troubles(record, found.rows):
        console.print(sentence, markup=False, soft_wrap=not console.is_terminal)


def _list(console: Console, storage: str | None) -> None:
    """Show a line for each study of a storage."""
    from gatelab.runs.progress import progress

    store = open_store(storage, "")
    table = view.plain_table("study", "tasks", "cells")
    for name in ("trials", "ended", "running"):
        table.add_column(name, justify="right")
    names = store.names()
    for name in names:
        one = open_store(storage, name)
        try:
            record, running = one.record(), one.running()
        except RunError as error:
            table.add_row(view.literal(name), view.literal(str(error)))
            continue
        found = progress(record.plan, record.trials, running, time.time())
        tasks = ", ".join(t.name for t in record.plan.tasks)
        cells = ", ".join(c.name for c in record.plan.cells)
        numbers = (found.total, found.ended, sum(not r.lost for r in running))
        table.add_row(*map(view.literal, (name, tasks, cells, *map(str, numbers))))
    console.print(table if names else f"{store.place} has no studies", markup=False)


@app.command()
def stop(
    study: Annotated[str, typer.Argument(help="The study's name.")],
    now: Annotated[
        bool, typer.Option("--now", help="Give up the trials that are running; they will be begun anew.")
    ] = False,
    storage: Storage = None,
) -> None:
    """Ask every process that works on a study to stop, when its running trials have ended."""
    store = open_store(storage, study)
    store.plan()
    store.stop(now)
    running = [r for r in store.running() if not r.lost]
    who = sorted({r.owner.rpartition(":")[0] for r in running})
    if not who:
        typer.echo(f"nobody works on {study}")
        return
    when = "within seconds" if now else f"when their {len(running)} running trials have ended"
    typer.echo(f"asked {', '.join(who)} to stop {when}")


@app.command()
def show(
    study: Name,
    out: Annotated[
        Path | None,
        typer.Option(help="The table's file; NAME.study.json.gz in the runs folder.", show_default=False),
    ] = None,
    storage: Storage = None,
) -> None:
    """Show what a study found so far: each cell's best trial and its settings; write table and report."""
    console = Console(highlight=False, emoji=False)
    if _is_table(study):
        from gatelab.runs.study_table import read_study

        record = read_study(Path(study))
    else:
        record = open_store(storage, study).record()
        out = out or table_path(record.plan)
    console.print(view.headline(record.plan), markup=False, soft_wrap=not console.is_terminal)
    conclude(console, record, out)


@app.command()
def export(
    study: Annotated[str, typer.Argument(help="The study's name.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file; NAME.study.json.gz as a rule.", show_default=False),
    ] = None,
    storage: Storage = None,
) -> None:
    """Write a study, its plan and all trials that have ended, as one compact file."""
    from gatelab.runs.study_table import SUFFIX, write_study

    if out is not None and not out.name.endswith(SUFFIX):
        raise ConfigError(f"--out: wanted a file that ends in {SUFFIX}, got {out.name}")
    record = open_store(storage, study).record()
    out = out or Path(f"{study}{SUFFIX}")
    write_study(out, record)
    typer.echo(f"wrote {out}: {len(record.trials):,} of {len(record.plan):,} trials")


@app.command("import")
def import_table(
    table: Annotated[Path, typer.Argument(help="A file that gatelab study export wrote.")],
    storage: Storage = None,
) -> None:
    """Put the trials of a table into a storage, into the study of its name there if there is one."""
    _imported(table, storage)


def _imported(table: Path, storage: str | None) -> tuple[Store, StudyPlan]:
    """Put a table into a storage; return the study there."""
    from gatelab.runs.store import Store
    from gatelab.runs.study_table import read_study

    record: StudyRecord = read_study(table)
    store = Store(storage_url(storage), record.plan.name)
    plan = _grown(store, record.plan)
    for machine, environment in record.environments.items():
        store.keep_environment(machine, dict(environment))
    new = store.add(record.trials)
    typer.echo(f"{table}: {new:,} of its {len(record.trials):,} trials are new in study {plan.name}")
    return store, plan


def _grown(store: Store, plan: StudyPlan) -> StudyPlan:
    """Return the study's plan: this one, or that which it has grown to in the storage."""
    from gatelab.runs.study import extended

    if store.exists():
        before = store.plan()
        try:
            return store.begin(extended(plan, before))
        except ConfigError:
            pass
    return store.begin(plan)


def _is_table(study: str) -> bool:
    from gatelab.runs.study_table import SUFFIX

    return study.endswith(SUFFIX)
