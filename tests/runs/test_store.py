import multiprocessing
import os
import sqlite3
import time
from contextlib import nullcontext

import pytest

from gatelab.errors import ConfigError, RunError
from gatelab.runs.database import shown
from gatelab.runs.store import ATTEMPTS, LOSSES, Store, parsed_url
from gatelab.runs.study import StudyTrial
from postgres import server
from small_study import PLAN, changed


@pytest.fixture(scope="module")
def running():
    with server() as running:
        yield running


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "studies.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, path):
    if request.param == "sqlite":
        return path
    return request.getfixturevalue("running").empty()


@pytest.fixture
def store(url):
    store = Store(url, "made-up")
    store.begin(PLAN)
    return store


def outcome(claim, **values):
    return StudyTrial(
        task=claim.key.task, cell=claim.key.cell, number=claim.key.number, status="finished",
        attempts=claim.attempt, **{"valid": 1.0, **values},
    )  # fmt: skip


def test_trials_are_claimed_in_order_and_once(store, url):
    other = Store(url, "made-up")
    first, second = store.claim(PLAN), other.claim(PLAN, 2)
    assert [c.key for c in first + second] == list(PLAN.keys())[:3]
    assert {r.key for r in store.running()} == {c.key for c in first + second}
    assert store.finish(first[0], outcome(first[0]))
    assert [c.key for c in store.claim(PLAN)] == list(PLAN.keys())[3:4]


def test_all_of_it(store):
    while claims := store.claim(PLAN, 5):
        for claim in claims:
            assert store.finish(claim, outcome(claim, valid=claim.key.number + 0.5, curve=((1.0, 2.0),)))
    record = store.record()
    assert record.plan == PLAN
    assert sorted(t.key for t in record.trials) == sorted(PLAN.keys())
    assert not record.missing
    assert not store.running()


def test_a_lost_trial_is_begun_anew_and_its_late_outcome_refused(store, url):
    (claim,) = store.claim(PLAN)
    store.free([claim])
    (again,) = Store(url, "made-up").claim(PLAN)
    assert again.key == claim.key
    assert again.attempt == 2
    assert not store.finish(claim, outcome(claim))
    assert store.finish(again, outcome(again, valid=3.0))
    assert [t.valid for t in store.record().trials] == [3.0]


def test_a_trial_that_is_always_lost_is_given_up(store):
    first = next(iter(PLAN.keys()))
    for _ in range(ATTEMPTS):
        (claim,) = store.claim(PLAN)
        assert claim.key == first
        store.free([claim])
    (claim,) = store.claim(PLAN)
    assert claim.key != first
    (failed,) = store.record().trials
    assert (failed.key, failed.status, failed.attempts) == (first, "failed", ATTEMPTS)
    assert "lost with its worker" in failed.reason


@pytest.mark.parametrize(("why", "times"), [("gone", LOSSES), ("stop", LOSSES + 2)])
def test_who_is_not_to_blame_is_begun_more_often(store, why, times):
    first = next(iter(PLAN.keys()))
    for _ in range(times):
        (claim,) = store.claim(PLAN)
        assert claim.key == first
        store.free([claim], why)
    (claim,) = store.claim(PLAN)
    assert (claim.key == first) == (why == "stop")


def claim_and_die(url):
    Store(url, "made-up").claim(PLAN, 2)
    os._exit(9)


def test_trials_of_a_dead_process_are_freed_at_once(store, url):
    process = multiprocessing.get_context("spawn").Process(target=claim_and_die, args=(url,))
    process.start()
    process.join()
    assert len(store.running()) == 2
    assert store.free_lost() == list(PLAN.keys())[:2]
    assert not store.running()


def test_trials_of_a_silent_process_elsewhere_are_freed_after_a_while(url):
    store = Store(url, "made-up", beat=1, grace=1)
    store.begin(PLAN)
    store._owner = "elsewhere:1:1"
    silent, alive = store.claim(PLAN, 2)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        store.beat([alive])
        time.sleep(0.2)
    assert store.free_lost() == [silent.key]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_trial_without_any_heartbeat_is_freed_after_a_while(url, monkeypatch):
    store = Store(url, "made-up", beat=1, grace=1)
    store.begin(PLAN)
    with monkeypatch.context() as patch:
        patch.setattr(store._storage, "record_heartbeat", lambda trial: None)  # and killed
        (claim,) = store.claim(PLAN)
    assert store.free_lost() == []
    time.sleep(2.2)
    assert store.free_lost() == [claim.key]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_heartbeats_of_other_time_zones(url, monkeypatch):
    """Clients of PostgreSQL take their zone from the server or from PGTZ; heartbeats are kept without."""
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        monkeypatch.setenv("PGTZ", zone)
        store = Store(url, "made-up")
        store.begin(PLAN)
        store._owner = "elsewhere:1:x.1"
        (claim,) = store.claim(PLAN)
        store.beat([claim])
        monkeypatch.setenv("PGTZ", "Europe/Berlin")
        assert Store(url, "made-up").free_lost() == []


def test_an_outcome_whose_answer_was_lost_on_its_way_counts(store):
    (claim,) = store.claim(PLAN)
    assert store.finish(claim, outcome(claim))
    assert store.finish(claim, outcome(claim))
    assert len(store.record().trials) == 1


def test_a_trial_that_was_run_twice_after_all_counts_once(store, monkeypatch):
    (claim,) = store.claim(PLAN)
    monkeypatch.setattr(store._mutex, "held", nullcontext)
    again = store._created(PLAN, claim.key, 1)  # as by one who thought to hold the lock
    assert store.finish(again, outcome(again, valid=2.0))
    assert store.finish(claim, outcome(claim, valid=2.0))
    assert [t.key for t in store.record().trials] == [claim.key]


def begin_at(moment, url, said):
    time.sleep(max(0.0, moment - time.time()))
    store = Store(url, "made-up")
    store.begin(PLAN)
    said.put([list(c.key) for c in store.claim(PLAN, 4)])


def test_a_study_that_several_begin_at_once(url):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gatelab.runs.store"])
    said, moment = context.Queue(), time.time() + 2
    processes = [context.Process(target=begin_at, args=(moment, url, said)) for _ in range(3)]
    for process in processes:
        process.start()
    claimed = [tuple(k) for _ in processes for k in said.get(timeout=60)]
    for process in processes:
        process.join()
    assert sorted(claimed) == sorted(PLAN.keys())


def test_an_outcome_between_two_writes_counts(store):
    (claim,) = store.claim(PLAN)
    said = outcome(claim).model_dump(mode="json")
    store._storage.set_trial_user_attr(claim.trial_id, "outcome", said)  # and killed
    assert store.free_lost() == []
    assert [t.key for t in store.record().trials] == [claim.key]
    assert claim.key not in {c.key for c in store.claim(PLAN, 12)}


def test_diverged_trials_have_outcomes_without_values(store):
    (claim,) = store.claim(PLAN)
    store.finish(claim, outcome(claim, valid=None))
    assert store.record().trials[0].valid is None
    assert claim.key not in {c.key for c in store.claim(PLAN, 12)}


def test_a_study_grows_and_keeps_what_it_has(store, url):
    (claim,) = store.claim(PLAN)
    store.finish(claim, outcome(claim))
    more = changed(trials=4)
    Store(url, "made-up").begin(more)
    assert store.plan() == more
    assert len(store.record().missing) == len(more) - 1
    with pytest.raises(ConfigError, match="wanted as many or more"):
        store.begin(PLAN)


def test_outcomes_from_elsewhere_are_added_once(store):
    trials = [
        StudyTrial(task=k.task, cell=k.cell, number=k.number, status="finished", valid=1.0)
        for k in list(PLAN.keys())[:4]
    ]
    assert store.add(trials) == 4
    assert store.add(trials) == 0
    assert len(store.record().trials) == 4


def test_an_outcome_from_elsewhere_of_a_trial_that_is_being_run_counts_once(store):
    (claim,) = store.claim(PLAN)
    assert store.add([outcome(claim)]) == 1
    assert not store.running()
    assert store.finish(claim, outcome(claim))
    assert len(store.record().trials) == 1


def test_asking_to_stop(store, url):
    before = time.time()
    assert not store.asked_to_stop(before)
    Store(url, "made-up").stop()
    assert store.asked_to_stop(before) == "after trials"
    Store(url, "made-up").stop(now=True)
    assert store.asked_to_stop(before) == "now"
    assert not store.asked_to_stop(time.time() + 1)


def test_a_study_that_is_not_there(store, url):
    with pytest.raises(RunError, match="did you mean made-up"):
        Store(url, "made-upp").plan()


def test_no_database(tmp_path):
    (tmp_path / "x.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match=r"cannot be used: .*not a database"):
        Store(str(tmp_path / "x.db"), "made-up")


def test_a_database_of_another_version(path):
    Store(path, "made-up")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE version_info SET schema_version = 1")
        connection.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    with pytest.raises(RunError, match="another version of optuna"):
        Store(path, "made-up")


def test_a_plan_of_another_version(store, url):
    store._storage.set_study_user_attr(store._study, "plan", {"format": 99})
    with pytest.raises(RunError, match="of format 99"):
        store.plan()


@pytest.mark.parametrize("address", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "://"])
def test_addresses_that_are_none(address):
    with pytest.raises(ConfigError, match="storage: wanted"):
        parsed_url(address)


def test_a_server_that_is_not_there():
    pytest.importorskip("psycopg")
    with pytest.raises(RunError, match=r"postgresql://me:\*\*\*@127.0.0.1:1/x cannot be used"):
        Store("postgresql://me:secret@127.0.0.1:1/x", "made-up")


def test_passwords_are_not_shown_wherever_they_stand():
    shown_ = shown(parsed_url("postgresql://me:secret@/x?host=/tmp/a&password=secret&options=-c%20a=secret"))
    assert shown_ == "postgresql://me:***@/x?host=/tmp/a"


def test_a_server_that_is_begun_anew(running):
    store = Store(running.empty(), "made-up")
    store.begin(PLAN)
    first, second = store.claim(PLAN, 2)
    running.stop("immediate")
    with pytest.raises(RunError, match=r"postgresql://me@/postgres\?host=/tmp.* cannot be used"):
        store.finish(first, outcome(first))
    running.start()
    assert store.finish(first, outcome(first))
    running.stop()
    running.start()
    assert store.finish(second, outcome(second))
    assert len(store.claim(PLAN, 2)) == 2
    assert len(store.record().trials) == 2
