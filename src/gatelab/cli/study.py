"""gatelab study: tasks × cells × trials over a space of hyper-parameters, kept in a database."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gatelab.cli import study_begin, study_files
from gatelab.cli import study_view as view
from gatelab.cli.study_crew import Hands, Ray, Share, Workers
from gatelab.cli.study_files import imported, is_table
from gatelab.cli.study_run import go_on
from gatelab.cli.study_storage import Name, Storage, open_store
from gatelab.errors import RunError

app = typer.Typer(
    help="Studies: tasks × cells × trials over a space of hyper-parameters.", no_args_is_help=True
)
app.command("run")(study_begin.run)


@app.command()
def resume(
    study: Name,
    trials: Annotated[
        int | None,
        typer.Option(help="So many trials of each cell from now on.", min=1, max=100_000, show_default=False),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    share: Share = None,
    storage: Storage = None,
) -> None:
    """Go on with a study from where it stands, in its storage or in a table."""
    hands = Hands(workers, ray, share)
    if is_table(study):
        store, plan = imported(Path(study), storage)
    else:
        store = open_store(storage, study)
        plan = store.plan()
    if trials is not None:
        plan = store.begin(plan.model_copy(update={"trials": trials}))
    go_on(store, plan, storage, hands)


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
        tasks = view.named([t.name for t in record.plan.tasks], "tasks")
        cells = view.named([c.name for c in record.plan.cells], "cells")
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


app.command("show")(study_files.show)
app.command("report")(study_files.report)
app.command("export")(study_files.export)
app.command("import")(study_files.import_table)
