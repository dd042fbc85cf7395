"""A study as one compact file: its plan and all trials, ``NAME.study.json.gz``."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gatelab.errors import ConfigError, RunError
from gatelab.runs.config import Paper, explain
from gatelab.runs.findings import Finding
from gatelab.runs.folder import write_atomic
from gatelab.runs.study import STUDY_FORMAT, Key, StudyPlan, StudyTrial, extended

SUFFIX = ".study.json.gz"
LARGEST = 1 << 30
"""Bytes that such a file may hold when unpacked."""


@dataclass(frozen=True)
class StudyRecord:
    """A study as it stands: its plan, the trials that have ended, and the machines they ran on.

    Attributes
    ----------
    environments
        Machine and versions by the worker's machine name.
    """

    plan: StudyPlan
    trials: tuple[StudyTrial, ...]
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, task: str, cell: str) -> list[StudyTrial]:
        """Return the trials of a cell on a task that have ended, by their number."""
        chosen = [t for t in self.trials if t.task == task and t.cell == cell]
        return sorted(chosen, key=lambda t: t.number)

    @property
    def missing(self) -> list[Key]:
        """The trials that have not ended."""
        ended = {t.key for t in self.trials}
        return [k for k in self.plan.keys() if k not in ended]  # noqa: SIM118


def merged(records: Sequence[StudyRecord]) -> StudyRecord:
    """Return studies of one space as one study: all their tasks, cells and trials.

    Such as the tasks of a paper that were run apart. Where they ask for different numbers of trials, the
    whole asks for the most, and what the others did not ask for is missing.

    Raises
    ------
    ConfigError
        Their spaces, settings or seeds differ; a task or cell of the same name is not the same; or a trial
        has two outcomes that differ.
    """
    first = records[0].plan
    plan = first.model_copy(
        update={
            "tasks": _united([t for r in records for t in r.plan.tasks]),
            "cells": _united([c for r in records for c in r.plan.cells]),
            "findings": _distinct([f for r in records for f in r.plan.findings]),
            "trials": max(r.plan.trials for r in records),
            "paper": _both(first, [r.plan for r in records]),
        }
    )
    trials: dict[Key, StudyTrial] = {}
    for record in records:
        extended(record.plan, plan)
        for trial in record.trials:
            if trials.setdefault(trial.key, trial) != trial:
                raise ConfigError(f"trial {trial.key.name} has another outcome in each of two studies")
    environments = {k: v for r in records for k, v in r.environments.items()}
    return StudyRecord(plan, tuple(trials.values()), environments)


def _united(named: Sequence[Any]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for item in named:
        found.setdefault(item.name, item)
    return tuple(found.values())


def _distinct(items: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings, each once for all of its tasks."""
    found: dict[Finding, list[str]] = {}
    for item in items:
        tasks = found.setdefault(item.model_copy(update={"tasks": ("",)}), [])
        tasks += [t for t in item.tasks if t not in tasks]
    return tuple(k.model_copy(update={"tasks": tuple(v)}) for k, v in found.items())


def _both(first: StudyPlan, plans: Sequence[StudyPlan]) -> Paper | None:
    """Return the paper with all differences and reported numbers."""
    papers = [p.paper for p in plans if p.paper]
    if first.paper is None or any(p.key != first.paper.key for p in papers):
        return first.paper
    differences = tuple(dict.fromkeys(d for p in papers for d in p.differences))
    reported = {k: v for p in papers for k, v in p.reported.items()}
    return first.paper.model_copy(update={"differences": differences, "reported": reported})


def write_study(path: Path, record: StudyRecord) -> None:
    """Write a study as one file, whole or not at all; what is written depends on the study alone.

    Raises
    ------
    RunError
        The file cannot be written.
    """
    plan = plan_to_share(record.plan)
    trials = sorted(record.trials, key=lambda t: t.key)
    content = {
        "format": STUDY_FORMAT,
        "plan": plan,
        "environments": {k: dict(v) for k, v in sorted(record.environments.items())},
        "columns": _columns(trials),
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    write_atomic(path, gzip.compress(text.encode(), 9, mtime=0))


def read_study(path: Path) -> StudyRecord:
    """Return the study of a file.

    Raises
    ------
    RunError
        The file is missing, damaged, or of another version.
    """
    content = _unpacked(path)
    if content.get("format") != STUDY_FORMAT:
        raise RunError(
            f"{path} is of format {content.get('format')!r:.40}, this gatelab reads format {STUDY_FORMAT} of "
            "studies; try the gatelab that wrote it"
        )
    try:
        plan = StudyPlan.model_validate(content.get("plan"))
        trials = tuple(StudyTrial.model_validate(row) for row in _rows(content.get("columns")))
    except ValidationError as error:
        raise RunError(f"{path} is damaged: {explain(error, [])}") from None
    except (TypeError, ValueError, AttributeError):
        raise RunError(f"{path} is damaged: its table of trials cannot be read") from None
    environments = content.get("environments")
    if not isinstance(environments, dict) or not all(isinstance(v, dict) for v in environments.values()):
        raise RunError(f"{path} is damaged: it says nothing of the machines")
    known = {(t.name, c.name) for t in plan.tasks for c in plan.cells}
    if any((t.task, t.cell) not in known for t in trials) or len({t.key for t in trials}) < len(trials):
        raise RunError(f"{path} is damaged: a trial stands in it twice, or is none of the plan's")
    return StudyRecord(plan, trials, environments)


def plan_to_share(plan: StudyPlan) -> dict[str, Any]:
    """Return a plan as JSON that may leave the machine: of where the data lay, the file's name alone."""
    shared = plan.model_dump(mode="json")
    for task in shared["tasks"]:
        source = Path(task["record"]["source"])
        if source.is_absolute():
            task["record"]["source"] = source.name
    return shared


def _columns(trials: Iterable[StudyTrial]) -> dict[str, list[Any]]:
    """Return a list for each field: what repeats from row to row packs well so."""
    rows = [t.model_dump(mode="json") for t in trials]
    for row in rows:
        row["curve"] = [[float(f"{v:.6g}") for v in pair] for pair in row["curve"]]
    return {name: [row[name] for row in rows] for name in StudyTrial.model_fields}


def _rows(columns: Any) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _unpacked(path: Path) -> dict[str, Any]:
    try:
        with gzip.open(path, "rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise RunError(f"{path} holds more than {LARGEST >> 20} MiB; that is no table of a study")
        content = json.loads(text)
    except FileNotFoundError:
        raise RunError(f"{path} is missing; wanted a table of a study, NAME{SUFFIX}") from None
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as a table of a study, NAME{SUFFIX} ({error})") from None
    if not isinstance(content, dict):
        raise RunError(f"{path} is no table of a study")
    return content
