"""gatelab study show, report, export, import: what a study found, as tables, pages and files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gatelab.cli import study_view as view
from gatelab.cli.study_run import conclude, report_path, table_path
from gatelab.cli.study_storage import Name, Storage, open_store, storage_url
from gatelab.errors import ConfigError

if TYPE_CHECKING:
    from gatelab.runs.store import Store
    from gatelab.runs.study import StudyPlan
    from gatelab.runs.study_table import StudyRecord


def show(
    study: Name,
    out: Annotated[
        Path | None,
        typer.Option(help="The table's file; NAME.study.json.gz in the runs folder.", show_default=False),
    ] = None,
    storage: Storage = None,
) -> None:
    """Show what a study found so far, each cell's best trial and its settings; write the study's table."""
    console = Console(highlight=False, emoji=False)
    record = _found(study, storage)
    if not is_table(study):
        out = out or table_path(record.plan)
    console.print(view.headline(record.plan), markup=False, soft_wrap=not console.is_terminal)
    conclude(console, record, out)


def report(
    studies: Annotated[
        list[str],
        typer.Argument(
            help="Names of studies, or their tables, NAME.study.json.gz. Several of one space, such as a "
            "paper's tasks that were run apart, make one report."
        ),
    ],
    reference: Annotated[
        str | None,
        typer.Option(
            help="The cell that all others are compared with; that of a paper's findings as a rule.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="A .html or .md file, or one of each; beside the study's table as a rule.",
            show_default=False,
        ),
    ] = None,
    storage: Storage = None,
) -> None:
    """Write what a study found as one HTML file that needs no network, or its summary as Markdown."""
    from gatelab.report.study import write_study_reports
    from gatelab.runs.study_table import merged

    for target in out or ():
        if target.suffix.lower() not in (".html", ".md"):
            raise ConfigError(f"--out: wanted a file that ends in .html or .md, got {target.name}")
    record = merged([_found(study, storage) for study in studies])
    table = Path(studies[0]) if is_table(studies[0]) else table_path(record.plan)
    targets = out or [report_path(table)]
    words = ["gatelab", "study", "report", *studies]
    words += ["--reference", reference] if reference else []
    command = shlex.join(words + [word for target in out or () for word in ("--out", str(target))])
    for written in write_study_reports(record, targets, reference=reference, command=command):
        typer.echo(f"report: {written}")


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


def import_table(
    table: Annotated[Path, typer.Argument(help="A file that gatelab study export wrote.")],
    storage: Storage = None,
) -> None:
    """Put the trials of a table into a storage, into the study of its name there if there is one."""
    imported(table, storage)


def imported(table: Path, storage: str | None) -> tuple[Store, StudyPlan]:
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


def _found(study: str, storage: str | None) -> StudyRecord:
    """Return a study as it stands in its storage or in a table."""
    from gatelab.runs.study_table import read_study

    return read_study(Path(study)) if is_table(study) else open_store(storage, study).record()


def is_table(study: str) -> bool:
    """Return whether a study is named by its table, not in a storage."""
    from gatelab.runs.study_table import SUFFIX

    return study.endswith(SUFFIX)
