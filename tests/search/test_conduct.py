import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
import torch

import conducted
from gatelab.errors import RunError
from gatelab.runs import Epoch
from gatelab.runs.store import Store
from gatelab.runs.study import StudyTrial
from gatelab.search import conduct as conducting
from gatelab.search.conduct import Conduct
from gatelab.search.crew import LocalCrew, News
from gatelab.search.worker import run_trial
from gatelab.tasks import reopen
from small_study import PLAN, changed

NAME = "made-up"


class FakeCrew:
    """Workers that train nothing: each look brings the outcome of the trial that was begun first."""

    def __init__(self, size=2, **outcome):
        self.size, self.outcome = size, outcome
        self.begun, self.working, self.most, self.judged = [], [], 0, {}
        self.before = lambda key: ()

    def start(self, key, attempt):
        self.begun.append(key)
        self.working.append((key, attempt))
        self.most = max(self.most, len(self.working))

    def news(self, timeout):
        if not self.working:
            return []
        key, attempt = self.working.pop(0)
        values = {"status": "finished", "valid": 1.0 + key.number, "curve": ((2.0, 1.0),)} | self.outcome
        trial = StudyTrial(task=key.task, cell=key.cell, number=key.number, attempts=attempt, **values)
        return [*(News(key, epoch=e) for e in self.before(key)), News(key, outcome=trial)]

    def judge(self, key, go_on):
        self.judged.setdefault(key, []).append(go_on)

    def close(self):
        pass


class Study:
    """A study in a folder; each go has a crew and a watcher of its own."""

    def __init__(self, folder, plan=PLAN):
        self.folder, self.plan = folder, plan
        self.store = self.opened()
        self.store.begin(plan)

    def opened(self):
        return Store(str(self.folder / "studies.db"), NAME)

    def conduct(self, crew, **values):
        told = conducted.Told()
        rescue = self.folder / "made-up.unsaved.jsonl"
        return Conduct(self.store, self.plan, crew, told, rescue, **values), told

    def go(self, crew, **values):
        conduct, told = self.conduct(crew, **values)
        return conduct.run(), told


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(conducting, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(conducting, "LOST_EVERY", 0.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return Study(tmp_path)


def test_every_trial_is_trained_once_in_order(study):
    crew = FakeCrew()
    ending, told = study.go(crew)
    assert ending == "done"
    assert crew.begun == list(PLAN.keys())
    assert [t.key for t in told.outcomes] == crew.begun
    assert not study.store.record().missing
    assert crew.most == 2
    again = FakeCrew()
    assert study.go(again)[0] == "done"
    assert again.begun == []


def test_a_study_that_grew_trains_what_is_new(study):
    study.go(FakeCrew())
    study.plan = changed(trials=4)
    study.store.begin(study.plan)
    crew = FakeCrew()
    study.go(crew)
    assert set(crew.begun) == set(study.plan.keys()) - set(PLAN.keys())


@pytest.mark.parametrize("now", [False, True])
def test_who_is_asked_to_stop_stops(study, now):
    crew = FakeCrew()
    conduct, told = study.conduct(crew)
    told.started = lambda key: len(crew.begun) == 3 and study.opened().stop(now)
    assert conduct.run() == "stopped"
    assert 3 <= len(crew.begun) <= 4
    assert not study.store.running()
    assert len(told.outcomes) == len(crew.begun) or now
    rest = FakeCrew()
    assert study.go(rest)[0] == "done"
    assert {t.key for t in study.store.record().trials} == set(PLAN.keys())


def test_a_signal_stops_at_once_and_nobody_is_blamed(study):
    crew = FakeCrew()
    conduct, told = study.conduct(crew)
    crew.news = lambda timeout: ()
    told.started = lambda key: conduct.leave.set()
    assert conduct.run() == "stopped"
    assert not study.store.running()
    assert not study.store.record().trials
    (claim,) = study.store.claim(PLAN)
    assert (claim.key, claim.attempt) == (crew.begun[0], 2)


def broken(study, monkeypatch, times):
    """Let the storage take no outcome for so many attempts."""
    left, finish = [times], study.store.finish

    def finished(claim, outcome):
        if left[0] > 0:
            left[0] -= 1
            raise RunError("the storage is away")
        return finish(claim, outcome)

    monkeypatch.setattr(study.store, "finish", finished)


def test_a_storage_that_is_away_for_a_while_is_waited_for(study, monkeypatch):
    broken(study, monkeypatch, 3)
    crew = FakeCrew()
    ending, told = study.go(crew, patience=2.0)
    assert ending == "done"
    assert any(
        re.match("the storage is away; trying again for 2 s, with 1 outcomes", m) for m in told.messages
    )
    assert told.messages[-1] == ""  # that is over
    assert len(crew.begun) == len(PLAN)
    assert not study.store.record().missing


def test_outcomes_outlive_a_storage_that_is_away_for_too_long(study, monkeypatch):
    with monkeypatch.context() as patched:
        broken(study, patched, 10**6)
        crew = FakeCrew()
        conduct, told = study.conduct(crew, patience=0.3)
        with pytest.raises(RunError, match="the storage is away"):
            conduct.run()
    (file,) = study.folder.glob("made-up.unsaved*")
    assert f"outcomes are kept in {file} until" in told.messages[-1]
    kept = len(file.read_text().splitlines())
    assert kept >= 1
    study.store = study.opened()
    rest = FakeCrew()
    ending, told = study.go(rest)
    assert ending == "done"
    assert f"{kept} outcomes of {file} are in the storage now" in told.messages
    assert len(rest.begun) == len(PLAN) - kept
    assert not file.exists()


def test_where_the_disk_is_full_outcomes_are_kept_elsewhere(study, monkeypatch):
    monkeypatch.setattr(
        conducting.rescue, "write_atomic", full_below(study.folder, conducting.rescue.write_atomic)
    )
    with monkeypatch.context() as patched:
        broken(study, patched, 10**6)
        conduct, told = study.conduct(FakeCrew(), patience=0.1)
        with pytest.raises(RunError, match="the storage is away"):
            conduct.run()
    (file,) = (study.folder / "temporary").iterdir()
    assert str(file) in told.messages[-1]
    assert study.go(FakeCrew())[0] == "done"
    assert not file.exists()


def full_below(folder, write):
    def written(path, text):
        if path.parent == folder:
            raise RunError("the disk is full")
        write(path, text)

    return written


def test_a_damaged_file_of_outcomes_is_not_thrown_away(study):
    file = study.folder / "made-up.unsaved-here-1.jsonl"
    file.write_text("{}\n")
    with pytest.raises(RunError, match="is damaged; repair or remove it"):
        study.go(FakeCrew())
    assert file.exists()


def test_cells_that_always_diverge_end_the_study_all_the_same(study):
    ending, _ = study.go(FakeCrew(status="diverged", valid=None, reason="the gradient's norm became nan"))
    record = study.store.record()
    assert ending == "done"
    assert {t.status for t in record.trials} == {"diverged"}
    assert not record.missing


def test_trials_that_others_train_are_waited_for(study):
    other = study.opened()
    (claim,) = other.claim(PLAN)
    outcome = StudyTrial(task=claim.key.task, cell=claim.key.cell, number=0, status="finished", valid=0.5)
    crew = FakeCrew()
    conduct, told = study.conduct(crew)
    end = threading.Timer(0.0, lambda: other.finish(claim, outcome))
    told.said = lambda message: end.is_alive() or end.ident or end.start()
    assert conduct.run() == "done"
    end.join()
    assert claim.key not in crew.begun
    assert len(study.store.record().trials) == len(PLAN)


def test_no_trial_is_begun_where_memory_has_no_room(study, monkeypatch):
    monkeypatch.setattr(conducting, "available", lambda: 1 << 20)
    crew = FakeCrew(size=3)
    ending, told = study.go(crew)
    assert ending == "done"
    assert crew.most == 1
    assert any("1 MiB of memory are left" in m for m in told.messages)


def test_the_median_pruner_asks_trials_that_are_worse_than_most_to_end(study):
    study.plan = changed(name=NAME, trials=8, pruner="median")
    study.store = Store(str(study.folder / "pruned.db"), NAME)
    study.store.begin(study.plan)
    crew = FakeCrew(size=1, curve=tuple((1.0, 1.0) for _ in range(9)))

    def epochs(key):
        good = key.number % 2 == 0
        for number in (1, 6):
            yield Epoch(epoch=number, updates=1, seconds=0.1, train=1.0, valid=0.9 if good else 1.1)

    crew.before = epochs
    assert study.go(crew)[0] == "done"
    assert len(crew.judged) == len(study.plan)
    for key, (early, late) in crew.judged.items():
        assert early
        assert late == (key.number % 2 == 0 or key.number < conducting.BEFORE_PRUNING)


# processes, begun once


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study of 15 short trials by two workers, which are killed on the way."""
    folder = tmp_path_factory.mktemp("study")
    plan = conducted.short_plan(15, epochs=4)
    store = Store(str(folder / "studies.db"), plan.name)
    store.begin(plan)
    told, begun = conducted.Told(), []
    crew = LocalCrew(plan, 2)

    def started(key):
        begun.append(key)
        if len(begun) == 6:
            time.sleep(0.02)
            for process in _children(crew._keeper.pid):
                os.kill(process, signal.SIGKILL)

    told.started = started
    try:
        ending = Conduct(store, plan, crew, told, folder / "x.jsonl").run()
    finally:
        crew.close()
    return ending, store.record(), told, begun


def _children(process):
    return [
        int(place.parent.name)
        for place in Path("/proc").glob("[0-9]*/stat")
        if place.exists() and int(place.read_text().rpartition(")")[2].split()[1]) == process
    ]


def test_numbers_do_not_depend_on_workers_nor_on_their_deaths(trained):
    ending, record, told, begun = trained
    assert ending == "done"
    assert told.losses
    assert len(begun) == len(record.plan) + len(told.losses)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    tasks = {t.name: reopen(t.record) for t in record.plan.tasks}
    alone = [run_trial(record.plan, tasks, key) for key in record.plan.keys()]  # noqa: SIM118
    torch.set_num_threads(threads)
    assert conducted.numbers(record) == conducted.numbers(type(record)(record.plan, tuple(alone)))


def test_outcomes_say_who_trained_and_how_long(trained):
    _, record, _, _ = trained
    for trial in record.trials:
        assert trial.worker
        assert trial.ended > trial.began > 1.7e9
        assert trial.cpu_seconds > 0
        assert trial.status == "finished"
