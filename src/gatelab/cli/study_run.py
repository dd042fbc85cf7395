"""A study in the terminal, from where it stands to its end, and what is shown when it has ended."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from gatelab import settings
from gatelab.cli import study_view as view
from gatelab.cli.session import show_table
from gatelab.cli.study_crew import Hands
from gatelab.cli.study_storage import going_on, rescue_path, storage_url
from gatelab.errors import RunError

if TYPE_CHECKING:
    from gatelab.runs.store import Store
    from gatelab.runs.study import StudyPlan
    from gatelab.runs.study_table import StudyRecord

STOPPED = 130
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def carry_out(plan: StudyPlan, storage: str | None, hands: Hands) -> None:
    """Begin a study, or go on with it, until every trial has ended; show what came of it.

    Leaves with exit code 130 where somebody stopped it.
    """
    from gatelab.runs.store import Store

    store = Store(storage_url(storage), plan.name)
    go_on(store, store.begin(plan), storage, hands)


def go_on(store: Store, plan: StudyPlan, storage: str | None, hands: Hands) -> None:
    """Do what has not been done of a study in its storage."""
    console = Console(highlight=False, emoji=False)
    console.print(view.headline(plan), markup=False, soft_wrap=not console.is_terminal)
    if _over(store, storage):
        console.print("This study has ended before; nothing is trained again.")
    else:
        _train(console, store, plan, storage, hands)
    record = store.record()
    conclude(console, record, table_path(plan))
    from gatelab.report.study import write_study_report

    report = write_study_report(record, report_path(table_path(plan)))
    console.print(f"report: {report}", markup=False, soft_wrap=True)


def _over(store: Store, storage: str | None) -> bool:
    from gatelab.search import rescue

    return not store.record().missing and not any(rescue.kept(rescue_path(storage, store.name)))


def _train(console: Console, store: Store, plan: StudyPlan, storage: str | None, hands: Hands) -> None:
    from gatelab.cli.study_live import board
    from gatelab.search.conduct import Conduct

    command = going_on(plan.name, storage)
    try:
        with board(console, store, plan) as shown:
            crew = hands.hire(plan)
            try:
                conduct = Conduct(store, plan, crew, shown, rescue_path(storage, plan.name))
                with _signals_set(conduct.leave):
                    ending = conduct.run()
            finally:
                crew.close()
    except KeyboardInterrupt:
        ending = "stopped"
    except RunError as error:
        raise RunError(f"{error}; when it is mended, go on with: {command}") from error
    if ending == "stopped":
        print(f"gatelab: stopped; go on with: {command}", file=sys.stderr)
        sys.exit(STOPPED)


@contextmanager
def _signals_set(leave: threading.Event) -> Iterator[None]:
    """Set the event when this process is asked to end; asked again, it ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    chosen = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {s: signal.getsignal(s) for s in chosen}

    def heard(number: int, frame: object) -> None:
        if leave.is_set():
            raise KeyboardInterrupt
        leave.set()

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup, or a shell that began this one in the background
            signal.signal(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def table_path(plan: StudyPlan) -> Path:
    """Return where the table of a study is written if nobody says where."""
    from gatelab.runs.study_table import SUFFIX

    return settings.runs_folder() / f"{plan.name}{SUFFIX}"


def conclude(console: Console, record: StudyRecord, target: Path | None) -> None:
    """Show what was found so far, and write it where there is a target: the study as one file.

    Raises
    ------
    RunError
        Every trial failed, or a file cannot be written.
    """
    from gatelab.runs.progress import progress
    from gatelab.runs.study_table import write_study

    rows = progress(record.plan, record.trials, (), 0.0).rows
    for task in record.plan.tasks:
        title = f"{task.name}: {task.record.title}, {task.record.objective.title}"
        show_table(console, title, view.best(record, task.name, rows))
    for sentence in view.troubles(record, rows):
        console.print(sentence, markup=False, soft_wrap=not console.is_terminal)
    if target is not None:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        write_study(target, record)
        console.print(f"table: {target}", markup=False, soft_wrap=True)
    if record.trials and all(t.status == "failed" for t in record.trials):
        raise RunError(f"every trial of study {record.plan.name} failed; the first says: {_first(record)}")


def report_path(table: Path) -> Path:
    """Return where the report of a study is written if nobody says where: beside its table."""
    from gatelab.runs.study_table import SUFFIX

    return table.with_name(f"{table.name.removesuffix(SUFFIX)}.study.html")


def _first(record: StudyRecord) -> str:
    return record.trials[0].reason.strip().splitlines()[-1] if record.trials[0].reason.strip() else "nothing"
