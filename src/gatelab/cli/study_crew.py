"""Who trains a study, as the command line means it: workers of this machine, or those of Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatelab.errors import ConfigError, near_misses

if TYPE_CHECKING:
    from gatelab.runs.study import StudyPlan

Workers = Annotated[
    int | None,
    typer.Option(help="Trials at once, one thread each; all cores by default.", min=1, show_default=False),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Train on a cluster of Ray: HOST:PORT, auto for that of this machine, or ray://HOST:PORT.",
        show_default=False,
    ),
]
Share = Annotated[
    str | None,
    typer.Option(
        "--share",
        help="What a trial takes of a node of Ray: cpus=1,gpus=0,memory=0.5 as a rule, memory in GiB.",
        show_default=False,
    ),
]
SHARES = ("cpus", "gpus", "memory")


@dataclass(frozen=True)
class Hands:
    """Who is to train: see the options of the same names; what contradicts itself is refused at once."""

    workers: int | None = None
    ray: str | None = None
    share: str | None = None

    def __post_init__(self) -> None:
        if self.ray is not None and self.workers is not None:
            raise ConfigError("--workers: Ray says how many there are; wanted --workers or --ray")
        if self.ray is None and self.share is not None:
            raise ConfigError("--share: of a node of Ray; wanted --ray ADDRESS, too")
        shares(self.share)

    def hire(self, plan: StudyPlan) -> Any:
        """Return them, ready: a :class:`gatelab.search.crew.Crew`."""
        from gatelab.search.hire import hire

        return hire(plan, self.workers, self.ray, **shares(self.share))


def shares(said: str | None) -> dict[str, float]:
    """Return what ``cpus=0.5,memory=2`` says, memory in bytes.

    Raises
    ------
    ConfigError
        It says nothing of the kind.
    """
    found: dict[str, float] = {}
    for part in (said or "").split(",") if said else ():
        name, _, number = part.partition("=")
        name = name.strip()
        if name not in SHARES:
            raise ConfigError(
                f"--share: no part of a node is called {name!r}{near_misses(name, SHARES)}; "
                f"known are {', '.join(SHARES)}"
            )
        try:
            found[name] = float(number) * (1 << 30 if name == "memory" else 1)
        except ValueError:
            raise ConfigError(
                f"--share: wanted a number for {name}, such as {name}=1; got {part!r}"
            ) from None
    return found
