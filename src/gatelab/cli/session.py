"""A run in the terminal: what will be done, progress bars, the result table, the report's path."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gatelab import settings
from gatelab.runs import Body, Comparison, Epoch, Outcome, RunRecord, Trial, open_run, read_run

_BEGAN = time.perf_counter()  # the commands read this module first, before torch


def carry_out(plan: Comparison, runs: Path | None, workers: int | None, profile: bool = False) -> None:
    """Make the run's folder, or find it, and do what has not been done."""
    from gatelab.search import begin

    go_on(begin(runs or settings.runs_folder(), plan), workers, profile)


def go_on(folder: Path, workers: int | None, profile: bool = False) -> None:
    """Do what has not been done of a run, show its result, and write its report.

    With ``profile``, show where the time went, too, and keep it in the run's folder.
    """
    from gatelab.search import work
    from gatelab.search.compare import changed_environment

    console = Console(highlight=False, emoji=False)
    config = open_run(folder)
    console.print(_budget(config), markup=False)
    before = read_run(folder)
    if before.complete:
        console.print(f"This run has ended before; nothing is trained again. Delete {folder} to begin anew.")
    if changed := changed_environment(folder):
        said = (
            f"note: {', '.join(changed)} differ from when the run began; the last digits of numbers may, too"
        )
        console.print(said, markup=False)
    began = time.perf_counter()
    threading.Thread(target=_prepare_report).start()  # a second of imports, while workers begin
    try:
        with Bars(console, config) as bars:
            run = work(folder, bars, workers, profile)
    except KeyboardInterrupt:
        print(f"gatelab: stopped; go on with: gatelab resume {folder}", file=sys.stderr)
        sys.exit(130)
    trained = time.perf_counter()
    seconds = trained - began
    show(console, run)
    console.print(
        f"trained in {seconds:.0f} s of wall-clock time" if not before.complete else "", markup=False
    )
    from gatelab.report import write_report

    report = write_report([folder])
    if profile and not before.complete:
        _keep_profile(folder, trained - _BEGAN, time.perf_counter() - trained)
    if profile:
        _show_profile(console, folder)
    console.print(f"run: {folder}\nreport: {report}", markup=False, soft_wrap=True)


def _prepare_report() -> None:
    import gatelab.report  # noqa: F401


def _keep_profile(folder: Path, until_trained: float, report: float) -> None:
    """Add this process's own time to what the trials wrote down."""
    from gatelab.runs.profile import read_profile, write_profile

    found = read_profile(folder)
    if found is not None:
        before = max(0.0, until_trained - found.training)
        write_profile(folder, found.model_copy(update={"before": before, "report": report}))


def _show_profile(console: Console, folder: Path) -> None:
    from gatelab.report.timing import profile_table
    from gatelab.runs.profile import read_profile

    found = read_profile(folder)
    if found is None:
        console.print("where the time went is not known: no session of this run was timed", markup=False)
        return
    show_table(console, "Where the time went, summed over trials [s]", profile_table(found))
    said = (
        f"{found.workers} workers for {found.training:.1f} s of wall-clock time; "
        f"beside it {found.before:.1f} s of imports and plans and {found.report:.1f} s for the report"
    )
    console.print(said, markup=False)


def show(console: Console, run: RunRecord) -> None:
    """Print the result table, that of the paper beside ours where there is one, and the answer in words."""
    from gatelab.report.details import difference_table, reported_table
    from gatelab.report.table import answer, result_table

    show_table(console, f"{run.config.task.title}: {run.config.task.objective.title}", result_table(run))
    if paper := run.config.paper:
        said = f"reported of {paper.other_data}, other data" if paper.other_data else "ours − reported"
        show_table(console, f"Beside the paper ({paper.table}; {said})", reported_table(run))
    if run.config.repeats and len(run.config.units) > 1:
        show_table(
            console, f"Differences in test {run.config.task.headline}, paired by seed", difference_table(run)
        )
    console.print(answer(run), markup=False)
    for difference in run.config.paper.differences if run.config.paper else ():
        console.print(f"differs from the paper: {difference}", markup=False)


def show_table(console: Console, title: str, table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> None:
    """Print a table; one too wide for the terminal is turned, a column for each unit."""
    columns, rows = table
    widths = _widths(columns, rows, console.width)
    if widths is None:
        columns, rows = _turned(columns, rows)
        widths = _widths(columns, rows, console.width)
    drawn = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for k, name in enumerate(columns):
        words = [word for value in (name, *(row[k] for row in rows)) for word in value.split()]
        drawn.add_column(
            Text(name),
            justify="right" if k else "left",
            width=widths[k] if widths else None,
            min_width=max(map(len, words)) if k == 0 else None,
        )
    for row in rows:
        drawn.add_row(*(Text(value) for value in row))
    console.print(drawn)


def show_rows(console: Console, title: str, table: tuple[Sequence[str], Sequence[Sequence[str]]]) -> None:
    """Print a table; where it is too wide, each row as a table of its own."""
    columns, rows = table
    if _widths(columns, rows, console.width) is not None:
        show_table(console, title, table)
        return
    for row in rows:
        pairs = list(zip(columns, row, strict=True))
        show_table(console, title, (pairs[0], pairs[1:]))


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[int] | None:
    """Return a width for each column so that values are not broken, nor headings if it can be helped.

    None where not even headings broken at spaces make the table fit.
    """
    values = [max((len(row[k]) for row in rows), default=0) for k in range(len(columns))]
    for headings in (map(len, columns), (max(map(len, name.split())) for name in columns)):
        widths = [max(pair) for pair in zip(headings, values, strict=True)]
        if sum(widths) + 3 * len(columns) <= most:
            return widths
    return None


def _turned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    turned = [[name, *(row[k] for row in rows)] for k, name in enumerate(columns)]
    return turned[0], turned[1:]


def _budget(config: Comparison) -> str:
    training, task = config.training, config.task
    counted = "recurrent layers" if config.count == "recurrent" else "all parameters"
    units = ", ".join(f"{u.name} {u.hidden_size} units ({u.parameters:,})" for u in config.units)
    return (
        f"{task.title}: {' / '.join(f'{n:,}' for n in task.sequences)} sequences, "
        f"{' / '.join(f'{n:,}' for n in task.steps)} steps (train / validation / test); {task.source}\n"
        f"task: {task.kind}, {task.input_size} inputs and {task.output_size} outputs a step"
        f"{''.join(f'; {note}' for note in task.notes)}\n"
        f"units for {config.budget:,} parameters ({counted} counted): {units}{_body(config.body)}\n"
        f"budget: {len(config.learning_rates)} learning rates a unit, "
        f"its best trial repeated {config.repeats} times; "
        f"at most {training.max_epochs} epochs, patience {training.patience}, "
        f"batches of {training.batch_size}, {training.optimizer}, weight noise {training.weight_noise:g}, "
        f"{f'input noise {training.input_noise:g}, ' if training.input_noise else ''}seed {config.seed}"
    )


def _body(body: Body) -> str:
    """Say what of the layers is not plain."""
    said = [f"{body.layers} layers"] if body.layers > 1 else []
    said += ["in both directions"] if body.bidirectional else []
    said += [f"dropout {body.dropout:g}"] if body.dropout else []
    return f"; {', '.join(said)}" if said else ""


class Bars:
    """Progress bars: all trials of the stage, and each that is being trained.

    Where the output is no terminal, a line for each trial that ended.
    """

    def __init__(self, console: Console, config: Comparison) -> None:
        self.console, self.config = console, config
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[news]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.active: dict[str, TaskID] = {}
        self.whole: TaskID | None = None

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def planned(self, trials: Sequence[Trial], ended: int) -> None:
        """Begin the bar of a stage."""
        if self.whole is not None:
            self.progress.remove_task(self.whole)
        stage = "repeats" if trials and trials[0].stage == "repeat" else "learning rates"
        self.whole = self.progress.add_task(stage, total=len(trials) + ended, completed=ended, news="")

    def told(self, trial: Trial, news: Epoch | Outcome) -> None:
        """Move the bars."""
        if isinstance(news, Outcome):
            self._ended(trial, news)
            return
        if trial.name not in self.active:
            title = f"  {trial.unit} at {trial.learning_rate:.2g}"
            self.active[trial.name] = self.progress.add_task(
                title, total=self.config.training.max_epochs, news=""
            )
        text = f"epochs, validation {news.valid:.3f}"
        self.progress.update(self.active[trial.name], completed=news.epoch, news=text)

    def _ended(self, trial: Trial, outcome: Outcome) -> None:
        if trial.name in self.active:
            self.progress.remove_task(self.active.pop(trial.name))
        if self.whole is not None:
            self.progress.advance(self.whole)
        found = "no result" if outcome.valid is None else f"validation {outcome.valid:.3f}"
        self.console.print(
            f"{trial.unit} {trial.stage} {trial.number}: learning rate {trial.learning_rate:.3g}, {found}, "
            f"{outcome.epochs} epochs in {outcome.seconds:.0f} s ({outcome.reason})",
            markup=False,
            soft_wrap=not self.console.is_terminal,
        )
