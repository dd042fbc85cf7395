"""Processes of a study are killed at random moments; its numbers must not show it."""

import pytest

from postgres import server
from victims import Victims, check, undisturbed


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
