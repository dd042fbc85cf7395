"""Run folders: what was asked, what came of it, in files that the laboratory writes and the gallery reads."""

from gatelab.runs.config import (
    ONE_LAYER,
    Body,
    Comparison,
    Measure,
    Paper,
    Reported,
    Task,
    Training,
    Unit,
    build,
)
from gatelab.runs.folder import create, locked, open_run, write_atomic, write_json
from gatelab.runs.tables import Epoch, Outcome, RunRecord, Trial, TrialRecord, UnitResult, read_run, results

__all__ = [
    "ONE_LAYER",
    "Body",
    "Comparison",
    "Epoch",
    "Measure",
    "Outcome",
    "Paper",
    "Reported",
    "RunRecord",
    "Task",
    "Training",
    "Trial",
    "TrialRecord",
    "Unit",
    "UnitResult",
    "build",
    "create",
    "locked",
    "open_run",
    "read_run",
    "results",
    "write_atomic",
    "write_json",
]
