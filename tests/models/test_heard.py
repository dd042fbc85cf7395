"""What a model expects of music in files: its own probabilities, in the file's key."""

import numpy as np
import pytest
import torch

from gatelab.data.midi.write import write_midi
from gatelab.errors import ConfigError, DataError
from gatelab.models.folder import load
from gatelab.models.heard import expected, in_key, read_roll
from gatelab.tasks.music import KEYS

CHORDS = [[62], [62, 66], [66, 69], [69], [74, 66], [62, 78]] * 5


@pytest.fixture
def song(tmp_path):
    place = tmp_path / "song.mid"
    place.write_bytes(write_midi(CHORDS))
    return place


def test_chances_are_those_of_the_network_in_the_file_s_key(folders, song):
    model = load(folders("music"))
    (found,) = expected(model, [song])
    music = read_roll(song)
    assert music.transposed != 0
    assert np.array_equal(in_key(found.roll, music.transposed), music.roll)
    state, heard = None, torch.zeros(1, 1, KEYS)
    for step, played in enumerate(music.roll):
        with torch.no_grad():
            answers, state = model.network.carried(heard, state)
        chances = torch.sigmoid(answers[0]).numpy()
        assert np.allclose(in_key(found.chances, music.transposed)[step][7:-7], chances[7:-7], atol=1e-6)
        cost = -np.log(np.where(played, chances, 1 - chances)).sum()
        assert found.nll[step] == pytest.approx(cost, rel=1e-4)
        heard = torch.from_numpy(played.astype(np.float32))[None, None]


def test_a_tune_is_heard_with_its_label(folders, song):
    model = load(folders("tune"))
    (one,), (other,) = expected(model, [song], "4/4"), expected(model, [song], "6/8")
    assert not np.array_equal(one.chances, other.chances)
    with pytest.raises(ConfigError, match="known are"):
        list(expected(model, [song], "9/8"))


def test_what_is_no_music_is_refused(folders, song, tmp_path):
    with pytest.raises(ConfigError, match="makes no music"):
        list(expected(load(folders("classify")), [song]))
    (tmp_path / "cut.mid").write_bytes(song.read_bytes()[:60])
    with pytest.raises(DataError, match=r"cut\.mid"):
        list(expected(load(folders("music")), [tmp_path / "cut.mid"]))


def test_keys_that_leave_the_keyboard_are_lost():
    roll = np.zeros((1, KEYS), np.uint8)
    roll[0, [0, 40, 87]] = 1
    assert in_key(roll, 5).nonzero()[1].tolist() == [5, 45]
    assert in_key(roll, -6).nonzero()[1].tolist() == [34, 81]
    assert np.array_equal(in_key(roll, 0), roll)
