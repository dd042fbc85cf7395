"""Who trains a study."""

from __future__ import annotations

from gatelab.errors import ConfigError
from gatelab.runs.study import StudyPlan
from gatelab.search.crew import Crew, LocalCrew
from gatelab.search.local import cores
from gatelab.search.ray_crew import RayCrew, Share


def hire(
    plan: StudyPlan,
    workers: int | None = None,
    ray: str | None = None,
    *,
    cpus: float | None = None,
    gpus: float | None = None,
    memory: float | None = None,
) -> Crew:
    """Return so many workers of this machine, one a core as a rule, or those of a cluster of Ray.

    Parameters
    ----------
    ray
        The cluster's address: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``.
    cpus, gpus, memory
        What each trial takes of a node of Ray, memory in bytes; one processor, and half a GiB, as a rule.

    Raises
    ------
    GatelabError
        What opening the data of a task raised; a cluster cannot be joined; or what was asked of the one is
        for the other.
    """
    share = {k: v for k, v in (("cpus", cpus), ("gpus", gpus), ("memory", memory)) if v is not None}
    if ray is None:
        if share:
            raise ConfigError(f"{', '.join(share)}: a share of a node of Ray, but no cluster was named")
        return LocalCrew(plan, workers or cores())
    if workers is not None:
        raise ConfigError("workers: Ray has as many as its nodes have room for; wanted the share of a trial")
    return RayCrew(plan, ray, Share(**share))
