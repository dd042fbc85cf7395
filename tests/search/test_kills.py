"""Processes of a study are killed at random moments; its numbers must not show it."""

import time
from collections import Counter
from contextlib import contextmanager

import pytest

import conducted
from gatelab.runs.store import Store
from postgres import server
from victims import PATIENCE, Victims, check, undisturbed


@pytest.fixture(scope="module")
def running():
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "studies.db")
    return request.getfixturevalue("running").empty()


def test_two_kills(tmp_path):
    with Victims(str(tmp_path / "x.db"), 24, tmp_path, seed=5) as study:
        study.kill_at_random(2, ["worker", "main"])
        check(study, undisturbed(24))


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [1])
def test_twenty_kills(url, tmp_path, seed):
    with Victims(url, 300, tmp_path, seed, workers=2) as study:
        study.kill_at_random(20)
        assert len(study.killed) == 20
        assert set(study.killed) == {"worker", "keeper", "main"}
        check(study, undisturbed(300))
        print(study.killed, study.said())


@pytest.mark.exhaustive
def test_two_mains_on_one_server(tmp_path, running):
    """Each has a worker; they share the load, and no trial is begun twice."""
    with Victims(running.empty(), 300, tmp_path, seed=1) as study:
        seconds = [wait(study)]
        check(study, undisturbed(300))
    with Victims(running.empty(), 300, tmp_path, seed=1) as study, other(study) as second:
        seconds.append(wait(study, second))
        check(study, undisturbed(300))
    trials = Store(study.url, conducted.NAME).record().trials
    load = Counter(t.worker for t in trials)
    assert len(load) == 2
    assert min(load.values()) > 60
    assert {t.attempts for t in trials} == {1}
    print("seconds with one and with two:", seconds, load)


@contextmanager
def other(study):
    process = study.begun()
    yield process
    process.kill()
    process.wait()


def wait(study, *others):
    began = time.monotonic()
    for process in (study.main, *others):
        assert process.wait(PATIENCE) == 0, study.said()
    return time.monotonic() - began
