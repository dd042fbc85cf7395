"""Who trains a study."""

from __future__ import annotations

from gatelab.runs.study import StudyPlan
from gatelab.search.crew import Crew, LocalCrew
from gatelab.search.local import cores


def hire(plan: StudyPlan, workers: int | None = None) -> Crew:
    """Return so many workers of this machine, one a core as a rule.

    Raises
    ------
    GatelabError
        What opening the data of a task raised.
    """
    return LocalCrew(plan, workers or cores())
