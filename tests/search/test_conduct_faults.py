"""How a study is conducted where the storage or its workers fail; the workers are made up."""

import itertools
import threading
import time
from contextlib import contextmanager

import pytest

from conducted import Told
from gatelab.errors import RunError
from gatelab.runs.store import ATTEMPTS, Store
from gatelab.runs.study import Key, StudyTrial
from gatelab.search import conduct as conducting
from gatelab.search import rescue
from gatelab.search.conduct import Conduct
from gatelab.search.crew import News
from postgres import server
from small_study import PLAN


class MadeUpCrew:
    """Workers that take no time, and die of the keys that are ``deadly``."""

    def __init__(self, size=2, deadly=(), blamed=True, after=None):
        self.size, self.deadly, self.blamed = size, deadly, blamed
        self.after = after or {}  # what is done after so many outcomes
        self.begun, self.waiting, self.outcomes = [], [], itertools.count(1)

    def start(self, key, attempt):
        self.begun.append((key, attempt))
        self.waiting.append((key, attempt))
        assert len(self.waiting) <= self.size

    def judge(self, key, go_on):
        pass

    def news(self, timeout):
        heard, self.waiting = self.waiting, []
        if not heard:
            time.sleep(timeout / 10)
        return [self._news(key, attempt) for key, attempt in heard]

    def _news(self, key, attempt):
        if key in self.deadly:
            return News(key, lost="ended by signal 9", blamed=self.blamed)
        self.after.get(next(self.outcomes), lambda: None)()
        trial = StudyTrial(
            task=key.task, cell=key.cell, number=key.number, status="finished", valid=1.0, attempts=attempt
        )
        return News(key, outcome=trial)

    def close(self):
        pass


@pytest.fixture(scope="module")
def running():
    with server() as running:
        yield running


@pytest.fixture
def conduct(tmp_path):
    """Return a function: crew, and optionally an address → how it is conducted, and who is told."""

    def prepare(crew, url=None, patience=600.0):
        store = Store(url or str(tmp_path / "x.db"), "made-up")
        store.begin(PLAN)
        return Conduct(store, PLAN, crew, Told(), tmp_path / "unsaved.jsonl", patience)

    return prepare


def test_a_trial_that_kills_its_worker_is_given_up_and_others_go_on(conduct):
    deadly = Key("a", "gru", 1)
    done = conduct(MadeUpCrew(deadly=[deadly]))
    assert done.run() == "done"
    record = done.store.record()
    assert not record.missing
    assert [t.key for t in record.trials if t.status != "finished"] == [deadly]
    (failed,) = record.of("a", "gru")[1:2]
    assert (failed.status, failed.attempts) == ("failed", ATTEMPTS)
    assert "lost with its worker 3 times (killed, or out of memory)" in failed.reason
    assert [a for k, a in done.crew.begun if k == deadly] == [1, 2, 3]
    assert done.watcher.losses == [(deadly, "ended by signal 9")] * ATTEMPTS


def test_who_is_stopped_and_begun_again_is_not_given_up(conduct):
    for _ in range(ATTEMPTS + 1):
        first = conduct(MadeUpCrew(after={3: interrupt}))
        with pytest.raises(KeyboardInterrupt):
            first.run()
        assert not first.store.running()
    assert not [t for t in first.store.record().trials if t.status != "finished"]


def interrupt():
    raise KeyboardInterrupt


@contextmanager
def stopped_for(running, seconds):
    """Return what stops the server, and begins it again after so many seconds."""
    timers = []

    def stop():
        running.stop("immediate")
        timers.append(threading.Timer(seconds, running.start))
        timers[0].start()

    yield stop
    for timer in timers:
        timer.join()


def test_a_storage_that_is_gone_for_a_while(conduct, running):
    with stopped_for(running, 2) as stop:
        done = conduct(MadeUpCrew(after={4: stop}), running.empty())
        assert done.run() == "done"
    assert len(done.store.record().trials) == len(PLAN)
    assert len(done.crew.begun) == len(PLAN)  # what had ended was not trained again
    assert any("outcomes to keep" in m for m in done.watcher.messages)


def test_a_storage_that_is_gone_for_too_long(conduct, running):
    done = conduct(MadeUpCrew(after={4: lambda: running.stop("immediate")}), running.empty(), patience=1.0)
    try:
        with pytest.raises(RunError, match=r"postgresql://me@/postgres.* cannot be used"):
            done.run()
        ((_, outcomes),) = rescue.kept(done.rescue)
        assert len(outcomes) == 2  # both that were being trained
    finally:
        running.start()
    again = conduct(MadeUpCrew(), running.url)
    assert again.run() == "done"
    assert not list(rescue.kept(again.rescue))
    assert len(again.store.record().trials) == len(PLAN)
    assert len(done.crew.begun) + len(again.crew.begun) == len(PLAN)


class SleepyCrew(MadeUpCrew):
    """Brings one outcome at a time; before the first, the whole process sleeps."""

    def news(self, timeout):
        if len(self.begun) == self.size:
            time.sleep(2.5)
        return [self._news(*self.waiting.pop(0))]


def test_own_trials_are_not_taken_for_lost_after_a_sleep(conduct, tmp_path, monkeypatch):
    monkeypatch.setattr(conducting, "LOST_EVERY", 0.0)
    monkeypatch.setattr(conducting, "BEAT", 1)
    done = conduct(SleepyCrew())
    done.store = Store(str(tmp_path / "x.db"), "made-up", beat=1, grace=1)
    assert done.run() == "done"
    assert len(done.crew.begun) == len(PLAN)
    assert not done.watcher.losses


def test_two_at_once_train_each_trial_once(conduct, running):
    url = running.empty()
    both = [conduct(MadeUpCrew(size=1), url) for _ in range(2)]
    threads = [threading.Thread(target=one.run) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(k for one in both for k, _ in one.crew.begun) == sorted(PLAN.keys())
    assert len(both[0].store.record().trials) == len(PLAN)
