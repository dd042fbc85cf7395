"""Who trains a study."""

from __future__ import annotations

from gatelab.runs.study import StudyPlan
from gatelab.search.crew import Crew, LocalCrew
from gatelab.search.local import cores
from gatelab.search.ray_crew import RayCrew


def hire(plan: StudyPlan, workers: int | None = None, ray: str | None = None) -> Crew:
    """Return workers of this machine, one a core as a rule, or those of the cluster at Ray's address.

    Raises
    ------
    GatelabError
        What opening the data of a task raised, or reaching the cluster.
    """
    return LocalCrew(plan, workers or cores()) if ray is None else RayCrew(plan, ray)
