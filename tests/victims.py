"""A study that is conducted by processes, and what may be killed of it at random moments."""

import functools
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import sqlalchemy
import torch

import conducted
from gatelab.runs.database import engine_options, parsed_url
from gatelab.runs.store import Store
from gatelab.runs.study_table import StudyRecord
from gatelab.search.worker import run_trial
from gatelab.tasks import reopen

PATIENCE = 400
"""Seconds until a study must have ended."""


@functools.cache
def undisturbed(trials):
    """Return the numbers of a study of so many trials where nobody is killed: trained here, one by one."""
    torch.set_num_threads(1)
    plan = conducted.short_plan(trials)
    tasks = {t.name: reopen(t.record) for t in plan.tasks}
    outcomes = tuple(run_trial(plan, tasks, key) for key in plan.keys())  # noqa: SIM118
    return conducted.numbers(StudyRecord(plan, outcomes))


class Victims:
    """A study that is being conducted by processes, and what may be killed of it."""

    def __init__(self, url, trials, folder, seed, workers=1, ray=""):
        self.url, self.trials, self.folder, self.workers, self.ray = url, trials, folder, workers, ray
        self.random, self.seen, self.killed = random.Random(seed), set(), []
        self.engine = sqlalchemy.create_engine(parsed_url(url), **engine_options(parsed_url(url)))
        self.main = self.begun()

    def begun(self):
        arguments = [self.url, str(self.trials), str(self.workers), *([self.ray] if self.ray else [])]
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, conducted.__file__, *arguments], cwd=self.folder, stdout=log, stderr=log
            )

    def ended(self):
        """Return how many trials have ended."""
        with suppress(sqlalchemy.exc.SQLAlchemyError), self.engine.connect() as connection:
            said = "SELECT count(*) FROM trials WHERE state = 'COMPLETE'"
            return connection.scalar(sqlalchemy.text(said))
        return 0  # there are no tables yet

    def candidates(self, what):
        """Return the processes that are such: ``worker`` or ``keeper``."""
        keepers = [p for p in children(self.main.pid) if "spawn_main" in command(p)]
        return {"worker": [w for k in keepers for w in children(k)], "keeper": keepers}.get(what, [])

    def kill(self, what):
        """Kill one that is such, or main where there is none yet, and begin main again."""
        chosen = self.candidates(what)
        self.seen.update(chosen)
        with suppress(ProcessLookupError):
            os.kill(self.random.choice(chosen) if chosen else self.main.pid, signal.SIGKILL)
        self.killed.append(what if chosen else "main")
        if not chosen:
            assert self.main.wait(20) == -signal.SIGKILL, self.said()
            self.main = self.begun()

    def kill_at_random(self, times, whom=("worker", "worker", "keeper", "main")):
        """Kill so often, at moments spread over the study, and wait for its end."""
        until = time.monotonic() + PATIENCE
        moments = sorted(self.random.randrange(self.trials * 9 // 10) for _ in range(times))
        for moment in moments:
            while self.ended() < moment and time.monotonic() < until:
                assert self.main.poll() in (None, 0), self.said()
                time.sleep(0.02)
            time.sleep(self.random.uniform(0.0, 0.4))
            self.kill(self.random.choice(whom))
        assert self.main.wait(until - time.monotonic()) == 0, self.said()

    def said(self):
        return (self.folder / "log").read_text()

    def close(self):
        self.main.kill()
        self.main.wait()
        self.engine.dispose()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def children(process):
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(c) for c in (task / "children").read_text().split()]
    return found


def command(process):
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text()
    return ""


def check(study, expected):
    store = Store(study.url, conducted.NAME)
    record = store.record()
    assert not record.missing
    assert not store.running()
    assert conducted.numbers(record) == expected
    time.sleep(1)
    assert not [p for p in study.seen if "spawn_main" in command(p)]  # nothing is left behind
    store.close()
