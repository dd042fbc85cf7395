"""Where the time went: summed over trials, kept in the run's folder."""

import pytest

from gatelab.errors import RunError
from gatelab.runs import Trial, write_json
from gatelab.runs.profile import FILE, PARTS, Timing, read_profile, summed, write_profile


def _trial(unit, number):
    return Trial(unit=unit, stage="search", number=number, learning_rate=0.1, seed=0)


@pytest.fixture
def profile(tmp_path):
    trials = [_trial("gru", 0), _trial("gru", 1), _trial("lstm", 0), _trial("lstm", 1)]
    for k, trial in enumerate(trials[:3]):  # the last was cut off
        (tmp_path / "trials" / trial.name).mkdir(parents=True)
        timing = Timing(process=k, seconds={"forward": 1.0, "backward": 2.0 + k})
        write_json(tmp_path / "trials" / trial.name / FILE, timing)
    return summed(tmp_path, trials, 2, 8.0)


def test_seconds_are_summed_by_unit(profile):
    assert profile.trials == {"gru": 2, "lstm": 1}
    assert profile.seconds["gru"]["backward"] == 5
    assert profile.seconds["lstm"]["forward"] == 1
    assert list(profile.seconds["gru"]) == list(PARTS)
    assert profile.idle == 2 * 8 - 12


def test_it_is_read_back(profile, tmp_path):
    assert read_profile(tmp_path) is None
    write_profile(tmp_path, profile)
    assert read_profile(tmp_path) == profile
    (tmp_path / FILE).write_text('{"workers": "many"}')
    with pytest.raises(RunError, match="is damaged"):
        read_profile(tmp_path)
