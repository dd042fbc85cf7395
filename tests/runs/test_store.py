import multiprocessing
import os
import sqlite3
import time

import pytest

from gatelab.errors import ConfigError, RunError
from gatelab.runs.store import ATTEMPTS, Store, parsed_url
from gatelab.runs.study import StudyTrial
from small_study import PLAN, changed


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "studies.db")


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


def test_a_database_of_another_version(store, url):
    with sqlite3.connect(url) as connection:
        connection.execute("UPDATE version_info SET schema_version = 1")
        connection.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    with pytest.raises(RunError, match="another version of optuna"):
        Store(url, "made-up")


def test_a_plan_of_another_version(store, url):
    store._storage.set_study_user_attr(store._study, "plan", {"format": 99})
    with pytest.raises(RunError, match="of format 99"):
        store.plan()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "://"])
def test_addresses_that_are_none(url):
    with pytest.raises(ConfigError, match="storage: wanted"):
        parsed_url(url)


def test_a_server_that_is_not_there():
    pytest.importorskip("psycopg")
    with pytest.raises(RunError, match=r"postgresql\+psycopg://me:\*\*\*@127.0.0.1:1/x cannot be used"):
        Store("postgresql://me:secret@127.0.0.1:1/x", "made-up")
