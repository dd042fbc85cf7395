"""A study in a database: what was asked, which trials are being run and by whom, and what came of them.

Studies and trials are those of optuna, in a file of SQLite or on a PostgreSQL server, so that optuna's own
tools read them, too. A trial of gatelab stands there once for each time that it was begun:

==========  ==================================================================================================
RUNNING     someone works on it, and says so by heartbeats
COMPLETE    it ended with a value: its outcome is kept with it
PRUNED      it was stopped early; its outcome is kept
FAIL        with an outcome: it ended without a value; without one: it was lost with its worker
==========  ==================================================================================================

A trial that was lost is begun anew.

Who begins or gives up a trial does so under a lock (:mod:`gatelab.runs.mutex`), so no trial is begun twice at
a time, and one that has an outcome is never begun again. An outcome of a trial that was taken for lost and
given to another meanwhile is refused: each trial counts once.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Container, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Literal

import optuna
import sqlalchemy
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic import ValidationError

from gatelab.errors import RunError, near_misses
from gatelab.runs.attempts import Attempts, Loss, attempt_at, attempts, ending, kept_attempt, key_of
from gatelab.runs.config import explain
from gatelab.runs.database import database_errors, mutex_for, opened, parsed_url, shown
from gatelab.runs.mutex import Mutex
from gatelab.runs.process import is_gone, owner
from gatelab.runs.study import STUDY_FORMAT, Key, StudyPlan, StudyTrial, extended
from gatelab.runs.study_table import StudyRecord

BEAT = 10
"""Seconds between two heartbeats of a running trial."""
GRACE = 60
"""Seconds without a heartbeat after which a trial is taken for lost."""
ATTEMPTS = 3
"""How often a trial is begun that ends its worker each time."""
AT_ONCE = 100
"""Outcomes from elsewhere that are kept while the lock is held."""
LOSSES = 10
"""How often a trial is begun that is lost each time, whoever is to blame."""


@dataclass(frozen=True)
class Claim:
    """A trial that this process has begun; ``attempt`` counts from 1."""

    key: Key
    trial_id: int
    attempt: int
    began: float


@dataclass(frozen=True)
class Running:
    """A trial that somebody works on: who (machine:process), and since when in seconds since 1970.

    ``lost``: its process is gone or silent, so that it will be begun anew as soon as anybody goes on.
    """

    key: Key
    owner: str
    began: float
    lost: bool = False


class Store:
    """A study in its database.

    Parameters
    ----------
    url
        ``sqlite:///PATH``, a path, or ``postgresql://USER@HOST/DATABASE``.
    name
        The study's.

    Raises
    ------
    RunError
        The database cannot be reached, is none, or is of another version.
    """

    def __init__(self, url: str, name: str, beat: int = BEAT, grace: int = GRACE) -> None:
        self.name, self.grace, self._owner = name, grace, owner()
        parsed = parsed_url(url)
        self.place = shown(parsed)
        with self._errors():
            self._backend = opened(parsed, beat, grace)
        self._storage = optuna.storages._CachedStorage(self._backend)
        self._mutex = mutex_for(parsed, name)
        self._id: int | None = None
        self._closing = weakref.finalize(self, _close, self._backend, self._mutex)

    def close(self) -> None:
        """Let go of the database; the same happens where nobody needs the store any longer."""
        self._closing()

    # what was asked

    def begin(self, plan: StudyPlan) -> StudyPlan:
        """Make the study, or extend the one that is there; return its plan.

        Raises
        ------
        ConfigError
            The study that is there cannot become this one.
        """
        with self._errors(), self._mutex.held():
            if self.exists():
                before = self.plan()
                if before != plan:
                    self._storage.set_study_user_attr(
                        self._study, "plan", extended(before, plan).model_dump(mode="json")
                    )
                return plan
            with suppress(DuplicatedStudyError):
                self._storage.create_new_study([StudyDirection.MINIMIZE], self.name)
            self._storage.set_study_user_attr(self._study, "plan", plan.model_dump(mode="json"))
        return plan

    def exists(self) -> bool:
        """Return whether the study stands in the database, with its plan."""
        with self._errors():
            there = self.name in self.names()
            return there and "plan" in self._storage.get_study_user_attrs(self._study)

    def names(self) -> list[str]:
        """Return the names of all studies in the database."""
        with self._errors():
            return sorted(s.study_name for s in self._backend.get_all_studies())

    def plan(self) -> StudyPlan:
        """Return what was asked.

        Raises
        ------
        RunError
            There is no such study, or it is not gatelab's, or of another version.
        """
        with self._errors():
            said = self._storage.get_study_user_attrs(self._study).get("plan")
        if not isinstance(said, dict):
            raise RunError(f"study {self.name} in {self.place} is none that gatelab began")
        if said.get("format") != STUDY_FORMAT:
            raise RunError(
                f"study {self.name} in {self.place} is of format {said.get('format')!r:.40}, this one reads "
                f"format {STUDY_FORMAT} of studies; try the gatelab that began it"
            )
        try:
            return StudyPlan.model_validate(said)
        except ValidationError as error:
            raise RunError(
                f"study {self.name} in {self.place} is damaged: plan.{explain(error, [])}"
            ) from None

    @property
    def _study(self) -> int:
        if self._id is None:
            try:
                self._id = self._storage.get_study_id_from_name(self.name)
            except KeyError:
                names = self.names()
                known = ", ".join(names) or "none"
                raise RunError(
                    f"{self.place} has no study {self.name!r}{near_misses(self.name, names)}; it has {known}"
                ) from None
        return self._id

    # which trials are run, and by whom

    def claim(self, plan: StudyPlan, count: int = 1) -> list[Claim]:
        """Begin the next ``count`` trials that nobody has begun, in the plan's order, and return them.

        Trials that were lost too often get an outcome that says so.
        """
        with self._errors(), self._mutex.held():
            state = self._state()
            claims: list[Claim] = []
            for key in plan.keys():  # noqa: SIM118
                if len(claims) == count:
                    break
                if key in state.ended or key in state.running:
                    continue
                begun, blamed, lost = state.begun[key], state.blamed[key], state.lost[key]
                if blamed >= ATTEMPTS or lost >= LOSSES:
                    self._give_up(plan, key, begun, lost)
                    continue
                claims.append(self._created(plan, key, begun + 1))
            for claim in claims:
                self._storage.record_heartbeat(claim.trial_id)
            return claims

    def finish(self, claim: Claim, outcome: StudyTrial) -> bool:
        """Keep a trial's outcome; return whether it counts.

        False where the trial was taken for lost meanwhile, because this process was silent for too long.
        """
        with self._errors(), self._mutex.held():
            try:
                self._storage.set_trial_user_attr(claim.trial_id, "outcome", outcome.model_dump(mode="json"))
                self._end(claim.trial_id, outcome)
            except UpdateFinishedTrialError:
                # its own outcome may stand there, where the answer to an earlier try was lost on its way
                return "outcome" in self._backend.get_trial(claim.trial_id).user_attrs
            return True

    def free(self, claims: Sequence[Claim], why: Loss = "worker") -> None:
        """Give trials up without an outcome: they will be begun anew.

        Parameters
        ----------
        why
            ``worker`` where the trial's own worker died, ``gone`` where more than that was lost, ``stop``
            where somebody wanted it so. Trials are given up for good after three times of the first, or ten
            of the first two.
        """
        with self._errors(), self._mutex.held():
            for claim in claims:
                self._lose(claim.trial_id, why)

    def free_lost(self) -> list[Key]:
        """Give up the trials of processes that are silent, or of this machine and dead; return them."""
        with self._errors(), self._mutex.held():
            stale = set(self._storage._get_stale_trial_ids(self._study))
            beaten = self._beaten()
            freed = []
            for trial in self._running():
                if "outcome" in trial.user_attrs:  # its process died between two writes
                    self._end(trial._trial_id, StudyTrial.model_validate(trial.user_attrs["outcome"]))
                elif trial._trial_id in stale or is_gone(trial.user_attrs.get("owner", "")):
                    self._lose(trial._trial_id, "gone")
                    freed.append(key_of(trial))
                elif trial._trial_id not in beaten:  # begun by who died before the first beat, or never heard
                    self._storage.record_heartbeat(trial._trial_id)
            return freed

    def beat(self, claims: Sequence[Claim]) -> None:
        """Say that these trials are being worked on."""
        with self._errors():
            for claim in claims:
                self._storage.record_heartbeat(claim.trial_id)

    def stop(self, now: bool = False) -> None:
        """Ask every process that works on the study to stop, when its trials have ended or ``now``."""
        with self._errors():
            self._storage.set_study_user_attr(self._study, "stop", [time.time(), now])

    def asked_to_stop(self, since: float) -> Literal["", "after trials", "now"]:
        """Return whether anybody asked to stop after a moment, in seconds since 1970."""
        with self._errors():
            said = self._storage.get_study_user_attrs(self._study).get("stop")
        if not isinstance(said, list) or len(said) != 2 or said[0] <= since:
            return ""
        return "now" if said[1] else "after trials"

    # what came of them

    def record(self) -> StudyRecord:
        """Return the study as it stands."""
        plan = self.plan()
        known = {(t.name, c.name) for t in plan.tasks for c in plan.cells}
        with self._errors():
            said = self._storage.get_study_user_attrs(self._study)
            trials = [t for t in self._trials() if (t.task, t.cell) in known]
        environments = {
            k.removeprefix("environment/"): v for k, v in said.items() if k.startswith("environment/")
        }
        return StudyRecord(plan, tuple(trials), environments)

    def running(self) -> list[Running]:
        """Return the trials that are being worked on."""
        with self._errors():
            stale = set(self._storage._get_stale_trial_ids(self._study))
            return [
                Running(
                    key_of(t), t.user_attrs["owner"], t.user_attrs["began"],
                    t._trial_id in stale or is_gone(t.user_attrs["owner"]),
                )
                for t in self._running()
            ]  # fmt: skip

    def ended(self, known: Container[Key] = ()) -> list[StudyTrial]:
        """Return the outcomes of trials that are not known yet."""
        with self._errors():
            return list(self._trials(known))

    def keep_environment(self, machine: str, environment: dict[str, Any]) -> None:
        """Keep what a machine is and which versions it has."""
        with self._errors():
            self._storage.set_study_user_attr(self._study, f"environment/{machine}", environment)

    def add(self, trials: Sequence[StudyTrial]) -> int:
        """Keep outcomes from elsewhere, such as a table's; return how many were new.

        That of an attempt which still stands here as running ends it; of a trial that is being tried another
        time, it is not taken.
        """
        with self._errors():
            return sum(self._add(trials[k : k + AT_ONCE]) for k in range(0, len(trials), AT_ONCE))

    def _add(self, trials: Sequence[StudyTrial]) -> int:
        with self._mutex.held():
            plan, state, new = self.plan(), self._state(), 0
            running = {(key_of(t), t.user_attrs["attempt"]): t._trial_id for t in self._running()}
            for trial in trials:
                place = running.get((trial.key, trial.attempts))
                if trial.key in state.ended or (trial.key in state.running and place is None):
                    continue
                if place is None:
                    self._storage.create_new_trial(self._study, kept_attempt(plan, trial, self._owner))
                else:
                    self._storage.set_trial_user_attr(place, "outcome", trial.model_dump(mode="json"))
                    self._end(place, trial)
                state.ended.add(trial.key)
                new += 1
            return new

    def _beaten(self) -> set[int]:
        """Return the trials that have had a heartbeat."""
        with self._backend.engine.connect() as connection:
            return set(connection.scalars(sqlalchemy.text("SELECT trial_id FROM trial_heartbeats")))

    def _lose(self, trial_id: int, why: Loss) -> None:
        with suppress(UpdateFinishedTrialError):
            self._storage.set_trial_user_attr(trial_id, "lost", why)
            self._storage.set_trial_state_values(trial_id, TrialState.FAIL)

    def _running(self) -> list[FrozenTrial]:
        return self._storage.get_all_trials(self._study, deepcopy=False, states=(TrialState.RUNNING,))

    def _trials(self, known: Container[Key] = ()) -> Iterator[StudyTrial]:
        seen: set[Key] = set()  # should a lock have been lost while it was held, the first outcome counts
        for trial in self._storage.get_all_trials(self._study, deepcopy=False):
            key = key_of(trial)
            if trial.state.is_finished() and "outcome" in trial.user_attrs and key not in seen:
                seen.add(key)
                if key in known:
                    continue
                try:
                    yield StudyTrial.model_validate(trial.user_attrs["outcome"])
                except ValidationError as error:
                    raise RunError(
                        f"{self.place}: trial {trial.number} of study {self.name} is damaged: "
                        f"{explain(error, [])}"
                    ) from None

    def _state(self) -> Attempts:
        return attempts(self._storage.get_all_trials(self._study, deepcopy=False))

    def _created(self, plan: StudyPlan, key: Key, attempt: int) -> Claim:
        began = time.time()
        trial = attempt_at(plan, key, attempt, self._owner, began)
        return Claim(key, self._storage.create_new_trial(self._study, trial), attempt, began)

    def _give_up(self, plan: StudyPlan, key: Key, begun: int, lost: int) -> None:
        now = time.time()
        outcome = StudyTrial(
            task=key.task, cell=key.cell, number=key.number, status="failed", settings=plan.drawn(key),
            reason=f"lost with its worker {lost} times (killed, or out of memory)", attempts=begun,
            began=now, ended=now,
        )  # fmt: skip
        self._storage.create_new_trial(self._study, kept_attempt(plan, outcome, self._owner))

    def _end(self, trial_id: int, outcome: StudyTrial) -> None:
        self._storage.set_trial_state_values(trial_id, *ending(outcome))

    def _errors(self) -> AbstractContextManager[None]:
        return database_errors(self.place)


def _close(backend: optuna.storages.RDBStorage, mutex: Mutex) -> None:
    mutex.close()
    backend.scoped_session.remove()
    backend.engine.dispose()
